// A face that talks while somebody speaks: takes the microphone or a recording, sends it through a WebSocket (tbd/live/protocol.py), and
// shows the frames that come back. The page of `tbd live` and the studio use it.
"use strict";

const FRAME = 0.04, SPARE = 0.08; // seconds of a frame, and kept in hand against uneven arrival

// the sound that is captured, in pieces of 128 samples, as 16-bit numbers of 20 ms
const CAPTURE = `registerProcessor("capture", class extends AudioWorkletProcessor {
  constructor() { super(); this.piece = new Int16Array(Math.round(sampleRate / 50)); this.length = 0; }
  process([input]) {
    for (const x of input[0] || []) {
      this.piece[this.length++] = Math.max(-1, Math.min(1, x)) * 32767;
      if (this.length === this.piece.length) { this.port.postMessage(this.piece.slice().buffer); this.length = 0; }
    }
    return true;
  }
});`;

/**
 * Set a live face going in elements marked by data-live: face (a canvas), state, start, file, stop, aloud and figures.
 * @param root Holds the elements.
 * @param address Gives the WebSocket's address.
 * @param feeling Gives what is felt at the start.
 * @returns tell(message), which sends JSON and says whether it could; say(text), which shows a sentence; stop().
 */
function liveFace(root, address, feeling) {
  const part = name => root.querySelector(`[data-live=${name}]`);
  let run = null;

  function say(text, bad) { part("state").textContent = text; part("state").className = bad ? "bad" : ""; }

  function buttons(running) {
    part("start").disabled = part("file").disabled = running;
    part("stop").disabled = !running;
  }

  async function begin(open) {
    const mine = run = { frames: [], sent: 0, shown: 0, zero: null, delays: [], stopped: false };
    buttons(true);
    say("One moment …");
    try {
      mine.sound = new AudioContext();
      await mine.sound.resume();
      mine.source = await open(mine.sound, mine);
      if (mine.stopped) return;
      await mine.sound.audioWorklet.addModule(URL.createObjectURL(new Blob([CAPTURE], { type: "text/javascript" })));
      mine.capture = new AudioWorkletNode(mine.sound, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      connect(mine);
    } catch (error) {
      const refused = error.name === "NotAllowedError", missing = error.name === "NotFoundError";
      end(mine, refused ? "The microphone was refused; allow it for this page, or speak a recording."
        : missing ? "There is no microphone; plug one in, or speak a recording."
        : error.name === "EncodingError" ? "That file holds no sound that this browser reads." : `It did not start: ${error.message}.`, true);
    }
  }

  function connect(mine) {
    const socket = mine.socket = new WebSocket(address());
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      socket.send(JSON.stringify({ sample_rate: mine.sound.sampleRate, emotion: feeling() }));
      mine.capture.port.onmessage = ({ data }) => {
        if (socket.readyState !== 1) return;
        if (!mine.sent++) mine.began = performance.now() - 20;
        socket.send(data);
      };
      mine.source.connect(mine.capture);
      if (mine.source.start) mine.source.start();
      say("Listening.");
    };
    socket.onmessage = ({ data }) => typeof data === "string" ? onMessage(mine, JSON.parse(data)) : onFrame(mine, data);
    socket.onclose = () => end(mine, mine.error || (mine.stopped ? "Stopped." : mine.shown ? "The end." : "The server is busy or gone; try again later."), Boolean(mine.error) || !mine.shown);
    requestAnimationFrame(() => show(mine));
  }

  function onMessage(mine, message) {
    if (message.error) mine.error = message.error;
    if (message.width) { part("face").width = message.width; part("face").height = message.height; part("face").style.aspectRatio = message.width / message.height; mine.rate = message.sample_rate; }
    if (message.plan !== undefined) say(message.plan || "A neutral face.");
  }

  async function onFrame(mine, data) {
    const head = new DataView(data), number = head.getUint32(0, true), size = head.getUint32(4, true);
    const sound = new Int16Array(data.slice(8, 8 + size)), now = mine.sound.currentTime;
    mine.delays.push(performance.now() - mine.began - number * 1000 * FRAME);
    if (mine.delays.length > 50) mine.delays.shift();
    let time = mine.zero === null ? -1 : mine.zero + number * FRAME;
    if (time < now) { mine.zero = now + SPARE - number * FRAME; time = now + SPARE; }
    if (part("aloud").checked && sound.length) {
      const buffer = mine.sound.createBuffer(1, sound.length, mine.rate), node = mine.sound.createBufferSource();
      buffer.getChannelData(0).set(Float32Array.from(sound, x => x / 32768));
      node.buffer = buffer; node.connect(mine.sound.destination); node.start(time);
    }
    if (data.byteLength > 8 + size) mine.frames.push({ time, picture: createImageBitmap(new Blob([data.slice(8 + size)], { type: "image/jpeg" })) });
  }

  async function show(mine) {
    if (run !== mine) return;
    let due = null;
    while (mine.frames.length && mine.frames[0].time <= mine.sound.currentTime) due = mine.frames.shift();
    if (due) {
      const picture = await due.picture;
      part("face").getContext("2d").drawImage(picture, 0, 0);
      picture.close();
      mine.shown++;
      const sorted = [...mine.delays].sort((a, b) => a - b);
      part("figures").textContent = `sound to frame: ${Math.round(sorted[Math.floor(sorted.length * 0.95)] || 0)} ms`;
      part("face").dataset.shown = mine.shown;
    }
    requestAnimationFrame(() => show(mine));
  }

  function end(mine, text, bad) {
    if (run !== mine) return;
    run = null;
    mine.stopped = true;
    if (mine.stream) mine.stream.getTracks().forEach(track => track.stop());
    if (mine.socket && mine.socket.readyState < 2) mine.socket.close();
    if (mine.sound) mine.sound.close();
    buttons(false);
    say(text, bad);
  }

  part("start").onclick = () => begin(async (sound, mine) => {
    if (!navigator.mediaDevices) throw new Error("a browser gives its microphone to https and localhost alone");
    mine.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    return sound.createMediaStreamSource(mine.stream);
  });
  part("file").onchange = async ({ target }) => {
    const file = target.files[0];
    target.value = "";
    if (file) begin(async (sound, mine) => {
      const source = sound.createBufferSource();
      source.buffer = await sound.decodeAudioData(await file.arrayBuffer());
      source.onended = () => mine.socket.readyState === 1 && mine.socket.send('{"end": true}');
      return source;
    });
  };
  part("stop").onclick = () => {
    const mine = run;
    if (!mine) return;
    mine.stopped = true;
    mine.capture && mine.source.disconnect();
    mine.socket && mine.socket.readyState === 1 ? mine.socket.send('{"end": true}') : end(mine, "Stopped.");
  };
  addEventListener("pagehide", () => run && end(run, "Stopped."));
  return {
    say,
    stop: () => run && end(run, "Stopped."),
    tell: message => {
      if (!run || !run.socket || run.socket.readyState !== 1) return false;
      run.socket.send(JSON.stringify(message));
      return true;
    },
  };
}
