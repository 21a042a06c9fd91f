"use strict";
// The page: choose, wait, see. All text goes in as text, never as HTML.

const token = new URLSearchParams(location.search).get("token") || "";
const $ = (id) => document.getElementById(id);
const page = { model: null, result: null, upload: null, job: null, url: null, camera: null, timer: null };

// --- the server ----------------------------------------------------------------------------------
async function api(method, path, body = null, more = {}) {
  let answer;
  try {
    answer = await fetch(path, { method, body, headers: { "x-skrehab-token": token }, ...more });
  } catch (error) {
    throw new Error("The program on this computer does not answer. Is 'skrehab serve' still running?");
  }
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error || `The program answered ${answer.status}.`);
  return said;
}

// fetch cannot tell how much has been sent, so the video goes by XMLHttpRequest
function send(file) {
  return new Promise((done, fail) => {
    const request = page.upload = new XMLHttpRequest();
    request.open("POST", `/api/videos?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("x-skrehab-token", token);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = (event) => { if (event.lengthComputable) $("progress").value = 0.1 * event.loaded / event.total; };
    request.onload = () => {
      let said = {};
      try { said = JSON.parse(request.responseText); } catch (error) { /* said nothing */ }
      if (request.status === 202) done(said);
      else fail(new Error(said.error || `The program answered ${request.status}.`));
    };
    request.onerror = () => fail(new Error(`${file.name} could not be sent. Is 'skrehab serve' still running?`));
    request.onabort = () => fail(new Error(""));
    request.send(file);
  });
}

// --- sections ------------------------------------------------------------------------------------
function show(section) {
  for (const id of ["choose", "work", "seen"]) $(id).hidden = id !== section;
  $(`${section}-title`).focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function complain(error) {
  const text = error ? error.message : "";
  $("error").hidden = !text;
  $("error").textContent = text;
}

function reset() {
  if (page.upload) page.upload.abort();
  if (page.job) api("DELETE", `/api/videos/${page.job}`).catch(() => {});
  if (page.camera) page.camera.stop();
  clearInterval(page.timer);
  player.end();
  if (page.url) URL.revokeObjectURL(page.url);
  Object.assign(page, { result: null, upload: null, job: null, url: null, camera: null, timer: null });
  $("file").value = "";
  show("choose");
}

// --- a video -------------------------------------------------------------------------------------
async function watch(file) {
  reset();
  complain(null);
  const { maxUpload, suffixes } = page.model;
  if (!suffixes.some((suffix) => file.name.toLowerCase().endsWith(suffix))) {
    return complain(new Error(`${file.name} is not a video that is known here. Choose a file that ends in ${suffixes.join(", ")}.`));
  }
  if (file.size > maxUpload) {
    return complain(new Error(`${file.name} has ${Math.ceil(file.size / 2 ** 20)} MB, more than ${Math.round(maxUpload / 2 ** 20)} MB. Cut the video, or start 'skrehab serve' with a larger --max-upload.`));
  }
  $("work-name").textContent = file.name;
  $("work-step").textContent = "Sending it to the program on this computer";
  $("progress").value = 0;
  show("work");
  try {
    const { id } = await send(file);
    page.upload = null;
    page.job = id;
    const result = await analysed(id);
    if (!result) return null;
    await api("DELETE", `/api/videos/${id}`).catch(() => {});
    page.job = null;
    present(file, result);
  } catch (error) {
    page.upload = page.job = null;
    if (!$("work").hidden) reset();
    complain(error);
  }
  return null;
}

async function analysed(id) {
  for (;;) {
    const job = await api("GET", `/api/videos/${id}`);
    if (page.job !== id) return null; // cancelled
    if (job.state === "failed") throw new Error(job.error);
    if (job.state === "done") return api("GET", `/api/videos/${id}/result`);
    const share = job.total ? Math.min(1, job.done / job.total) : 0;
    $("progress").value = 0.1 + 0.85 * share;
    $("work-step").textContent = job.state === "waiting"
      ? job.ahead ? `Waiting: ${job.ahead} before this one` : "Waiting"
      : share < 1 ? `Finding the movement: ${Math.round(100 * share)} %` : "Almost done";
    await new Promise((next) => setTimeout(next, 250));
  }
}

function present(file, result) {
  page.result = result;
  page.url = URL.createObjectURL(file);
  $("seen-title").textContent = file.name;
  $("again").textContent = "Another one";
  $("picture").classList.remove("mirrored");
  $("picture").style.setProperty("--ratio", result.width / result.height);
  for (const id of ["controls", "verdict-card", "timeline-card"]) $(id).hidden = false;
  $("verdict-card").hidden = !result.verdict;
  $("now-card").hidden = !result.scores;
  $("cue").hidden = false;
  $("cue").removeAttribute("aria-live");
  $("saliency-card").hidden = !result.saliency;
  $("notes").replaceChildren(...result.notes.map((note) => item(note)));
  $("now-note").textContent = "";
  nowBy(result.sameNetwork);
  const { times } = result;
  const end = times[times.length - 1], shown = !!result.scores;
  if (result.verdict) verdict(result);
  timeline.show({
    times, scores: result.scores || times.map(() => 0), cue: result.cue || times.map(() => 0),
    labels: shown ? names(result.labels) : ["", ""], threshold: page.model.rule.on,
  }, times[0], end);
  $("timeline-note").textContent = shown
    ? `Height: how likely “${names(result.labels)[1]}” is. Orange: the cue is on. ${DASHED} Click, drag, or use the arrow keys to go there.`
    : "This model judges whole videos; there is no score for each frame.";
  rows.show(result, end);
  if (result.saliency) {
    saliency.show(result.saliency, times);
    $("saliency-text").textContent = `What weighed most in “${called(result.saliency.label)}”, for the video network: ${saliency.summary()}.`;
  }
  show("seen");
  player.begin(page.url, times);
}

// labels that are numbers have no names: "the movement is 0" would say nothing
const called = (label) => (/^-?\d+$/.test(label) ? `label ${label}` : label);
// a frame has one class, the usual one first; or several labels, and is usual without any
const several = () => page.model.several;
const names = (labels) => (several()
  ? ["usual", labels.map(called).join(" or ")]
  : [called(labels[0]), labels.slice(1).map(called).join(" or ")]);
const saidOf = (labels, cue, on) => (cue && on ? labels.filter((_, k) => on[k]).map(called).join(", ") : names(labels)[cue ? 1 : 0]);

// a timeline a label, under that of all of them
const rows = {
  all: [],

  show(result, end) {
    const shown = several() && result.scores ? result.labels : [];
    this.all = shown.map((label, k) => {
      const canvas = document.createElement("canvas");
      canvas.className = "plot row-of-label";
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${called(label)} over time`);
      const row = new Timeline(canvas, seek);
      row.show({
        times: result.times, scores: result.probabilities.map((values) => values[k]), cue: result.cues[k],
        labels: ["", called(label)], threshold: page.model.rule.on,
      }, result.times[0], end);
      return row;
    });
    $("rows").replaceChildren(...this.all.map((row) => row.canvas));
  },

  draw(time) {
    for (const row of this.all) row.draw(time);
  },
};

