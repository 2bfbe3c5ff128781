"""The Live tab: the webcam's image with instances and semantic map, as fast as the machine goes."""

import collections
import dataclasses
import json
import time

import gradio as gr

from interface.file_inputs import FACING_AWAY, CameraInput
from interface.safety.text import sorry
from interface.tracker import Tracker
from interface.video_frames import sized_for_video, video_html
from interface.widgets import confidence_slider, model_dropdown

EVERY = 0.1  # seconds between two images; while one is being looked at, newer ones replace each other
LONGEST = 300  # seconds after which the camera has to be started again, so that a forgotten one frees its place
VISITORS = 4  # cameras at a time
WINDOW = 3.0  # seconds over which the rate is taken
IDLE = f"Its images are looked at one by one, not stored. It stops after {LONGEST // 60} minutes."
START = "Start the camera"
WISHES = {"video": {"width": 640, "height": 480, **FACING_AWAY}}

# One button starts and stops: it presses those of Gradio's component, which asks for the camera first and calls it
# recording what is only watching. A camera that was switched off is asked for again.
CAMERA_SCRIPT = """
const row = element.closest("#live-row");
const camera = row.querySelector("#live-camera"), button = row.querySelector("#live-start");
const video = () => camera.querySelector("video");
const tracks = () => (video()?.srcObject?.getTracks() ?? []).filter((track) => track.readyState === "live");
const capture = () => camera.querySelector(".capture-button");
const running = () => !!camera.querySelector(".capture-button :is([title='stop recording'], [title='spinner'])");
let starting = false;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const start = async () => {
  starting = true;
  try {
    const access = camera.querySelector("[title='grant webcam access'] button");
    if (access) access.click();
    else if (!tracks().length) {
      video().srcObject = await navigator.mediaDevices.getUserMedia(WISHES);
      await video().play();
    }
    for (let waited = 0; waited < 300 && !(capture() && tracks().length); waited++) await pause(100);
    if (capture() && !running()) capture().click();
    await pause(500);
  } catch (error) {
    console.warn(error);  // the status line says it
  } finally { starting = false; }
};
const stop = () => {
  if (running()) capture().click();
  for (const track of tracks()) track.stop();
};
button.addEventListener("click", () => (running() ? stop() : starting || start()));
setInterval(() => {
  if (!starting && tracks().length && (!running() || !camera.offsetParent)) stop();
  else if (!camera.offsetParent && running()) stop();
  const words = running() ? "Stop" : "START";
  if (button.textContent.trim() !== words) button.textContent = words;
}, 300);
""".replace("WISHES", json.dumps(WISHES)).replace("START", START)


@dataclasses.dataclass
class Watch:
    """What is remembered from one image of a visitor's camera to the next.

    Attributes:
        tracker: `Tracker`.
        answered: when the last images were answered, in seconds of `time.perf_counter`.
    """

    tracker: Tracker = dataclasses.field(default_factory=Tracker)
    answered: collections.deque = dataclasses.field(default_factory=collections.deque)

    def tick(self, now):
        """Counts an image that is answered at `now` seconds.

        Returns:
            float. Images a second over the last `WINDOW` seconds; 0 for the first one.
        """
        self.answered.append(now)
        while now - self.answered[0] > WINDOW:
            self.answered.popleft()
        passed = now - self.answered[0]
        return (len(self.answered) - 1) / passed if passed else 0.0


def live_tab(models):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
    """
    watch = gr.State(None, time_to_live=LONGEST)
    with gr.Row(elem_id="live-row"):
        with gr.Column(scale=3, min_width=280):
            camera = CameraInput(
                label="Camera",
                sources=["webcam"],
                streaming=True,
                type="numpy",
                webcam_options=gr.WebcamOptions(mirror=False, constraints=WISHES),
                height=300,
                elem_id="live-camera",
                alt_text="The image of your camera",
            )
            gr.Button(START, variant="primary", elem_id="live-start")
            model_name = model_dropdown(models, "live-model")
            confidence = confidence_slider("live-confidence")
        with gr.Column(scale=7, min_width=320):
            status = gr.Markdown(IDLE, elem_id="live-status", container=False)
            images = gr.HTML(video_html(), js_on_load=CAMERA_SCRIPT, elem_id="live-images", apply_default_css=False)

    def look(frame, watch, name, percent):
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
        rate = watch.tick(time.perf_counter())
        rate = f"{rate:.1f} images a second · " if rate else ""
        words = f"{len(found)} found · {rate}model {milliseconds:.0f} ms"
        return words, video_html(image, found, detections.class_names, numbers), watch

    camera.stream(
        look,
        [camera, watch, model_name, confidence],
        [status, images, watch],
        show_progress="hidden",
        stream_every=EVERY,
        time_limit=LONGEST,
        # Not the queue of the photos: a camera holds its place for as long as it runs.
        concurrency_id="live",
        concurrency_limit=VISITORS,
        api_visibility="private",
    )
    camera.clear(lambda: (IDLE, video_html(), None), None, [status, images, watch], api_visibility="private")
