"""The Live tab: the webcam's image with instances and semantic map, as fast as the machine goes."""

import collections
import dataclasses
import json
import tempfile
import time
from pathlib import Path

import gradio as gr

from interface.example_clip import served, write_clip
from interface.file_inputs import FACING_AWAY, CameraInput
from interface.model_card import class_names
from interface.safety.text import sorry
from interface.tracker import Tracker
from interface.video_frames import draw_both, frame_html, look_choices, sized_for_video
from interface.widgets import confidence_slider, model_dropdown

EVERY = 1 / 60  # seconds between two looks whether the camera has a new image and the server answered those before
AHEAD = 2  # images without an answer: one in work, and one on its way so that the server need not wait for it
LONGEST = 300  # seconds after which the camera has to be started again, so that a forgotten one frees its place
VISITORS = 4  # cameras at a time
WINDOW = 3.0  # seconds over which the rate is taken
IDLE = f"Its images are looked at one by one, not stored. It stops after {LONGEST // 60} minutes."
START = "Start the camera"
WAITING = "Stop waiting for a free place"
TAKEN = 4  # seconds without an answer after which all places are taken, as it seems
WISHES = {"video": {"width": 640, "height": 480, **FACING_AWAY}}

# One button starts and stops. It gives Gradio's component a stream to show and presses its hidden button, which toggles
# whether it sends images. Whether it does is remembered here: the words on that button tell of the last answer, which
# may come late. The example takes the camera's place by `cameraStandIn`, see `interface.cameras`: what it plays goes
# the same way as what a camera sees.
CAMERA_SCRIPT = (
    """
const row = element.closest("#live-row");
// Looked up each time: parts of the page appear in any order.
const part = (name) => row.querySelector(`#live-${name}`);
const video = () => part("camera")?.querySelector("video");
const tracks = () => (video()?.srcObject?.getTracks() ?? []).filter((track) => track.readyState === "live");
const capture = () => part("camera")?.querySelector(".capture-button");
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Gradio's component sends an image at each of its ticks, whether or not those before were answered, so a queue would
// grow wherever the way is slow, and a black one when the camera is off. It takes none of a video without width: its
// video has one for a single tick, when a camera that is on has a new image and fewer than AHEAD are unanswered. An
// answer that does not come is not waited for.
const PATIENCE = 2000, unanswered = [];
let answered = false;  // an image of the camera as it runs now
watch("value", () => { unanswered.shift(); answered = true; });
const pace = (video) => {
  if (!video || "paced" in video) return;
  const width = Object.getOwnPropertyDescriptor(HTMLVideoElement.prototype, "videoWidth").get;
  let open = false, last = -1;
  video.paced = true;
  Object.defineProperty(video, "videoWidth", { get() {
    const now = performance.now();
    while (unanswered.length && now - unanswered[0] > PATIENCE) unanswered.shift();
    if (!open && unanswered.length < AHEAD && video.currentTime !== last && tracks().length) {
      open = true;
      last = video.currentTime;
      unanswered.push(now);
      queueMicrotask(() => { open = false; });
    }
    return open ? width.call(video) : 0;
  } });
};

// The example as a camera: a canvas on which a clip is played.
const standIn = async () => {
  const clip = Object.assign(document.createElement("video"), { src: EXAMPLE, loop: true, muted: true });
  clip.playsInline = true;
  await clip.play();
  const canvas = Object.assign(document.createElement("canvas"), { width: clip.videoWidth, height: clip.videoHeight });
  const stream = canvas.captureStream(30);
  const draw = () => {
    canvas.getContext("2d").drawImage(clip, 0, 0);
    if (stream.active) requestAnimationFrame(draw); else clip.pause();
  };
  draw();
  return stream;
};
let wanted = false, attempt = 0, since = 0;  // `attempt` tells a start whether another press came after its own
const toggle = () => {
  capture().click();
  video().sending = !video().sending;
};
const end = (stream) => stream.getTracks().forEach((track) => track.stop());
const stop = () => {
  attempt++;
  wanted = false;
  if (video()?.sending) toggle();
  if (video()?.srcObject) end(video().srcObject);
};
// What asks for a camera meanwhile gets what `source` gives, if it is one.
const standingIn = (source, ask) => {
  window.cameraStandIn = source;
  try { return ask(); } finally { window.cameraStandIn = null; }
};
const show = async (stream) => {
  const access = part("camera").querySelector("[title='grant webcam access'] button");
  if (access) {
    standingIn(async () => stream, () => access.click());
    for (let waited = 0; waited < 300 && !(capture() && tracks().length); waited++) await pause(100);
  } else {
    video().srcObject = stream;
    await video().play();
  }
};
const start = async (source) => {
  stop();
  const mine = attempt;
  wanted = true;
  since = performance.now();
  unanswered.length = 0;
  answered = false;
  let stream;
  try {
    stream = await standingIn(source, () => navigator.mediaDevices.getUserMedia(WISHES));
    if (mine === attempt) await show(stream);
    if (mine !== attempt) return end(stream);
    pace(video());
    toggle();
  } catch (error) {
    console.warn(error);  // the status line says it
    if (stream) end(stream);
    if (mine === attempt) wanted = false;
  }
};
row.addEventListener("click", (event) => {
  if (event.target.closest("#live-example")) start(standIn);
  else if (event.target.closest("#live-start")) wanted ? stop() : start(null);
});
setInterval(() => {
  pace(video());
  const sending = video()?.sending, over = performance.now() - since > LONGEST;
  if (!row.offsetParent ? wanted : sending && (over || !tracks().length)) stop();
  // An image that was on its way to the server while the stream was closed has opened another.
  const opened = capture()?.querySelector(":is([title='stop recording'], [title='spinner'])");
  if (opened && !video().sending) { toggle(); toggle(); }
  const waits = sending && !answered && performance.now() - since > TAKEN;
  const button = part("start"), words = !wanted ? "START" : waits ? "WAITING" : "Stop";
  if (button && button.textContent.trim() !== words) button.textContent = words;
}, 300);
""".replace("WISHES", json.dumps(WISHES))
    .replace("START", START)
    .replace("WAITING", WAITING)
    .replace("TAKEN", str(TAKEN * 1000))
    .replace("AHEAD", str(AHEAD))
    .replace("LONGEST", str(LONGEST * 1000))
)


