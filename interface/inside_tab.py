"""The Inside tab: what the network thought of the photo, step by step."""

import html

import gradio as gr

from interface.inside_view import inside_steps
from interface.session import MODEL_PLACES

EMPTY = "Choose a photo in the first tab, then come back: this tab shows how the network looks at it, step by step."
STEPS = 10


def inside_tab(models, tab, photo, model_name, confidence):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
        tab: `gr.Tab` that this is built in; the network runs when it is opened.
        photo: the component with the path of the photo.
        model_name: the component with the model's name.
        confidence: the component with the lowest score that counts, in percent.
    """
    seen = gr.State(None, time_to_live=3600)
    step = gr.Slider(1, STEPS, value=1, step=1, label="Step", elem_id="step", buttons=[], visible="hidden")
    view = gr.HTML(f"<p>{EMPTY}</p>", elem_id="inside", apply_default_css=False)

    def show(seen, number):
        return seen[1][int(number) - 1]

    def look(path, name, percent, seen, number):
        if path is None:
            return None, gr.Slider(visible="hidden"), f"<p>{EMPTY}</p>"
        asked = path, name, percent
        if seen is None or seen[0] != asked:
            try:
                seen = asked, inside_steps(*models.inspect(name, path, percent / 100))
            except ValueError as error:
                return None, gr.Slider(visible="hidden"), f"<p><b>Sorry.</b> {html.escape(str(error))}</p>"
        return seen, gr.Slider(visible=True), show(seen, number)

    tab.select(
        look,
        [photo, model_name, confidence, seen, step],
        [seen, step, view],
        show_progress_on=view,
        concurrency_id="model",
        concurrency_limit=MODEL_PLACES,
        api_visibility="private",
    )
    step.input(
        show,
        [seen, step],
        view,
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_id="drawing",
        concurrency_limit=4,
        api_visibility="private",
    )
