"""The component that takes a photo.

In a file of its own because Gradio writes a .pyi file beside each module that defines a component.
"""

import gradio as gr

from gradio.events import Dependency

class PhotoInput(gr.Image):
    """`gr.Image` that hands over the file as it came.

    Gradio would open the photo first, and answer whatever Pillow cannot read with that library's own error.
    """

    is_template = True  # The browser knows no component of this name, only that of gr.Image.

    def preprocess(self, payload):
        if payload is None or payload.path is None:
            return super().preprocess(payload)
        return payload.path
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
