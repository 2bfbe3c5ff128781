"""A short clip for the Video and Live tabs: a camera that pans over the scene which the Photo tab opens with."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from gradio import processing_utils
from PIL import Image

SIZE = 480, 360  # of the clip, width and height
RATE = 12  # images a second
SECONDS = 6  # there and back again, so that it can be repeated without a jump


def write_clip(photo, path):
    """Writes the clip as MP4.

    Args:
        photo: path of an image wider than it is high.
        path: where to.
    """
    with Image.open(photo) as opened:
        image = opened.convert("RGB")
    # Not all of the height, so that the camera can go up and down a little.
    height = 0.94 * image.height
    width = min(height * SIZE[0] / SIZE[1], image.width)
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as writer:
        video = writer.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "26"})
        video.width, video.height = SIZE
        video.pix_fmt, video.time_base = "yuv420p", Fraction(1, RATE)
        for angle in np.linspace(0, 2 * np.pi, RATE * SECONDS, endpoint=False):
            left = (image.width - width) * (1 - np.cos(angle)) / 2
            top = (image.height - height) * (1 + np.sin(3 * angle)) / 2
            view = image.resize(SIZE, Image.Resampling.BILINEAR, (left, top, left + width, top + height))
            writer.mux(video.encode(av.VideoFrame.from_image(view)))
        writer.mux(video.encode(None))


def served(component, path):
    """Copies a file to where the page may show it for as long as the server runs.

    Args:
        component: the Gradio component that shows it.
        path: path of the file.

    Returns:
        str. The path of the copy.
    """
    file = {"path": str(Path(path)), "meta": {"_type": "gradio.FileData"}}
    return processing_utils.move_files_to_cache(file, component, keep_in_cache=True)["path"]
