"""The component that takes a photo.

In a file of its own because Gradio writes a .pyi file beside each module that defines a component.
"""

import gradio as gr


class PhotoInput(gr.Image):
    """`gr.Image` that hands over the file as it came.

    Gradio would open the photo first, and answer whatever Pillow cannot read with that library's own error.
    """

    is_template = True  # The browser knows no component of this name, only that of gr.Image.

    def preprocess(self, payload):
        if payload is None or payload.path is None:
            return super().preprocess(payload)
        return payload.path
