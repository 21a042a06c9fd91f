"use strict";
// Label trials by keys alone; every change goes to the manifest at once.

const token = new URLSearchParams(location.search).get("token") || "";
const $ = (id) => document.getElementById(id);
const page = { labels: [], trials: [], at: 0, start: null, rate: 1, saving: Promise.resolve() };
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#5d6b78", "#a8215c"];
const FRAME = 1 / 30;

async function api(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, { method, body, headers: { "x-skrehab-token": token } });
  } catch (error) {
    throw new Error("The program on this computer does not answer, so nothing is saved. Is 'skrehab serve' still running?");
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error || `The program answered ${answer.status}.`);
  return said;
}

function complain(error) {
  const text = error ? error.message : "";
  $("error").hidden = !text;
  $("error").textContent = text;
}

const trial = () => page.trials[page.at];
const video = () => $("video");
const seconds = (t) => `${t.toFixed(2)} s`;
const own = (tag, text, name) => {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  return element;
};

// --- saving --------------------------------------------------------------------------------------
// one change after the other: the answer to an early one must not undo a later one
function save(change) {
  const number = page.at;
  Object.assign(page.trials[number], change);
  draw();
  complain(null);  // now, not with the answer: what is said until then is of something else
  $("saved").textContent = "Saving …";
  page.saving = page.saving.then(async () => {
    try {
      await api("PUT", `/api/trials/${number}`, JSON.stringify(change));
      $("saved").textContent = "Saved.";
    } catch (error) {
      complain(error);
      $("saved").textContent = "Not saved.";
      const fresh = await api("GET", "/api/trials").catch(() => null);
      if (fresh) { page.trials[number] = fresh.trials[number]; draw(); }
    }
  });
  return page.saving;
}

// --- showing -------------------------------------------------------------------------------------
function open(number) {
  page.at = (number + page.trials.length) % page.trials.length;
  page.start = null;
  const film = video();
  film.pause();
  if (trial().video) {
    film.src = `/videos/${page.at}?token=${encodeURIComponent(token)}`;
    film.playbackRate = page.rate;
  } else {
    film.removeAttribute("src");
    film.load();
  }
  complain(trial().video ? null : new Error(`${trial().trial} has no video here: the manifest needs a column “video”, or a video as its path.`));
  $("saved").textContent = "";
  draw();
}

function draw() {
  const { trials, labels } = page;
  const done = trials.filter((one) => one.label).length;
  $("trial").textContent = trial().trial;
  $("progress").textContent = `${page.at + 1} of ${trials.length}, ${done} labelled`;
  if (document.activeElement !== $("patient")) $("patient").value = trial().patient;
  [...$("keys").children].forEach((item, k) => item.firstChild.setAttribute("aria-pressed", trial().label === labels[k]));
  const segments = trial().intervals;
  $("segments").replaceChildren(...segments.map(([start, stop, label]) => own("li", `${seconds(start)} – ${seconds(stop)}  ${label}`)));
  $("segments-note").hidden = segments.length > 0;
  $("mark").textContent = page.start === null ? "" : `${labels.length > 2 ? "a segment" : labels[1]} from ${seconds(page.start)} …`;
  $("label").dataset.trial = page.at;
  strip();
  clock();
}

function strip() {
  const end = video().duration || Math.max(1, ...trial().intervals.map((one) => one[1]));
  const picture = $("strip"), rects = [];
  const bar = (from, to, colour, opacity) => {
    const rect = document.createElementNS(picture.namespaceURI, "rect");
    const box = { x: 1000 * from / end, y: 0, width: Math.max(2, 1000 * (to - from) / end), height: 10, fill: colour, "fill-opacity": opacity };
    for (const [name, value] of Object.entries(box)) rect.setAttribute(name, value);
    rects.push(rect);
  };
  bar(0, end, "#808890", 0.2);
  for (const [start, stop, label] of trial().intervals) bar(start, stop, COLOURS[Math.max(0, page.labels.indexOf(label))], 0.9);
  if (page.start !== null) bar(page.start, Math.max(page.start, video().currentTime), COLOURS[1], 0.45);
  bar(video().currentTime, video().currentTime, "#808890", 1);
  picture.replaceChildren(...rects);
}

function clock() {
  const film = video();
  $("time").textContent = film.duration ? `${film.currentTime.toFixed(2)} / ${film.duration.toFixed(2)} s` : "";
}