function item(text) {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
}

function verdict({ verdict: said, cue, times }) {
  $("verdict").textContent = called(said.label);
  $("verdict").className = `verdict ${said.usual ? "calm" : "alert"}`;
  bars($("verdict-bars"), said.labels, said.probabilities);
  const video = said.source === "video";
  $("verdict-who").textContent = video
    ? "Judged by the video network, which sees the whole video at once."
    : several() ? "Judged by the frame models: of each label the mean of its highest tenth of frames."
    : "Judged by the frame model: the mean of its highest tenth of frames.";
  const whole = times[times.length - 1] - times[0];
  let note = "";
  if (cue) {
    let on = 0;
    for (let i = 1; i < times.length; i += 1) on += cue[i] ? times[i] - times[i - 1] : 0;
    note = `The cue is on for ${on.toFixed(1)} of ${whole.toFixed(1)} seconds.`;
    if (video && said.usual === (on > 0)) {
      note += " The whole and its moments are judged apart, and disagree here: either may be wrong.";
    }
  }
  $("verdict-note").textContent = note;
}

function nowBy(sameNetwork) {
  $("now-who").textContent = `Judged by the ${sameNetwork ? "same network" : "frame model"}, frame by frame.`;
}

function bars(box, labels, values) {
  if (box.childElementCount !== 3 * labels.length || box.dataset.labels !== labels.join("\n")) {
    box.dataset.labels = labels.join("\n");
    box.replaceChildren(...labels.flatMap((label, i) => {
      const [name, bar, number] = ["span", "div", "span"].map((tag) => document.createElement(tag));
      name.textContent = called(label);
      bar.className = i || several() ? "bar" : "bar calm";
      bar.append(document.createElement("i"));
      number.className = "number";
      return [name, bar, number];
    }));
  }
  labels.forEach((label, i) => {
    const value = values ? values[i] : null;
    box.children[3 * i + 1].firstChild.style.width = `${100 * (value || 0)}%`;
    box.children[3 * i + 2].textContent = percent(value);
  });
}

