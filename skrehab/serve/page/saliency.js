"use strict";
// Landmarks x frames: where the network that judged the whole video looked, and when.

class SaliencyMap {
  constructor(canvas, point, seek) {
    Object.assign(this, { canvas, point, seek, data: null, resting: point.textContent });
    canvas.addEventListener("pointermove", (event) => this.name(event));
    canvas.addEventListener("pointerleave", () => { this.point.textContent = this.resting; });
    canvas.addEventListener("click", (event) => {
      const hit = this.hit(event);
      if (hit) this.seek(this.data.times[hit.frame]);
    });
  }

  // saliency: rows (name, part), values (base64, one byte each); times of the frames
  show(saliency, times) {
    const bytes = Uint8Array.from(atob(saliency.values), (letter) => letter.charCodeAt(0));
    const groups = [];
    saliency.rows.forEach((row, i) => {
      const group = groups[groups.length - 1];
      if (group && group.part === row.part) group.end = i + 1;
      else groups.push({ part: row.part, start: i, end: i + 1 });
    });
    this.data = { rows: saliency.rows, bytes, times, groups };
    this.picture = null;
    this.canvas.setAttribute("aria-label", this.summary());
  }

  // The body parts and the moment with the most weight, in words.
  summary() {
    const { rows, bytes, times, groups } = this.data;
    const n = times.length;
    const mean = (start, end) => {
      let sum = 0;
      for (let k = start * n; k < end * n; k += 1) sum += bytes[k];
      return sum / (end - start);
    };
    // a skeleton whose parts are not known is one group: then single landmarks are named
    const known = groups.length > 1;
    const weights = (known ? groups : rows.map((row, i) => ({ part: row.name, start: i, end: i + 1 })))
      .map(({ part, start, end }) => ({ part, weight: mean(start, end) }))
      .sort((a, b) => b.weight - a.weight);
    let best = 0, most = -1;
    for (let t = 0; t < n; t += 1) {
      let sum = 0;
      for (let i = 0; i < rows.length; i += 1) sum += bytes[i * n + t];
      if (sum > most) [most, best] = [sum, t];
    }
    const [first, second] = weights.map((one) => (known ? `the ${one.part}` : one.part));
    return `${first}${second ? `, then ${second}` : ""}; above all around ${Drawing.seconds(times[best])}`;
  }

  paint() {
    const { rows, bytes, times } = this.data;
    const ramp = ["low", "middle", "high"].map((name) => {
      const hex = Drawing.colour(name);
      return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
    });
    this.ramp = ramp.flat().join();
    const picture = document.createElement("canvas");
    [picture.width, picture.height] = [times.length, rows.length];
    const context = picture.getContext("2d");
    const image = context.createImageData(times.length, rows.length);
    for (let i = 0; i < bytes.length; i += 1) {
      const level = (bytes[i] / 255) ** 0.7 * 2; // shows what is faint, too
      const k = Math.min(1, Math.floor(level));
      for (let c = 0; c < 3; c += 1) {
        image.data[4 * i + c] = ramp[k][c] + (level - k) * (ramp[k + 1][c] - ramp[k][c]);
      }
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    this.picture = picture;
  }

  draw(now, start, end) {
    const { context, width, height } = Drawing.pen(this.canvas);
    if (!this.data || width < 50) return;
    const { times, groups, rows } = this.data;
    const scheme = ["low", "middle", "high"].map(Drawing.colour).join();
    if (!this.picture || this.scheme !== scheme) { this.paint(); this.scheme = scheme; }
    const left = Drawing.gutter(width), right = width - 8, top = 8, bottom = height - 26, gap = 5;
    const unit = (bottom - top - gap * (groups.length - 1)) / rows.length;
    const muted = Drawing.colour("muted");
    this.place = { left, right, top, unit, gap, start, end };
    context.imageSmoothingEnabled = times.length > 2 * (right - left);
    context.font = Drawing.FONT;
    context.textAlign = "right";
    context.textBaseline = "middle";
    groups.forEach((group, g) => {
      const y = top + group.start * unit + g * gap, tall = (group.end - group.start) * unit;
      context.drawImage(this.picture, 0, group.start, times.length, group.end - group.start, left, y, right - left, tall);
      context.fillStyle = muted;
      context.fillText(Drawing.shortened(context, group.part, left - 12), left - 8, y + tall / 2);
    });
    Timeline.axis(context, start, end, left, right, bottom, { muted });
    const x = left + (now - start) / (end - start) * (right - left);
    context.fillStyle = Drawing.colour("ink");
    context.fillRect(x - 1, top - 4, 2, bottom - top + 8);
  }

  hit(event) {
    if (!this.place) return null;
    const box = this.canvas.getBoundingClientRect();
    const { left, right, top, unit, gap, start, end } = this.place;
    const share = (event.clientX - box.left - left) / (right - left);
    if (share < 0 || share > 1) return null;
    const frame = Timeline.nearest(this.data.times, start + share * (end - start));
    const y = event.clientY - box.top - top;
    for (const [g, group] of this.data.groups.entries()) {
      const row = Math.floor((y - g * gap) / unit);
      if (row >= group.start && row < group.end) return { frame, row };
    }
    return null;
  }

  name(event) {
    const hit = this.hit(event);
    this.point.textContent = hit
      ? `${this.data.rows[hit.row].name}, ${Drawing.seconds(this.data.times[hit.frame])}`
      : this.resting;
  }
}