@dataclasses.dataclass
class Watch:
    """What is remembered from one image of a visitor's camera to the next.

    Attributes:
        tracker: `Tracker`.
        answered: when the last images were answered, in seconds of `time.perf_counter`.
        count: how many there were.
    """

    tracker: Tracker = dataclasses.field(default_factory=Tracker)
    answered: collections.deque = dataclasses.field(default_factory=collections.deque)
    count: int = 0

    def tick(self, now):
        """Counts an image that is answered at `now` seconds.

        Returns:
            float. Images a second over the last `WINDOW` seconds; 0 for the first one.
        """
        self.count += 1
        self.answered.append(now)
        while now - self.answered[0] > WINDOW:
            self.answered.popleft()
        passed = now - self.answered[0]
        return (len(self.answered) - 1) / passed if passed else 0.0


def live_tab(models, example=None):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
        example: path of the photo that the example clip is made of, or `None` for no example.
    """
    watch = gr.State(None, time_to_live=LONGEST)
    names = class_names(models.names()[0])
    # In the order of a phone: the picture first, which takes all of the width.
    with gr.Column(elem_id="live-row"):
        with gr.Row(elem_id="live-bar"):
            gr.Button(START, variant="primary", elem_id="live-start", min_width=150, scale=0)
            if example:
                gr.Button("Try it with an example", elem_id="live-example", min_width=240, scale=0)
            status = gr.Markdown(IDLE, elem_id="live-status", container=False)
        images = gr.HTML(frame_html(), elem_id="live-images", apply_default_css=False)
        with gr.Row(elem_id="live-choices"):
            with gr.Column(scale=6, min_width=280):
                look = gr.Radio(look_choices(names), value="masks", label="Look", elem_id="live-look")
                semantic = gr.Checkbox(True, label="Semantic map beside it", elem_id="live-semantic")
            with gr.Column(scale=3, min_width=240):
                confidence = confidence_slider("live-confidence")
                model_name = model_dropdown(models, "live-model")
            camera = CameraInput(
                label="Camera",
                sources=["webcam"],
                streaming=True,
                type="numpy",
                webcam_options=gr.WebcamOptions(mirror=False, constraints=WISHES),
                height=190,
                scale=2,
                min_width=220,
                elem_id="live-camera",
                alt_text="The image of your camera",
            )
    address = json.dumps(_example_address(images, example)) if example else "null"
    images.js_on_load = CAMERA_SCRIPT.replace("EXAMPLE", address)

    def look_at(frame, watch, name, percent, look, semantic):
        if frame is None:
            return gr.skip(), gr.skip(), watch
        watch = watch or Watch()
        image = sized_for_video(frame)
        try:
            detections, milliseconds = models.detect(name, image, percent / 100)
        except ValueError as error:
            return sorry(error), gr.skip(), watch
        found = detections.instances(percent / 100)
        found, numbers = watch.tracker.follow(found)
        drawn = draw_both(image, found, detections.class_names, numbers, look, semantic)
        rate = watch.tick(time.perf_counter())
        rate = f"{rate:.1f} images a second · " if rate else ""
        words = f"{len(found)} found · {rate}model {milliseconds:.0f} ms"
        return words, frame_html(drawn, found, semantic, watch.count), watch

    camera.stream(
        look_at,
        [camera, watch, model_name, confidence, look, semantic],
        [status, images, watch],
        show_progress="hidden",
        stream_every=EVERY,
        time_limit=LONGEST,
        # Not the queue of the photos: a camera holds its place for as long as it runs.
        concurrency_id="live",
        concurrency_limit=VISITORS,
        api_visibility="private",
    )
    camera.clear(lambda: (IDLE, frame_html(), None), None, [status, images, watch], api_visibility="private")


def _example_address(component, photo):
    """Where the browser finds a clip made of the photo."""
    with tempfile.TemporaryDirectory(prefix="clip-") as folder:
        clip = Path(folder) / "example.mp4"
        write_clip(photo, clip)
        # Relative, so that it holds behind a proxy that serves the page below a path of its own.
        return f"gradio_api/file={served(component, clip)}"
