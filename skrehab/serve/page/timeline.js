"use strict";
// The probability of each frame over time: its height is the probability, its colour the cue.

class Timeline {
  constructor(canvas, seek) {
    this.canvas = canvas;
    this.seek = seek;
    this.data = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.data || !this.seek) return;
      canvas.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.goTo(event);
    });
    canvas.addEventListener("pointermove", (event) => this.dragging && this.goTo(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => { this.dragging = false; });
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  // data: times, scores (null where nobody is seen), cue, labels [usual, other], threshold, and the
  // time that is called 0 (origin)
  show(data, start, end) {
    Object.assign(this, { data, start, end: Math.max(end, start + 1e-3) });
    if (this.seek) {
      this.canvas.setAttribute("aria-valuemin", start.toFixed(2));
      this.canvas.setAttribute("aria-valuemax", this.end.toFixed(2));
    }
  }

  goTo(event) {
    const x = event.clientX - this.canvas.getBoundingClientRect().left;
    const share = (x - this.left) / (this.right - this.left);
    this.seek(this.start + Math.min(1, Math.max(0, share)) * (this.end - this.start));
  }

  key(event) {
    if (!this.data || !this.seek) return;
    const { times } = this.data;
    // the frame that is shown, not the nearest one, from which a step would leave one out
    let i = Timeline.nearest(times, this.now);
    if (times[i] > this.now + 2e-3 && i) i -= 1;
    const last = times.length - 1;
    const to = {
      ArrowRight: times[Math.min(last, i + 1)], ArrowUp: times[Math.min(last, i + 1)],
      ArrowLeft: times[Math.max(0, i - 1)], ArrowDown: times[Math.max(0, i - 1)],
      PageUp: Math.min(this.end, this.now + 1), PageDown: Math.max(this.start, this.now - 1),
      Home: this.start, End: this.end,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.seek(to);
  }

  static nearest(times, time) {
    let low = 0, high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= time) low = middle; else high = middle - 1;
    }
    return low + 1 < times.length && times[low + 1] - time < time - times[low] ? low + 1 : low;
  }

  draw(now) {
    this.now = now;
    const { context, width, height } = Drawing.pen(this.canvas);
    if (!this.data || width < 50) return;
    const { times, scores, cue, labels, threshold } = this.data;
    const left = this.left = Drawing.gutter(width), right = this.right = width - 8;
    const top = 12, bottom = height - 26;
    const x = (t) => left + (t - this.start) / (this.end - this.start) * (right - left);
    const y = (p) => bottom - p * (bottom - top);
    const colours = {};
    for (const name of ["calm", "alert", "unknown", "soft", "muted", "ink", "line"]) colours[name] = Drawing.colour(name);

    context.fillStyle = colours.soft;
    context.fillRect(left, top, right - left, bottom - top);
    if (times.length) this.area(context, { times, scores, cue, left, right, top, bottom, y, colours, now });

    context.strokeStyle = colours.muted;
    context.globalAlpha = 0.7;
    context.setLineDash([4, 4]);
    context.beginPath();
    context.moveTo(left, y(threshold));
    context.lineTo(right, y(threshold));
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;

    context.font = Drawing.FONT;
    context.fillStyle = colours.muted;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillText(Drawing.shortened(context, labels[1], left - 12), left - 8, top + 8);
    context.fillText(Drawing.shortened(context, labels[0], left - 12), left - 8, bottom - 7);
    Timeline.axis(context, this.start, this.end, left, right, bottom, colours, this.data.origin);

    if (now >= this.start && now <= this.end) {
      context.fillStyle = colours.ink;
      context.fillRect(x(now) - 1, top - 6, 2, bottom - top + 10);
      context.beginPath();
      context.arc(x(now), top - 6, 4.5, 0, 2 * Math.PI);
      context.fill();
    }
  }

  // One column for each pixel of the screen; what is still to come is fainter.
  area(context, { times, scores, cue, left, right, top, bottom, y, colours, now }) {
    const step = 1 / (window.devicePixelRatio || 1);
    const gap = 3 * (times[times.length - 1] - times[0]) / Math.max(1, times.length - 1) + 0.2;
    let before = null;
    for (let column = left; column < right; column += step) {
      const t = this.start + (column - left) / (right - left) * (this.end - this.start);
      const i = Timeline.nearest(times, t);
      if (Math.abs(times[i] - t) > gap) { before = null; continue; }
      context.globalAlpha = t <= now ? 1 : 0.45;
      if (scores[i] === null) {
        context.fillStyle = colours.unknown;
        if (Math.floor(column) % 7 < 1) context.fillRect(column, top, step, bottom - top);
        before = null;
        continue;
      }
      const j = times[i] <= t ? Math.min(i + 1, times.length - 1) : Math.max(i - 1, 0);
      const share = times[j] === times[i] ? 0 : Math.min(1, Math.max(0, (t - times[i]) / (times[j] - times[i])));
      const score = scores[j] === null ? scores[i] : scores[i] + share * (scores[j] - scores[i]);
      const edge = y(score);
      context.fillStyle = cue[i] ? colours.alert : colours.calm;
      const alpha = context.globalAlpha;
      context.globalAlpha = alpha * 0.5;
      context.fillRect(column, edge, step, bottom - edge);
      context.globalAlpha = alpha;
      const from = before === null ? edge : Math.min(edge, before);
      const to = before === null ? edge : Math.max(edge, before);
      context.fillRect(column, from - 1, step, to - from + 2.2);
      before = edge;
    }
    context.globalAlpha = 1;
  }

  static axis(context, start, end, left, right, bottom, colours, origin = 0) {
    const every = Drawing.tickStep(end - start, right - left);
    context.fillStyle = colours.muted;
    context.textBaseline = "top";
    context.textAlign = "center";
    const first = Math.ceil((start - origin) / every - 1e-6);
    for (let k = first; k * every <= end - origin + 1e-6; k += 1) {
      const t = k * every, at = left + (t + origin - start) / (end - start) * (right - left);
      context.fillRect(at - 0.5, bottom, 1, 4);
      const text = every < 1 ? t.toFixed(1) : t.toFixed(0);
      if (at < right - 12) context.fillText(k === first ? `${text} s` : text, at, bottom + 7);
    }
  }
}