// --- doing ---------------------------------------------------------------------------------------
function end(label) {
  const stop = video().currentTime;
  if (stop <= page.start) return complain(new Error("A segment ends after it starts: go on in the video first."));
  const clash = trial().intervals.find(([a, b, other]) => a < stop && b > page.start && other !== label);
  if (clash) return complain(new Error(`It would overlap “${clash[2]}” from ${seconds(clash[0])}. Take that back first (Backspace).`));
  const start = page.start;
  page.start = null;
  complain(null);
  return save({ intervals: [...trial().intervals, [start, stop, label]].sort((a, b) => a[0] - b[0]) });
}

function digit(k) {
  if (k >= page.labels.length) return;
  if (page.start !== null) end(page.labels[k]);
  else save({ label: trial().label === page.labels[k] ? "" : page.labels[k] });
}

function back() {
  if (page.start !== null) { page.start = null; return draw(); }
  const { intervals } = trial();
  return intervals.length ? save({ intervals: intervals.slice(0, -1) }) : null;
}

function next() {
  const n = page.trials.length;
  for (let step = 1; step <= n; step += 1) {
    if (!page.trials[(page.at + step) % n].label) return open(page.at + step);
  }
  return open(page.at + 1);
}

function go(by) {
  const film = video();
  if (!film.duration) return;
  film.pause();
  film.currentTime = Math.min(film.duration, Math.max(0, film.currentTime + by));
}

const KEYS = {
  " ": () => (video().paused ? video().play().catch(() => {}) : video().pause()),
  ArrowRight: (event) => go(event.shiftKey ? 1 : FRAME),
  ArrowLeft: (event) => go(event.shiftKey ? -1 : -FRAME),
  Home: () => go(-Infinity),
  End: () => go(Infinity),
  i: () => { page.start = video().currentTime; complain(null); draw(); },
  o: () => (page.start === null ? complain(new Error("No segment is open: I starts one.")) : end(trial().label && trial().label !== page.labels[0] ? trial().label : page.labels[1])),
  Backspace: back,
  Delete: back,
  Enter: next,
  n: () => open(page.at + 1),
  b: () => open(page.at - 1),
  p: () => { $("patient").focus(); $("patient").select(); },
  s: () => { page.rate = page.rate === 1 ? 0.5 : 1; video().playbackRate = page.rate; },
};

document.addEventListener("keydown", (event) => {
  if (!page.trials.length || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === $("patient")) {
    if (event.key === "Enter" || event.key === "Escape") { event.preventDefault(); $("patient").blur(); $("trial").focus({ preventScroll: true }); }
    return;
  }
  if (event.target.closest("button") && (event.key === " " || event.key === "Enter")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (/^[1-9]$/.test(key)) { event.preventDefault(); digit(Number(key) - 1); return; }
  if (!KEYS[key]) return;
  event.preventDefault(); // else Space scrolls and Backspace leaves the page
  KEYS[key](event);
});
$("patient").addEventListener("change", () => save({ patient: $("patient").value.trim() }));
for (const name of ["timeupdate", "seeked", "loadedmetadata"]) {
  video().addEventListener(name, () => { if (page.trials.length) { strip(); clock(); } });
}
video().addEventListener("loadedmetadata", () => {
  $("picture").style.setProperty("--ratio", video().videoWidth / video().videoHeight || 1.33);
});
video().addEventListener("error", () => {
  if (video().getAttribute("src")) complain(new Error("This browser cannot play this kind of video. Convert it to .mp4 (H.264), or name a copy in the column “video”."));
});

(async () => {
  try {
    const said = await api("GET", "/api/trials");
    Object.assign(page, { labels: said.labels, trials: said.trials });
    $("manifest").textContent = said.manifest;
    $("version").textContent = `skrehab ${said.version}`;
    $("keys").replaceChildren(...said.labels.map((label, k) => {
      const item = document.createElement("li"), button = own("button", "", "button");
      button.type = "button";
      button.append(own("kbd", String(k + 1)), own("span", label));
      button.addEventListener("click", () => { digit(k); button.blur(); });
      item.append(button);
      return item;
    }));
    const first = page.trials.findIndex((one) => !one.label);
    open(first < 0 ? 0 : first);
    document.body.dataset.ready = "yes";
  } catch (error) {
    complain(error);
  }
})();
