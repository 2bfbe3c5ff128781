"""The component that takes a photo.

In a file of its own because Gradio writes a .pyi file beside each module that defines a component.
"""

import gradio as gr

# On a phone the camera that looks away from the visitor, who points it at the cat; so nothing is mirrored either.
FACING_AWAY = {"facingMode": {"ideal": "environment"}}
CAMERA = gr.WebcamOptions(
    mirror=False, constraints={"video": {"width": {"ideal": 1920}, "height": {"ideal": 1440}, **FACING_AWAY}}
)


class PhotoInput(gr.Image):
    """`gr.Image` that hands over the file as it came.

    Gradio would open the photo first, and answer whatever Pillow cannot read with that library's own error.
    """

    is_template = True  # The browser knows no component of this name, only that of gr.Image.

    def preprocess(self, payload):
        if payload is None or payload.path is None:
            return super().preprocess(payload)
        return payload.path
