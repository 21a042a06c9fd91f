"use strict";
// The camera: one small picture after the other goes to the program on this computer, and the next
// only when the last was answered, so that nothing piles up.

class Camera {
  constructor(api, video, onMoment, onEnd) {
    Object.assign(this, { api, video, onMoment, onEnd, id: null, stream: null });
    this.small = document.createElement("canvas");
    this.sending = new AbortController(); // what is on its way when the camera stops is for nobody
  }

  async start(rate) {
    if (!navigator.mediaDevices) throw new Error("This browser has no camera for this page.");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: false, video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } },
      });
    } catch (error) {
      throw new Error(error.name === "NotAllowedError"
        ? "The browser may not use the camera. Allow it for this page, and try again."
        : `There is no camera that can be used (${error.name}).`);
    }
    // pulled out, or taken by another program: the last picture would stand there as if it were live
    for (const track of this.stream.getTracks()) {
      track.addEventListener("ended", () => {
        if (!this.stream) return;
        this.stop();
        this.onEnd(new Error("The camera has stopped: it was unplugged, or the browser may no longer use it."));
      });
    }
    try {
      this.video.removeAttribute("src");
      this.video.srcObject = this.stream;
      await this.video.play();
      const session = await this.api("POST", "/api/camera");
      if (!this.stream) { // it ended while it was being started
        this.api("DELETE", `/api/camera/${session.id}`).catch(() => {});
        throw new Error("The camera has stopped.");
      }
      this.id = session.id;
      this.labels = session.labels;
    } catch (error) {
      this.stop();
      throw error;
    }
    this.run(rate ? 1 / rate : 0);
  }

  async run(every) {
    let sent = -Infinity;
    while (this.id) {
      await new Promise((next) => (document.hidden ? setTimeout(next, 200) : requestAnimationFrame(next)));
      const time = performance.now() / 1000;
      if (!this.id || time - sent < every - 0.004) continue;
      const picture = await this.picture();
      if (!picture || !this.id) continue;
      sent = time;
      try {
        const moment = await this.api("POST", `/api/camera/${this.id}?t=${time.toFixed(4)}`, picture,
          { signal: this.sending.signal });
        if (this.id && !moment.late) this.onMoment(moment);
      } catch (error) {
        if (this.id) { this.stop(); this.onEnd(error); }
      }
    }
  }

  picture() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return null;
    const shrink = Math.min(1, 640 / Math.max(width, height));
    [this.small.width, this.small.height] = [Math.round(width * shrink), Math.round(height * shrink)];
    this.small.getContext("2d").drawImage(this.video, 0, 0, this.small.width, this.small.height);
    return new Promise((done) => this.small.toBlob(done, "image/jpeg", 0.85));
  }

  stop() {
    this.sending.abort();
    if (this.id) this.api("DELETE", `/api/camera/${this.id}`, null, { keepalive: true }).catch(() => {});
    this.id = null;
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }
}
