// Sort a table by the column whose heading is pressed; absent numbers stay last, whichever way.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    heading.querySelector("button")?.addEventListener("click", () => {
      const first = heading.dataset.first || "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = heading.getAttribute("aria-sort") === first ? other : first;
      for (const each of headings) each.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", order);
      const key = (row) => row.cells[column].dataset.value ?? "";
      const numeric = heading.dataset.kind === "number";
      const compare = (a, b) => (numeric ? Number(key(a)) - Number(key(b)) : key(a).localeCompare(key(b)));
      const rows = [...body.rows].sort((a, b) => {
        if (!key(a) || !key(b)) return (key(a) ? 0 : 1) - (key(b) ? 0 : 1);
        return order === "ascending" ? compare(a, b) : compare(b, a);
      });
      body.append(...rows);
    });
  });
}

// Play the same clip of all rows together; one of them is heard, and the others keep to its time.
const FARTHEST = 0.05; // seconds that a video may be off before it is moved
for (const player of document.querySelectorAll(".player")) {
  const clips = [...player.querySelectorAll(".clip")];
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const choice = make("select", { ariaLabel: "Clip" });
  const button = make("button", { type: "button", textContent: "Play" });
  const place = make("input", { type: "range", min: 0, max: 1, step: 0.001, value: 0, ariaLabel: "Place in the clip" });
  const time = make("output", { textContent: "0.0 s" });
  choice.append(...clips.map((clip) => make("option", { textContent: clip.dataset.clip })));
  const bar = make("div", { className: "bar" });
  bar.append(choice, button, place, time, make("span", { textContent: "Press a name to hear it." }));
  player.prepend(bar);

  const videos = () => [...clips[choice.selectedIndex].querySelectorAll("video")];
  const leader = () => videos().find((video) => !video.muted) ?? videos()[0];
  const playing = () => button.textContent === "Pause";

  const unmute = (chosen) => {
    const now = leader().currentTime;
    for (const video of videos()) {
      video.muted = video !== chosen;
      video.closest("figure").querySelector("figcaption button").setAttribute("aria-pressed", String(video === chosen));
    }
    if (Math.abs(chosen.currentTime - now) > FARTHEST) chosen.currentTime = now;
  };
  const stop = () => {
    button.textContent = "Play";
    for (const video of videos()) video.pause();
  };
  const seek = (seconds) => {
    for (const video of videos()) video.currentTime = seconds;
  };
  const ready = (video) =>
    new Promise((resolve) => {
      if (video.readyState >= 3 || video.error) return resolve();
      for (const event of ["canplay", "error"]) video.addEventListener(event, resolve, { once: true });
      video.preload = "auto";
      video.load();
    });
  const start = async () => {
    button.textContent = "Pause";
    const shown = videos();
    await Promise.all(shown.map(ready));
    if (!playing() || shown[0] !== videos()[0]) return;
    if (leader().ended || leader().currentTime >= leader().duration - FARTHEST) seek(0);
    else seek(leader().currentTime);
    await Promise.allSettled(shown.map((video) => video.play()));
    follow();
  };
  const follow = () => {
    if (!playing()) return;
    const first = leader();
    for (const video of videos()) {
      if (video !== first && !video.ended && Math.abs(video.currentTime - first.currentTime) > FARTHEST) video.currentTime = first.currentTime;
    }
    show();
    if (first.ended || first.error) return stop();
    requestAnimationFrame(follow);
  };
  const show = () => {
    const first = leader();
    if (first.duration) place.value = first.currentTime / first.duration;
    time.textContent = `${first.currentTime.toFixed(1)} s`;
  };

  for (const clip of clips) {
    for (const video of clip.querySelectorAll("video")) {
      video.controls = false;
      const caption = video.closest("figure").querySelector("figcaption");
      const name = make("button", { type: "button", textContent: caption.textContent, title: "Hear this one" });
      name.setAttribute("aria-pressed", "false");
      caption.replaceChildren(name);
      name.addEventListener("click", () => unmute(video));
      video.addEventListener("click", () => unmute(video));
      video.addEventListener("error", () => (caption.title = "This clip could not be loaded."));
    }
  }
  const choose = () => {
    clips.forEach((clip, number) => (clip.hidden = number !== choice.selectedIndex));
    for (const video of videos()) video.preload = "metadata";
    unmute(videos()[0]);
    seek(0);
    show();
  };
  choice.addEventListener("change", () => {
    for (const video of player.querySelectorAll("video")) video.pause();
    button.textContent = "Play";
    choose();
  });
  button.addEventListener("click", () => (playing() ? stop() : start()));
  place.addEventListener("input", () => {
    const first = leader();
    if (first.duration) seek(place.value * first.duration);
    show();
  });
  // nothing is fetched before it can be seen
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    choose();
  }).observe(player);
}
