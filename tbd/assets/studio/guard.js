// Sees to it that what the page cannot take is told in the studio's own sentences (tbd/studio/refusals.py): files that are too large or of
// another kind, before they are sent, and cameras and microphones that the browser refuses. Gradio runs this with `element`, `props` and
// `trigger` of the component (tbd/studio/layout.py).
const PLACES = "#portrait, #clip, #voice";
const KINDS = { portrait: /^image\//, clip: /^video\//, voice: /^(audio|video)\// };
// what browsers do not know, or Gradio would refuse, although the studio reads it
const UNKNOWN = { heic: "image/heic", heif: "image/heif", avif: "image/avif", jxl: "image/jxl", tif: "image/tiff", tiff: "image/tiff",
  mkv: "video/x-matroska", flac: "audio/flac", opus: "audio/opus", m4a: "audio/mp4", aac: "audio/aac", amr: "audio/amr" };

function tell(message) { trigger("input", message); }

function typeOf(file) { return file.type || UNKNOWN[file.name.split(".").pop().toLowerCase()] || ""; }

function refused(place, file) {
  const type = typeOf(file);
  if (file.size <= props.value.largest && (!type || KINDS[place].test(type))) return false;
  tell({ place, name: file.name, size: file.size, type });
  return true;
}

/** The file as Gradio takes it: of a known type, and a video's sound as sound. */
function accepted(place, file) {
  const kind = { portrait: "image", clip: "video", voice: "audio" }[place], type = typeOf(file) || `${kind}/${file.name.split(".").pop()}`;
  const wanted = place === "voice" ? type.replace(/^video/, "audio") : type;
  return wanted === file.type ? file : new File([file], file.name, { type: wanted });
}

function put(input, files) {
  const all = new DataTransfer();
  for (const file of files) all.items.add(file);
  input.files = all.files;
}

function onChange(event) {
  const input = event.target, place = input.closest?.(PLACES)?.id;
  if (!place || input.type !== "file" || !input.files.length) return;
  const files = [...input.files];
  if (files.some(file => refused(place, file))) {
    event.stopImmediatePropagation();
    input.value = "";
    return;
  }
  const taken = files.map(file => accepted(place, file));
  if (taken.some((file, i) => file !== files[i])) put(input, taken);
}

function onDrop(event) {
  const part = event.target.closest?.(PLACES), files = [...(event.dataTransfer?.files ?? [])], input = part?.querySelector("input[type=file]");
  if (!part || !files.length || !input) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  part.dispatchEvent(new DragEvent("dragleave", { bubbles: true }));
  put(input, files.slice(0, 1));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("change", onChange, true);
document.addEventListener("drop", onDrop, true);

const devices = navigator.mediaDevices;
if (devices) {
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    try {
      return await ask(wanted);
    } catch (error) {
      // the live face says so itself
      if (!document.querySelector("#live [data-live=start]")?.disabled) tell({ place: wanted.video ? "portrait" : "voice", failure: error.name });
      if (wanted.video) return new Promise(() => {}); // Gradio catches nothing here, and its button can be pressed again
      throw error;
    }
  };
}
