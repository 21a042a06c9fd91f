"use strict";
// What all drawings share: colours of the scheme, sharp canvases, and the skeleton.

const Drawing = (() => {
  // on the dark stage, in both schemes; the same as in overlay videos
  const STAGE = { calm: "#56b4e9", alert: "#f09628", unknown: "#8c94a0" };
  const FACE_END = 10;
  const FINGERS = new Set([17, 18, 21, 22]);

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  // Match a canvas to its size on the screen; returns a pen that counts in CSS pixels.
  function pen(canvas) {
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, width, height };
  }

  // Landmarks come as x, y in ten-thousandths of the picture and visibility in hundredths.
  // Over the camera they are drawn with the picture they were found in: the next one is there by then.
  function person(canvas, marks, edges, state, picture = null) {
    const { context, width, height } = pen(canvas);
    if (picture) context.drawImage(picture, 0, 0, width, height);
    if (!marks) return;
    const at = (i) => [marks[3 * i] * width / 1e4, marks[3 * i + 1] * height / 1e4];
    const known = (i) => marks[3 * i] > -1e5 && marks[3 * i + 1] > -1e5;
    const sure = (i) => 0.3 + 0.7 * Math.min(1, Math.max(0, marks[3 * i + 2] / 100));
    const bones = edges.filter(([a, b]) =>
      [a, b].every((i) => i > FACE_END && !FINGERS.has(i) && known(i)));
    const trunk = [11, 12, 23, 24].filter(known).map(at);
    let size = 0;
    for (const p of trunk) for (const q of trunk) size = Math.max(size, Math.hypot(p[0] - q[0], p[1] - q[1]));
    const thick = Math.min(7, Math.max(1.8, 0.04 * size));
    const lines = bones.map(([a, b]) => [at(a), at(b), Math.min(sure(a), sure(b))]);
    let head = null;
    if ([0, 7, 8, 11, 12].every(known)) {
      const [nose, left, right, a, b] = [0, 7, 8, 11, 12].map(at);
      const middle = (i) => 0.3 * (left[i] + right[i]) + 0.4 * nose[i];
      head = { x: middle(0), y: middle(1), r: 0.17 * size };
      const neck = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      const length = Math.hypot(head.x - neck[0], head.y - neck[1]);
      if (length > head.r) {
        const share = 1 - head.r / length;
        const end = [neck[0] + (head.x - neck[0]) * share, neck[1] + (head.y - neck[1]) * share];
        lines.push([neck, end, 1]);
      }
    }
    context.lineCap = "round";
    for (const [wider, paint] of [[3, "rgb(10 12 16 / .75)"], [0, STAGE[state]]]) {
      context.strokeStyle = paint;
      context.lineWidth = thick + wider;
      for (const [start, end, alpha] of lines) {
        context.globalAlpha = alpha;
        context.beginPath();
        context.moveTo(...start);
        context.lineTo(...end);
        context.stroke();
      }
      context.globalAlpha = 1;
      if (head) {
        context.beginPath();
        context.arc(head.x, head.y, head.r, 0, 2 * Math.PI);
        context.stroke();
      }
    }
    context.fillStyle = "rgb(255 255 255 / .92)";
    for (const joint of new Set(bones.flat())) {
      context.beginPath();
      context.arc(...at(joint), 0.65 * thick, 0, 2 * Math.PI);
      context.fill();
    }
  }

  function shortened(context, text, room) {
    if (context.measureText(text).width <= room) return text;
    while (text && context.measureText(text + "…").width > room) text = text.slice(0, -1);
    return text + "…";
  }

  // Both plots leave the same room at the left, so that their times stand above each other.
  const gutter = (width) => (width < 560 ? 76 : 118);

  // Seconds between two marks on an axis.
  function tickStep(seconds, width) {
    const most = Math.max(2, width / 80);
    return [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((s) => seconds / s <= most) || 1800;
  }

  const seconds = (time) => `${time.toFixed(1)} s`;
  const FONT = '13px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
  return { colour, pen, person, shortened, gutter, tickStep, seconds, FONT };
})();
