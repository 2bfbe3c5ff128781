"""A drop-down whose choices change with what is shown.

In a file of its own because Gradio writes a .pyi file beside each module that defines a component.
"""

import gradio as gr


class OpenDropdown(gr.Dropdown):
    """`gr.Dropdown` that hands over what the browser sent.

    Gradio would refuse a choice that was taken back while it was on its way, with an error meant for programmers. What
    reads the choice has to check it.
    """

    is_template = True  # The browser knows no component of this name, only that of gr.Dropdown.

    def preprocess(self, payload):
        return payload
