"""The Live tab: the webcam's image with instances and semantic map, as fast as the machine goes."""

import dataclasses
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
PAUSE = 2  # seconds after which the rate begins anew
IDLE = f"Start the camera: its images are looked at one by one, not stored. It stops after {LONGEST // 60} minutes."
SMOOTHING = 0.8  # of the rate that is shown: how much of the last value stays

# Gradio leaves the camera on when its tab is left. So, in a hidden tab, the button that ends the stream is pressed and,
# to be sure, the camera itself switched off. Asked again and again, because a slow camera may come on only after the
# tab was left.
CAMERA_SCRIPT = """
const camera = element.closest("#live-row").querySelector("#live-camera");
setInterval(() => {
  if (camera.offsetParent !== null) return;
  for (const video of camera.querySelectorAll("video")) {
    const tracks = (video.srcObject?.getTracks() ?? []).filter((track) => track.readyState === "live");
    if (!tracks.length) continue;
    camera.querySelector(".capture-button :is([title='stop recording'], [title='spinner'])")?.click();
    for (const track of tracks) track.stop();
  }
}, 300);
"""


@dataclasses.dataclass
class Watch:
    """What is remembered from one image of a visitor's camera to the next.

    Attributes:
        tracker: `Tracker`.
        seen: float or `None`. When the last image was answered, in seconds of `time.perf_counter`.
        rate: float. Images a second, smoothed; 0 before the second one.
    """

    tracker: Tracker = dataclasses.field(default_factory=Tracker)
    seen: float | None = None
    rate: float = 0.0

    def tick(self):
        """Counts an image."""
        now = time.perf_counter()
        if self.seen is None or now - self.seen > PAUSE:
            self.rate = 0.0
        else:
            rate = 1 / max(now - self.seen, 1e-3)
            self.rate = SMOOTHING * self.rate + (1 - SMOOTHING) * rate if self.rate else rate
        self.seen = now


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
                webcam_options=gr.WebcamOptions(
                    mirror=False, constraints={"video": {"width": 640, "height": 480, **FACING_AWAY}}
                ),
                height=300,
                elem_id="live-camera",
                alt_text="The image of your camera",
            )
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
        numbers = watch.tracker.update(found)
        watch.tick()
        rate = f"{watch.rate:.1f} images a second · " if watch.rate else ""
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