function percent(value) {
  if (value === null) return "–";
  return value > 0.995 ? "> 99 %" : value < 0.005 ? "< 1 %" : `${Math.round(100 * value)} %`;
}

function cueIs(state, word) {
  $("cue").className = `cue ${state}`;
  if ($("cue-word").textContent !== word) $("cue-word").textContent = word;
}

// --- playing -------------------------------------------------------------------------------------
// The clock is the video's where the browser can play it, else one of our own: a browser knows
// fewer kinds of video than the program does, and the skeleton is there all the same.
const player = {
  times: null, own: false, time: 0, playing: false, rate: 1, loop: 0,

  begin(url, times) {
    this.end();
    Object.assign(this, { times, own: false, time: times[0], playing: false });
    const video = $("video");
    video.onerror = () => {
      if (!this.times || page.camera) return;
      this.own = true;
      $("notes").append(item("This browser cannot play this kind of video, so the skeleton is shown alone."));
      this.draw();
    };
    video.onloadeddata = () => { video.currentTime = Math.max(0, times[0]) + 1e-3; };
    video.onseeked = () => this.draw();
    video.onended = () => this.pause();
    video.src = url;
    video.playbackRate = this.rate;
    $("play").textContent = "Play";
    this.draw();
  },

  end() {
    this.pause();
    this.times = null;
    const video = $("video");
    video.onerror = video.onloadeddata = video.onseeked = video.onended = null;
    video.removeAttribute("src");
    video.load();
  },

  now() {
    return this.own || $("video").readyState < 1 ? this.time : $("video").currentTime;
  },

  play() {
    const last = this.times[this.times.length - 1];
    if (this.now() >= last - 0.05) this.seek(this.times[0]);
    this.playing = true;
    this.stamp = performance.now();
    $("play").textContent = "Pause";
    if (!this.own) $("video").play().catch(() => this.pause());
    cancelAnimationFrame(this.loop);
    const tick = (stamp) => {
      if (!this.playing) return;
      if (this.own) {
        this.time += this.rate * (stamp - this.stamp) / 1000;
        this.stamp = stamp;
        if (this.time >= last) { this.time = last; this.pause(); }
      }
      this.draw();
      this.loop = requestAnimationFrame(tick);
    };
    this.loop = requestAnimationFrame(tick);
  },

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.loop);
    $("video").pause();
    $("play").textContent = "Play";
    if (this.times) this.draw();
  },

  seek(time) {
    this.time = time;
    // a little after the start of a frame: rounding must not show the one before
    if (!this.own && $("video").readyState >= 1) $("video").currentTime = time + 1e-3;
    this.draw(time);
  },

  draw(time = this.now()) {
    const { result } = page;
    if (!result || !this.times) return;
    if (!this.own) this.time = time;
    const { times } = this;
    let i = Timeline.nearest(times, time);
    if (times[i] > time + 2e-3 && i) i -= 1; // a frame is shown until the next one starts
    const last = times[times.length - 1];
    const seen = !!result.landmarks[i];
    const on = result.cue && result.cue[i];
    const state = !seen ? "unknown" : on ? "alert" : "calm";
    Drawing.person($("skeleton"), result.landmarks[i], page.model.edges, state);
    if (result.scores) {
      cueIs(state, !seen ? "nobody seen" : saidOf(result.labels, on, result.cues && result.cues.map((cue) => cue[i])));
      bars($("now-bars"), result.labels, seen ? result.probabilities[i] : null);
    } else {
      cueIs(seen ? "calm" : "unknown", seen ? "" : "nobody seen");
    }
    const shown = Math.min(Math.max(time, times[0]), last);
    $("time").textContent = `${shown.toFixed(1)} / ${last.toFixed(1)} s`;
    timeline.draw(shown);
    rows.draw(shown);
    $("timeline").setAttribute("aria-valuenow", shown.toFixed(2));
    $("timeline").setAttribute("aria-valuetext", `${Drawing.seconds(shown)}, ${$("cue-word").textContent}`);
    if (result.saliency) saliency.draw(shown, times[0], last);
    $("seen").dataset.frame = i;
  },
};

// --- the camera ----------------------------------------------------------------------------------
const SHOWN_SECONDS = 20;
const CAMERA_NOTE = $("camera-note").textContent;
const DASHED = "Dashed: where the cue switches on. Grey stripes: nobody seen.";

