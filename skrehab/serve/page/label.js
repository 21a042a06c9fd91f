"use strict";
// Label trials by keys alone; every change goes to the manifest at once.

const token = new URLSearchParams(location.search).get("token") || "";
const $ = (id) => document.getElementById(id);
const page = { labels: [], trials: [], known: [], at: 0, pending: 0, start: null, rate: 1, saving: Promise.resolve() };
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#5d6b78", "#a8215c"];
const FRAME = 1 / 30;
// what is typed, with what is offered beside what stands in other rows
const FIELDS = { patient: [], exercise: [], side: ["left", "right"] };

async function api(method, path, body, more = {}) {
  let answer;
  try {
    answer = await fetch(path, { method, body, headers: { "x-skrehab-token": token }, ...more });
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
// What the file is known to hold is kept beside what is shown: it goes with each change, so that a
// window which has not seen another one's work cannot write over it.
function take(said) {
  const name = page.trials.length ? trial().trial : null;
  page.trials = said.trials;
  page.known = structuredClone(said.trials);
  if (name === null || trial()?.trial === name) return;
  page.at = Math.max(0, page.trials.findIndex((one) => one.trial === name));
}

function body(number, name, change) {
  const known = page.known[number], was = { trial: name };
  if (known?.trial !== name) throw new Error(`The rows were moved by another program, so the change of ${name} was not saved.`);
  for (const name of Object.keys(change)) was[name] = known[name];
  return JSON.stringify({ ...change, was });
}

// one change after the other: the answer to an early one must not undo a later one
function save(change) {
  const number = page.at, name = trial().trial;
  page.pending += 1;
  Object.assign(page.trials[number], change);
  draw();
  complain(null);  // now, not with the answer: what is said until then is of something else
  $("saved").textContent = "Saving …";
  page.saving = page.saving.then(async () => {
    try {
      page.known[number] = await api("PUT", `/api/trials/${number}`, body(number, name, change));
      if (page.pending === 1) { page.trials[number] = structuredClone(page.known[number]); draw(); }
      $("saved").textContent = change.label === "" ? "Saved: no label." : "Saved.";
    } catch (error) {
      complain(error);
      $("saved").textContent = "Not saved.";
      const fresh = await api("GET", "/api/trials").catch(() => null);
      // what is not saved must not look as if it were
      const shown = trial().trial;
      take(fresh || { trials: structuredClone(page.known) });
      if (trial().trial === shown) draw();
      else { for (const field in FIELDS) $(field).value = trial()[field]; open(page.at, error); }
    }
    page.pending -= 1;
  });
  return page.saving;
}

// --- showing -------------------------------------------------------------------------------------
function open(number, error = null) {
  for (const field in FIELDS) { $(field).blur(); keep(field); } // what is typed belongs to the trial that is left
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
  if (error) complain(error);
  else complain(trial().video ? null : new Error(`${trial().trial} has no video here: the manifest needs a column “video”, or a video as its path.`));
  $("saved").textContent = "";
  draw();
}

function draw() {
  const { trials, labels } = page;
  const done = trials.filter((one) => one.label).length;
  const anonymous = trials.filter((one) => !one.patient).length;
  $("trial").textContent = trial().trial;
  $("progress").textContent = `${page.at + 1} of ${trials.length}, ${done} labelled${anonymous ? `, ${anonymous} without a patient` : ""}`;
  $("back").disabled = $("next").disabled = trials.length < 2;
  $("segment").textContent = page.start === null ? "Start a segment" : "End the segment";
  for (const [field, offered] of Object.entries(FIELDS)) {
    const known = new Set([...trials.map((one) => one[field]), ...offered].filter(Boolean));
    $(`${field}-known`).replaceChildren(...[...known].map((name) => Object.assign(document.createElement("option"), { value: name })));
    if (document.activeElement !== $(field)) $(field).value = trial()[field];
  }
  $("done").hidden = done < trials.length || anonymous > 0;
  [...$("keys").children].forEach((item, k) => item.firstChild.setAttribute("aria-pressed", trial().label === labels[k]));
  const segments = trial().intervals;
  $("segments").replaceChildren(...segments.map(([start, stop, label], k) => {
    const item = own("li", `${seconds(start)} – ${seconds(stop)}  ${label}`), button = own("button", "Remove", "button");
    button.type = "button";
    button.setAttribute("aria-label", `Remove ${label} from ${seconds(start)}`);
    button.addEventListener("click", () => save({ intervals: trial().intervals.filter((_, other) => other !== k) }));
    item.append(button);
    return item;
  }));
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
  for (const lacks of [(one) => !one.label, (one) => !one.patient]) {
    for (let step = 1; step < n; step += 1) {
      if (lacks(page.trials[(page.at + step) % n])) return open(page.at + step);
    }
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
  p: () => $("patient").select(),
  e: () => $("exercise").select(),
  s: () => { page.rate = page.rate === 1 ? 0.5 : 1; video().playbackRate = page.rate; },
};

document.addEventListener("keydown", (event) => {
  if (!page.trials.length || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.id in FIELDS) {
    if (event.key === "Enter" || event.key === "Escape") { event.preventDefault(); event.target.blur(); $("trial").focus({ preventScroll: true }); }
    return;
  }
  if (event.target.closest("button") && (event.key === " " || event.key === "Enter")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (/^[1-9]$/.test(key)) { event.preventDefault(); digit(Number(key) - 1); return; }
  if (!KEYS[key]) return;
  event.preventDefault(); // else Space scrolls and Backspace leaves the page
  KEYS[key](event);
});

// --- what is typed: kept while it is, as a page that is closed leaves no field
const typed = (field) => $(field).value.replace(/\p{C}/gu, "").trim(); // pasted names have marks that cannot be seen
const waiting = {};
function keep(field) {
  clearTimeout(waiting[field]);
  if (page.trials.length && document.body.dataset.ready && typed(field) !== trial()[field]) save({ [field]: typed(field) });
}
for (const field in FIELDS) {
  $(field).addEventListener("input", () => { clearTimeout(waiting[field]); waiting[field] = setTimeout(() => keep(field), 600); });
  $(field).addEventListener("change", () => keep(field));
}
window.addEventListener("pagehide", () => {
  if (!page.trials.length) return;
  const change = {};
  for (const field in FIELDS) if (typed(field) !== trial()[field]) change[field] = typed(field);
  if (!Object.keys(change).length) return;
  api("PUT", `/api/trials/${page.at}`, body(page.at, trial().trial, change), { keepalive: true }).catch(() => {});
});

// --- the same by mouse or finger
const segment = (event) => (page.start === null ? KEYS.i(event) : KEYS.o(event));
for (const [name, act] of Object.entries({ play: KEYS[" "], segment, back: KEYS.b, next: KEYS.n })) {
  $(name).addEventListener("click", (event) => { act(event); $(name).blur(); });
}
for (const name of ["play", "pause"]) {
  video().addEventListener(name, () => { $("play").textContent = video().paused ? "Play" : "Stop"; });
}
$("strip").addEventListener("click", (event) => {
  const box = $("strip").getBoundingClientRect();
  if (video().duration) { video().pause(); video().currentTime = video().duration * (event.clientX - box.left) / box.width; }
});
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
    page.labels = said.labels;
    take(said);
    $("done").textContent = `All are labelled. Next: skrehab check ${said.manifest} --normal-label "${said.labels[0]}", then skrehab train with the same.`;
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
