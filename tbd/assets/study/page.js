const study = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const store = `tbd-study-${study.study}`;
const draw = (below) => crypto.getRandomValues(new Uint32Array(1))[0] % below;
const shuffled = (items) => {
  const left = [...items];
  for (let i = left.length - 1; i > 0; i--) {
    const j = draw(i + 1);
    [left[i], left[j]] = [left[j], left[i]];
  }
  return left;
};

// A rater's own pairs: all pairs of methods as often, in an order and with sides of chance; some come again, the other way round.
const plan = () => {
  const groups = new Map();
  for (const [a, b, kind] of shuffled(study.pairs)) groups.set(kind, [...(groups.get(kind) ?? []), draw(2) ? [a, b] : [b, a]]);
  const kinds = shuffled([...groups.keys()]);
  const chosen = [];
  const most = Math.min(study.trials, study.pairs.length);
  while (chosen.length < most) for (const kind of kinds) if (groups.get(kind).length && chosen.length < most) chosen.push(groups.get(kind).pop());
  const order = shuffled(chosen);
  const again = order.slice(0, Math.min(study.repeats, Math.max(order.length - 1, 0)));
  return [...order.map(([left, right]) => ({ left, right, repeated: false })), ...again.map(([left, right]) => ({ left: right, right: left, repeated: true }))];
};

const load = () => {
  try {
    return JSON.parse(localStorage.getItem(store));
  } catch {
    return null;
  }
};
const keep = () => {
  try {
    localStorage.setItem(store, JSON.stringify(state));
  } catch {
    // without storage a rater has to finish in one go
  }
};
const name = () => [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const state = load() ?? { rater: name(), trials: plan(), answers: [], done: 0 };
keep();

const videos = [at("left"), at("right")];
let seen = new Set();
let chosen = [];
let since = 0;

const choices = study.same ? [["left", "Left"], ["same", "No difference"], ["right", "Right"]] : [["left", "Left"], ["right", "Right"]];
study.questions.forEach((question, number) => {
  const set = document.createElement("fieldset");
  const legend = Object.assign(document.createElement("legend"), { textContent: question });
  const row = document.createElement("div");
  for (const [value, text] of choices) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text, disabled: true });
    button.dataset.value = value;
    button.addEventListener("click", () => {
      chosen[number] = value;
      for (const other of row.children) other.setAttribute("aria-pressed", String(other === button));
      at("next").disabled = study.questions.some((_, each) => !chosen[each]);
    });
    row.append(button);
  }
  set.append(legend, row);
  at("questions").append(set);
});
const answerButtons = () => [...at("questions").querySelectorAll("button")];

const show = (section) => {
  for (const each of document.querySelectorAll("section")) each.hidden = each.id !== section;
};
const next = () => {
  if (state.done >= state.trials.length) return finish();
  const trial = state.trials[state.done];
  show("trial");
  seen = new Set();
  chosen = [];
  since = performance.now();
  videos[0].src = `videos/${trial.left}.mp4`;
  videos[1].src = `videos/${trial.right}.mp4`;
  for (const button of answerButtons()) {
    button.disabled = true;
    button.setAttribute("aria-pressed", "false");
  }
  at("next").disabled = true;
  at("hint").textContent = "Watch both to their end first.";
  at("done").value = state.done / state.trials.length;
  at("where").textContent = `${state.done + 1} of ${state.trials.length}`;
};
const watched = () => {
  for (const button of answerButtons()) button.disabled = false;
  at("hint").textContent = "";
};
for (const video of videos) {
  video.addEventListener("ended", () => {
    seen.add(video);
    if (seen.size === videos.length) watched();
  });
  // a video that does not load must not stop a rater
  video.addEventListener("error", () => {
    if (!video.getAttribute("src")) return;
    at("hint").textContent = "A video could not be loaded; this pair is left out.";
    state.done += 1;
    keep();
    setTimeout(next, 1500);
  });
}
at("play").addEventListener("click", () => {
  for (const video of videos) {
    video.currentTime = 0;
    video.play();
  }
});
// both say the same words: one is heard, and the other keeps to its time
setInterval(() => {
  const [left, right] = videos;
  if (!left.paused && !right.paused && !right.ended && Math.abs(left.currentTime - right.currentTime) > 0.06) right.currentTime = left.currentTime;
}, 100);
at("next").addEventListener("click", () => {
  const { left, right, repeated } = state.trials[state.done];
  const seconds = Math.round((performance.now() - since) / 100) / 10;
  study.questions.forEach((_, question) => state.answers.push({ left, right, question, choice: chosen[question], seconds, repeated }));
  state.done += 1;
  keep();
  next();
});
const answers = () => JSON.stringify({ format: "tbd-answers-1", study: study.study, rater: state.rater, answers: state.answers }, null, 1);
const finish = () => {
  show("end");
  at("save").href = URL.createObjectURL(new Blob([answers()], { type: "application/json" }));
  at("save").download = `answers-${study.study}-${state.rater}.json`;
};
at("count").textContent = String(state.trials.length);
if (state.done) at("begin").textContent = "Go on";
at("begin").addEventListener("click", next);
