// The editable timeline of the studio: a custom element that draws rows of muscles, and tells Gradio what its user changed.
// Gradio runs this with `element`, `trigger` and `watch` of the component (tbd/studio/layout.py). It reads a value
// {rows, segments, seconds, units, rise, release, seq} as tbd/studio/timeline.py writes it.

const STYLE = `
  :host { display: block; color: var(--body-text-color, #22242a); font: 14px/1.4 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
  .bar { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin-bottom: .5rem; }
  button, select { font: inherit; color: inherit; background: var(--background-fill-primary, #fff); min-height: 28px;
    border: 1px solid var(--border-color-primary, #bbb); border-radius: 6px; padding: .15rem .55rem; cursor: pointer; max-width: 100%; }
  button:disabled { opacity: .55; cursor: default; }
  button:hover { border-color: currentColor; }
  button[aria-pressed=true] { background: var(--body-text-color, #22242a); color: var(--background-fill-primary, #fff); }
  :focus-visible { outline: 3px solid #b1512f; outline-offset: 1px; }
  .row { display: grid; grid-template-columns: 17.5rem 1fr; gap: .1rem .8rem; align-items: center; padding: .25rem 0;
    border-top: 1px solid var(--border-color-primary, #ddd); }
  .name { font-weight: 600; }
  .name b { font-variant-numeric: tabular-nums; }
  .tools { display: flex; flex-wrap: wrap; gap: .3rem; margin-top: .15rem; font-size: 12.5px; }
  .tools button, .tools select { min-height: 26px; padding: 0 .4rem; }
  svg { display: block; width: 100%; overflow: visible; }
  svg text { fill: currentColor; font-size: 11px; }
  .muted svg { opacity: .35; }
  .handle { cursor: grab; touch-action: none; outline-offset: 0; }
  .handle:active { cursor: grabbing; }
  .open { stroke-dasharray: 2 2; fill: var(--background-fill-primary, #fff); }
  .empty, .hint { margin: .5rem 0; }
  .hint { font-size: 12.5px; }
  @media (max-width: 700px) { .row { grid-template-columns: 1fr; } }
`;
const NS = "http://www.w3.org/2000/svg";
const HEIGHT = 62, TOP = 12, BASE = 52, FRAME = 0.04, EDGE = 10;
const SIDES = { both: "both sides", left: "left side", right: "right side" };
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const round = (value) => Math.round(value * 100) / 100;
const smooth = (x) => { x = clamp(x, 0, 1); return x * x * (3 - 2 * x); };

