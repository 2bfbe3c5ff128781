"""The components that take a photo, and the images of a camera.

In a file of its own because Gradio writes a .pyi file beside each module that defines a component.
"""

import base64
import binascii
import io

import gradio as gr

from interface.safety import budget
from interface.safety.decoding import read_photo
from interface.safety.uploads import REFUSAL
from mrcnn.images import open_image, read_image

# On a phone the camera that looks away from the visitor, who points it at the cat; so nothing is mirrored either.
FACING_AWAY = {"facingMode": {"ideal": "environment"}}
CAMERA = gr.WebcamOptions(
    mirror=False, constraints={"video": {"width": {"ideal": 1920}, "height": {"ideal": 1440}, **FACING_AWAY}}
)
DATA = "data:image/"
# What browsers make of a camera's image; it comes many times a second, so it is decoded here and must be small.
CAMERA_FORMATS = ("JPEG", "PNG", "WEBP")
CAMERA_BYTES = 5_000_000


class PhotoInput(gr.Image):
    """`gr.Image` that hands over the file as it came.

    Gradio would open the photo first, and answer whatever Pillow cannot read with that library's own error.
    """

    is_template = True  # The browser knows no component of this name, only that of gr.Image.

    def preprocess(self, payload):
        if payload is None or payload.path is not None:
            return payload and payload.path
        if not (payload.url or "").startswith(DATA):
            raise gr.Error(REFUSAL, print_exception=False)
        return super().preprocess(payload)  # which writes the text to a file, and no more


class CameraInput(gr.Image):
    """`gr.Image` that takes the images of a camera, which come as text, in the formats of this page alone."""

    is_template = True

    def preprocess(self, payload):
        if payload is None:
            return None
        try:
            if payload.path is not None:
                return read_photo(payload.path)
            url = payload.url or ""
            if not url.startswith(DATA):
                raise ValueError(REFUSAL)
            content = base64.b64decode(url.partition(",")[2], validate=True)
            if len(content) > CAMERA_BYTES:
                raise ValueError(f"The camera's image is larger than {CAMERA_BYTES // 1_000_000} MB.")
            with open_image(io.BytesIO(content), CAMERA_FORMATS) as image:
                if image.width * image.height > budget.CLIP_PIXELS:
                    words = f"{budget.CLIP_PIXELS // 1_000_000} megapixels"
                    raise ValueError(f"The camera's image is larger than {words}.")
                return read_image(image)
        except binascii.Error:
            raise gr.Error("The camera's image is damaged.", print_exception=False) from None
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception:  # each decoder says it in a way of its own
            raise gr.Error("The camera's image cannot be read.", print_exception=False) from None
