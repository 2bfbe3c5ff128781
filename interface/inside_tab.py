"""The Inside tab: what the network thought of the photo, step by step."""

import functools
import html

import gradio as gr

from interface.inside_view import STEPS, step_html
from interface.inside_walk import walk_through
from interface.inside_why import POINTING_SCRIPT, why_html
from interface.session import DRAWING_PLACES, MODEL_PLACES
from interface.widgets import percent_slider

EMPTY = "Choose a photo in the first tab, then come back: this tab shows how the network looks at it, step by step."
NOBODY = "nobody"
THRESHOLDS = tuple(number for number, step in enumerate(STEPS, start=1) if step.threshold)


def inside_tab(models, tab, photo, model_name, confidence, example=None):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
        tab: `gr.Tab` that this is built in; the network runs when it is opened.
        photo: the component with the path of the photo.
        model_name: the component with the model's name.
        confidence: the component with the lowest score that counts, in percent.
        example: path of the photo that is walked through where none is chosen, or `None` for none.
    """
    # What was asked for, and the walk of it.
    seen = gr.State(None, time_to_live=3600)
    # All that is pressed stands beside the picture or above it, and the picture has one height, so that nothing moves
    # under the pointer.
    with gr.Row(elem_id="inside-guide"):
        with gr.Column(visible="hidden", elem_id="guide-bar", scale=0, min_width=260) as bar:
            name = gr.Radio(
                [(f"{number} {step.title}", number) for number, step in enumerate(STEPS, start=1)],
                value=1,
                label="Steps",
                show_label=False,
                container=False,
                elem_id="step-names",
            )
            with gr.Row(elem_id="step-row"):
                back = gr.Button("Previous", size="md", elem_id="step-back", min_width=90)
                on = gr.Button("Next", variant="primary", size="md", elem_id="step-next", min_width=90)
            step = gr.Slider(1, len(STEPS), value=1, step=1, label="Step", elem_id="step", buttons=[], container=False)
            followed = gr.Radio([NOBODY], value=NOBODY, label="Follow", elem_id="follow", container=False)
            why = gr.Button("Why not this one?", size="md", elem_id="why")
            with gr.Column(elem_id="overlaps"):
                sliders = [
                    percent_slider("Overlap allowed in %", 50, f"overlap-{number}", 1, 99, visible="hidden")
                    for number in THRESHOLDS
                ]
        with gr.Column(scale=10, min_width=320):
            view = gr.HTML(f"<p>{EMPTY}</p>", js_on_load=POINTING_SCRIPT, elem_id="inside", apply_default_css=False)

    # The example shows nothing that is anybody's, so one walk serves all visitors.
    @functools.lru_cache(maxsize=4)
    def walk_example(name, percent):
        return walk_through(*models.inspect(name, example, percent / 100))

    def walk_of(path, name, percent):
        if type(percent) not in (int, float) or not isinstance(name, str):
            raise ValueError("The page's controls hold values that they do not offer.")
        if path == example:
            return walk_example(name, percent)
        return walk_through(*models.inspect(name, path, percent / 100))

    def show(seen, number, who, *percents, why=""):
        if seen is None:
            return gr.skip()
        number = int(number)
        row = dict(seen[1].choices()).get(who)
        overlap = dict(zip(THRESHOLDS, percents, strict=True)).get(number)
        return step_html(seen[1], number, row, None if overlap is None else overlap / 100, why)

    def shown_sliders(number):
        return [gr.Slider(visible=True if number == place else "hidden") for place in THRESHOLDS]

    def look(path, name, percent, seen, number, who, *percents):
        path = path or example
        hidden = [gr.Slider(visible="hidden") for _ in THRESHOLDS]
        if path is None:
            return None, gr.Column(visible="hidden"), gr.skip(), f"<p>{EMPTY}</p>", *hidden
        asked = path, name, percent
        if seen is None or seen[0] != asked:
            try:
                walk = walk_of(*asked)
            except ValueError as error:
                words = f"<p><b>Sorry.</b> {html.escape(str(error))}</p>"
                return None, gr.Column(visible="hidden"), gr.skip(), words, *hidden
            seen = asked, walk
            who = next((words for words, _ in walk.choices()), NOBODY)
            config = walk.seen.config
            percents = [round(100 * getattr(config, STEPS[place - 1].threshold)) for place in THRESHOLDS]
        choices = [*(words for words, _ in seen[1].choices()), NOBODY]
        sliders = [
            gr.Slider(value=percent, visible=True if number == place else "hidden")
            for place, percent in zip(THRESHOLDS, percents, strict=True)
        ]
        picture = show(seen, number, who, *percents)
        return seen, gr.Column(visible=True), gr.Radio(choices, value=who), picture, *sliders

    def go(seen, number, who, *percents):
        number = min(max(int(number), 1), len(STEPS))
        return number, number, show(seen, number, who, *percents), *shown_sliders(number)

    def answer(event: gr.EventData, seen, who, *percents):
        if seen is None:
            return gr.skip()
        try:
            return show(seen, len(STEPS), who, *percents, why=why_html(seen[1], getattr(event, "box", None)))
        except (AttributeError, ValueError) as error:
            raise gr.Error(str(error), print_exception=False) from None

    drawing = {
        "show_progress": "hidden",
        "trigger_mode": "always_last",
        "concurrency_id": "drawing",
        "concurrency_limit": DRAWING_PLACES,
        "api_visibility": "private",
    }
    tab.select(
        look,
        [photo, model_name, confidence, seen, step, followed, *sliders],
        [seen, bar, followed, view, *sliders],
        show_progress_on=view,
        concurrency_id="model",
        concurrency_limit=MODEL_PLACES,
        api_visibility="private",
    )
    moved = [step, name, view, *sliders]
    step.input(go, [seen, step, followed, *sliders], moved, **drawing)
    name.input(go, [seen, name, followed, *sliders], moved, **drawing)
    ways = ((back, lambda number: number - 1), (on, lambda number: number + 1), (why, lambda _: len(STEPS)))
    for button, way in ways:
        button.click(
            lambda seen, number, *others, way=way: go(seen, way(int(number)), *others),
            [seen, step, followed, *sliders],
            moved,
            **drawing,
        )
    for widget in (followed, *sliders):
        widget.input(show, [seen, step, followed, *sliders], view, **drawing)
    view.select(answer, [seen, followed, *sliders], view, **drawing)