async function useCamera() {
  reset();
  complain(null);
  const past = { times: [], scores: [], cue: [], labels: ["", ""], threshold: page.model.rule.on };
  const camera = new Camera(api, $("video"), (moment) => {
    past.times.push(moment.t);
    past.scores.push(moment.seen ? moment.score : null);
    past.cue.push(moment.cue);
    while (moment.t - past.times[0] > SHOWN_SECONDS + 1) for (const list of [past.times, past.scores, past.cue]) list.shift();
    const state = !moment.seen ? "unknown" : moment.cue ? "alert" : "calm";
    Drawing.person($("skeleton"), moment.landmarks, page.model.edges, state, camera.small);
    cueIs(state, !moment.seen ? "nobody seen" : saidOf(camera.labels, moment.cue, several() && moment.cues));
    bars($("now-bars"), camera.labels, moment.probabilities);
    $("time").textContent = `judged in ${Math.round(moment.latency_ms)} ms`;
    $("now-note").textContent = `${past.times.length > 9 ? Math.round(9 / (moment.t - past.times[past.times.length - 10])) : "–"} pictures a second`;
    past.origin = moment.t;
    timeline.show(past, moment.t - SHOWN_SECONDS, moment.t);
    timeline.draw(moment.t);
    $("seen").dataset.moments = past.times.length;
  }, (error) => { reset(); complain(error); });
  try {
    page.camera = camera;
    $("camera-button").disabled = true;
    $("camera-note").textContent = "If the browser asks, allow the camera.";
    await camera.start(page.model.cameraRate);
  } catch (error) {
    page.camera = null;
    return complain(error);
  } finally {
    $("camera-button").disabled = page.model.camera !== null;
    $("camera-note").textContent = CAMERA_NOTE;
  }
  past.labels = names(camera.labels);
  nowBy(false);
  timeline.show(past, -SHOWN_SECONDS, 0);
  $("seen-title").textContent = "Camera";
  $("again").textContent = "Stop";
  $("picture").classList.add("mirrored");
  $("picture").style.setProperty("--ratio", $("video").videoWidth / $("video").videoHeight || 1.33);
  for (const id of ["controls", "verdict-card", "saliency-card"]) $(id).hidden = true;
  $("rows").replaceChildren();
  for (const id of ["now-card", "timeline-card", "cue"]) $(id).hidden = false;
  $("cue").setAttribute("aria-live", "polite");
  $("notes").replaceChildren();
  $("timeline-note").textContent = `The last ${SHOWN_SECONDS} seconds. Orange: the cue is on. ${DASHED} Nothing is recorded.`;
  for (const name of ["aria-valuenow", "aria-valuetext"]) $("timeline").removeAttribute(name);
  cueIs("unknown", "…");
  show("seen");
  return null;
}

// --- start ---------------------------------------------------------------------------------------
const seek = (time) => { if (page.result) { player.pause(); player.seek(time); } };
const timeline = new Timeline($("timeline"), seek);
const saliency = new SaliencyMap($("saliency"), $("saliency-point"), seek);

$("file").addEventListener("change", () => $("file").files[0] && watch($("file").files[0]));
$("camera-button").addEventListener("click", useCamera);
$("cancel").addEventListener("click", reset);
$("again").addEventListener("click", () => { complain(null); reset(); });
$("play").addEventListener("click", () => (player.playing ? player.pause() : player.play()));
$("slow").addEventListener("click", () => {
  player.rate = player.rate === 1 ? 0.5 : 1;
  $("video").playbackRate = player.rate;
  $("slow").setAttribute("aria-pressed", player.rate !== 1);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || !page.result || event.target.closest("button, input, label")) return;
  event.preventDefault();
  if (player.playing) player.pause(); else player.play();
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // else a video that misses the box opens in the browser
    document.body.classList.toggle("dropping", kind === "dragover" && !$("choose").hidden);
    if (kind === "drop" && !$("choose").hidden && event.dataTransfer.files[0]) watch(event.dataTransfer.files[0]);
  });
}
const redraw = () => page.result && player.draw();
window.addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
window.addEventListener("pagehide", () => {
  if (page.camera) page.camera.stop();
  if (page.job) api("DELETE", `/api/videos/${page.job}`, null, { keepalive: true }).catch(() => {});
});

(async () => {
  try {
    const model = page.model = await api("GET", "/api/model");
    $("title").textContent = model.title;
    document.title = `${model.title} · skrehab`;
    $("version").textContent = `skrehab ${model.version}`;
    const [usual, other] = names(model.labels);
    $("calm-name").textContent = usual;
    $("alert-name").textContent = other;
    $("file").accept = [...model.suffixes, "video/*"].join(",");
    $("limits").textContent = `or drop it here, up to ${Math.round(model.maxUpload / 2 ** 20)} MB`;
    $("camera-button").disabled = model.camera !== null;
    if (model.camera) $("camera-note").textContent = model.camera;
    document.body.dataset.ready = "yes";
  } catch (error) {
    complain(error);
  }
})();