function make(parent, tag, attributes = {}, text = "") {
  const svg = ["svg", "g", "path", "line", "rect", "circle", "text", "title"].includes(tag);
  const node = svg ? document.createElementNS(NS, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  parent.append(node);
  return node;
}

class TimelineElement extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    this.seq = 0;
    this.value = null;
    this.addEventListener("focusout", (event) => this.pending && event.relatedTarget !== null && this.commit());
    new ResizeObserver(() => this.value && !this.dragging && this.draw()).observe(this);
  }

  /** Take over what the server says, unless an edit is on its way that it has not seen. */
  show(value) {
    if (!value || !value.units || this.dragging || (value.seq ?? 0) < this.seq) return;
    const same = this.value && JSON.stringify({ ...this.value, seq: 0 }) === JSON.stringify({ ...value, seq: 0 });
    this.seq = value.seq ?? 0;
    if (same) return;  // an echo of what is shown: the rows that the marks hold must stay the ones that are sent
    this.value = structuredClone(value);
    this.toggleAttribute("data-filled", true);
    this.draw();
  }

  send(message) {
    this.seq += 1;
    this.dispatchEvent(new CustomEvent("change-plan", { detail: { ...message, seq: this.seq } }));
  }

  commit() {
    clearTimeout(this.timer);
    this.pending = false;
    this.send({ action: "edit", rows: this.value.rows });
  }

  /** Keys come in bursts; what they changed is sent when they pause, or when another part of the page is used. */
  commitSoon() {
    clearTimeout(this.timer);
    this.pending = true;
    this.timer = setTimeout(() => this.commit(), 350);
  }

  draw() {
    const root = this.shadowRoot, focused = root.activeElement?.dataset.key;
    root.replaceChildren();
    make(root, "style", {}, STYLE);
    this.toolbar(root);
    const width = Math.max(this.clientWidth - (this.clientWidth > 700 ? 293 : 0), 120);
    this.scale = (width - 2 * EDGE) / this.value.seconds;
    if (this.value.rows.length) this.feelings(root, width);
    else make(root, "p", { class: "empty" }, "No muscle is at work: the face is at rest. Add one above.");
    this.value.rows.forEach((row, index) => this.row(root, row, index, width));
    make(root, "p", { class: "hint" },
      "Drag the marks, or reach them with Tab and move them with the arrow keys (Shift: further). Home opens the onset (from before " +
      "the start), End the offset (until the end). Left and right are the portrait’s own.");
    if (focused) root.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
  }

  toolbar(root) {
    const bar = make(root, "div", { class: "bar", role: "group", "aria-label": "Timeline" });
    const select = make(bar, "select", { "aria-label": "Muscle to add", "data-key": "unit" });
    for (const region of ["upper", "eyes", "middle", "lower", "head"]) {
      const group = make(select, "optgroup", { label: region });
      for (const [number, unit] of Object.entries(this.value.units))
        if (unit.region === region) make(group, "option", { value: number }, `AU${number} ${unit.name}`);
    }
    if (this.chosen) select.value = this.chosen;
    select.addEventListener("change", () => { this.chosen = select.value; });
    const button = (key, text, act) => make(bar, "button", { type: "button", "data-key": key }, text).addEventListener("click", act);
    button("add", "Add muscle", () => this.add(Number(select.value)));
    button("undo", "Undo", () => this.send({ action: "undo" }));
    button("redo", "Redo", () => this.send({ action: "redo" }));
    button("repair", "Fix conflicts", () => this.send({ action: "repair" }));
  }

  add(number) {
    const unit = this.value.units[number], long = this.value.seconds > 2;
    this.value.rows.push({
      unit: number, side: unit.sides[0], intensity: 0.5, muted: false,
      onset: long ? 0.4 : null, apex: long ? 0.4 + this.value.rise : null, offset: long ? round(this.value.seconds - 0.6) : null,
    });
    this.draw();
    this.commit();
  }

  feelings(root, width) {
    const row = make(root, "div", { class: "row" });
    make(row, "div", { class: "name" }, "Feeling, seconds");
    const svg = make(row, "svg", { viewBox: `0 0 ${width} 40`, height: 40, role: "img", "aria-label": this.said() });
    for (const part of this.value.segments) {
      const end = part.end ?? this.value.seconds, x = this.x(part.start);
      make(svg, "rect", { x, y: 2, width: Math.max(this.x(end) - x - 2, 1), height: 18, rx: 3, fill: "currentColor", "fill-opacity": 0.12 });
      if (this.x(end) - x > 60) make(svg, "text", { x: x + 5, y: 15 }, part.name);
    }
    const step = [0.5, 1, 2, 5, 10, 20].find((s) => s * this.scale >= 34) ?? 30;
    for (let time = 0; time <= this.value.seconds + 1e-6; time += step)
      make(svg, "text", { x: this.x(time), y: 36, "text-anchor": "middle" }, String(round(time)));
  }

  said() {
    return "Feelings: " + this.value.segments.map((s) => `${s.name} from ${round(s.start)} s`).join(", ");
  }

  x(time) { return EDGE + time * this.scale; }
  y(level) { return BASE - level * (BASE - TOP); }

  row(root, row, index, width) {
    const unit = this.value.units[row.unit], box = make(root, "div", { class: row.muted ? "row muted" : "row", role: "group" });
    const title = `AU${row.unit} ${unit.name}`;
    box.setAttribute("aria-label", title);
    const head = make(box, "div");
    make(head, "div", { class: "name" }, title);
    this.tools(make(head, "div", { class: "tools" }), row, index, title);
    const svg = make(box, "svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT });
    make(svg, "line", { x1: EDGE, x2: width - EDGE, y1: BASE, y2: BASE, stroke: "currentColor", "stroke-opacity": 0.35 });
    make(svg, "path", { d: this.envelope(row), fill: unit.color, "fill-opacity": 0.32, stroke: unit.color, "stroke-width": 1.6 });
    for (const kind of ["onset", "apex", "offset", "intensity"]) {
      if (kind === "apex" && row.onset === null) continue;
      this.handle(svg, row, index, kind, title, unit.color);
    }
  }

  tools(parent, row, index, title) {
    const unit = this.value.units[row.unit];
    const button = (key, text, act, more = {}) =>
      make(parent, "button", { type: "button", "data-key": `${key}-${index}`, "aria-label": `${text} ${title}`, ...more }, text)
        .addEventListener("click", () => { act(); this.draw(); this.commit(); });
    if (unit.sides.length > 1) {
      const select = make(parent, "select", { "aria-label": `Side of ${title}`, "data-key": `side-${index}` });
      for (const side of unit.sides) make(select, "option", { value: side }, SIDES[side]);
      select.value = row.side;
      select.addEventListener("change", () => { row.side = select.value; this.draw(); this.commit(); });
    }
    button("mute", "Mute", () => { row.muted = !row.muted; }, { "aria-pressed": String(row.muted) });
    if (unit.mirror !== row.unit || unit.sides.length > 1)
      button("mirror", "Mirror", () => {
        row.unit = unit.mirror;
        row.side = { left: "right", right: "left" }[row.side] ?? row.side;
      }, unit.mirror === row.unit && row.side === "both" ? { disabled: "", title: "Both sides move alike; choose one to mirror it." } : {});
    button("remove", "Remove", () => { this.value.rows.splice(index, 1); });
  }

  /** When an action that begins is at its height. */
  apex(row) { return row.apex ?? row.onset + this.value.rise; }

  /** Where a mark stands, also one that is open. */
  at(row, kind) {
    if (kind === "apex") return this.apex(row);
    return row[kind] ?? (kind === "offset" ? this.value.seconds : 0);
  }

  /** As MuscleAction.envelope: a smooth rise, a hold, a smooth release. */
  level(row, time) {
    let level = row.intensity;
    if (row.onset !== null) level *= smooth((time - row.onset) / Math.max(this.apex(row) - row.onset, 1e-3));
    if (row.offset !== null) level *= 1 - smooth((time - row.offset) / this.value.release);
    return level;
  }

  envelope(row) {
    const points = [];
    for (let i = 0; i <= 160; i++) {
      const time = (i / 160) * this.value.seconds;
      points.push(`${this.x(time).toFixed(1)} ${this.y(this.level(row, time)).toFixed(1)}`);
    }
    return `M${this.x(0)} ${BASE}L${points.join("L")}L${this.x(this.value.seconds)} ${BASE}Z`;
  }

  place(row, kind) {
    const end = this.value.seconds, apex = row.onset === null ? 0 : this.apex(row);
    if (kind === "onset") return [this.x(clamp(row.onset ?? 0, 0, end)), BASE];
    if (kind === "apex") return [this.x(clamp(apex, 0, end)), this.y(row.intensity)];
    if (kind === "offset") return [this.x(clamp(row.offset ?? end, 0, end)), BASE];
    return [this.x((clamp(apex, 0, end) + clamp(row.offset ?? end, 0, end)) / 2), this.y(row.intensity)];
  }

  handle(svg, row, index, kind, title, color) {
    const [x, y] = this.place(row, kind), open = (kind === "onset" || kind === "offset") && row[kind] === null;
    const level = kind === "intensity", value = this.at(row, kind);
    const text = open ? (kind === "onset" ? "from before the start" : "until the end") : level ? value.toFixed(2) : `${round(value)} s`;
    const group = make(svg, "g", {
      class: "handle", role: "slider", tabindex: 0, "data-key": `${kind}-${index}`, "aria-label": `${kind} of ${title}`,
      "aria-valuemin": 0, "aria-valuemax": level ? 1 : this.value.seconds, "aria-valuenow": round(clamp(value, 0, level ? 1 : this.value.seconds)),
      "aria-valuetext": text, "aria-orientation": level ? "vertical" : "horizontal", transform: `translate(${x} ${y})`,
    });
    make(group, "title", {}, `${kind} ${text}`);
    make(group, "circle", { r: 12, fill: "transparent" });
    const look = { fill: color, stroke: color, "stroke-width": 1.5, class: open ? "open" : "" };
    if (level) make(group, "rect", { x: -12, y: -3, width: 24, height: 6, rx: 3, ...look });
    else if (kind === "apex") make(group, "circle", { r: 6, ...look });
    else make(group, "path", { d: kind === "onset" ? "M-6 0L6 -7L6 7Z" : "M6 0L-6 -7L-6 7Z", ...look });
    group.addEventListener("keydown", (event) => this.key(event, row, kind));
    group.addEventListener("pointerdown", (event) => this.drag(event, svg, row, kind));
  }

  set(row, kind, value) {
    const end = this.value.seconds, last = row.offset ?? end;
    if (kind === "intensity") row.intensity = round(clamp(value, 0, 1));
    else if (kind === "onset" && value < 0) row.onset = row.apex = null;
    else if (kind === "onset") {
      const rise = row.onset === null ? this.value.rise : this.apex(row) - row.onset;
      row.onset = round(clamp(value, 0, last));
      row.apex = round(Math.min(row.onset + rise, last));
    } else if (kind === "apex") row.apex = round(clamp(value, row.onset, last));
    else if (value > end) row.offset = null;
    else row.offset = round(clamp(value, row.onset === null ? 0 : row.apex ?? row.onset, end));
  }

  key(event, row, kind) {
    const signs = { ArrowRight: 1, ArrowUp: 1, PageUp: 10, ArrowLeft: -1, ArrowDown: -1, PageDown: -10 }, level = kind === "intensity";
    const far = event.shiftKey ? 10 : 1, now = this.at(row, kind);
    if (event.key in signs) {
      const next = now + signs[event.key] * far * (level ? 0.01 : FRAME);
      this.set(row, kind, level || row[kind] !== null ? next : clamp(next, 0, this.value.seconds));
    } else if (event.key === "Home") this.set(row, kind, level ? 0 : kind === "onset" ? -1 : 0);
    else if (event.key === "End") this.set(row, kind, level ? 1 : kind === "offset" ? this.value.seconds + 1 : this.value.seconds);
    else return;
    event.preventDefault();
    this.draw();
    this.commitSoon();
  }

  /** The track is drawn anew while a mark is dragged, so the pointer is followed from the element that stays. */
  drag(event, svg, row, kind) {
    event.preventDefault();
    const box = svg.getBoundingClientRect(), key = `${kind}-${this.value.rows.indexOf(row)}`;
    this.dragging = true;
    const move = (e) => {
      const [x, y] = [e.clientX - box.left, e.clientY - box.top];
      if (kind === "intensity") this.set(row, kind, (BASE - y) / (BASE - TOP));
      else {
        const time = (x - EDGE) / this.scale, slack = 6 / this.scale;
        this.set(row, kind, kind === "onset" && time > -slack ? Math.max(time, 0) : kind === "offset" && time < this.value.seconds + slack
          ? Math.min(time, this.value.seconds) : time);
      }
      this.draw();
    };
    const stop = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", stop);
      window.removeEventListener("pointercancel", stop);
      this.dragging = false;
      this.shadowRoot.querySelector(`[data-key="${key}"]`)?.focus({ preventScroll: true });
      this.commit();
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", stop);
    window.addEventListener("pointercancel", stop);
  }
}

if (!customElements.get("tbd-timeline")) customElements.define("tbd-timeline", TimelineElement);
const timeline = element.querySelector("tbd-timeline");
timeline.addEventListener("change-plan", (event) => trigger("input", event.detail));
watch("value", () => timeline.show(props.value));
timeline.show(props.value);
