// The live view: frames go to the worker one at a time, and the newest is taken when it is free.

const SMOOTHING = 0.8; // of the rate: how much of the last value stays

function endTracks(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export class Camera {
  /**
   * @param {import("./client.js").Client} client
   * @param {{onFrame: Function, onStop: (error?: string) => void}} events
   */
  constructor(client, { onFrame, onStop }) {
    this.client = client;
    this.onFrame = onFrame;
    this.onStop = onStop;
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    this.running = false;
    this.attempt = 0; // tells a start whether a press came after its own
  }

  /**
   * @param {Promise<void>} ready the network
   * @returns {Promise<boolean>} whether its pictures come now
   */
  async start(ready) {
    this.running = true;
    const mine = ++this.attempt;
    let stream;
    try {
      if (!navigator.mediaDevices) throw new Error("The camera needs a page that came by https.");
      const wanted = { width: 640, height: 480, facingMode: "environment" };
      stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
      if (mine === this.attempt) {
        this.video.srcObject = stream;
        await this.video.play();
        await ready;
      }
    } catch (error) {
      const refused = ["NotAllowedError", "NotFoundError", "NotReadableError"].includes(error.name);
      const words = refused ? "No camera: there is none, it is in use, or this page may not use it." : error.message;
      if (mine === this.attempt) this.stop(words);
    }
    if (mine === this.attempt) {
      this.watch(mine);
      return true;
    }
    endTracks(stream); // stopped while the visitor was asked or the network was on its way, and perhaps started again
    return false;
  }

  async watch(mine) {
    let [last, rate] = [0, 0];
    let frame = this.ask();
    try {
      while (mine === this.attempt) {
        const { view, found } = await frame;
        if (mine !== this.attempt) return;
        frame = this.ask(); // the worker looks at the next one while this one is drawn
        this.onFrame(view, found, rate);
        // The rate that the eye gets: of pictures that came onto the screen.
        const now = await new Promise((resolve) => requestAnimationFrame(resolve));
        const newest = last && 1000 / (now - last);
        rate = rate ? SMOOTHING * rate + (1 - SMOOTHING) * newest : newest;
        last = now;
      }
    } catch (error) {
      if (mine === this.attempt) this.stop(error.message);
    }
  }

  async ask() {
    const image = await createImageBitmap(this.video);
    return this.client.ask("detect", { image }, [image]);
  }

  /** What the camera sees, as a PNG. */
  photo() {
    const canvas = new OffscreenCanvas(this.video.videoWidth, this.video.videoHeight);
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    return canvas.convertToBlob({ type: "image/png" });
  }

  stop(error) {
    if (!this.running) return;
    this.running = false;
    this.attempt++;
    endTracks(this.video.srcObject);
    this.video.srcObject = null;
    this.onStop(error);
  }
}
