"""Widgets that several tabs share."""

import gradio as gr


def percent_slider(label, value, name, low=0, high=100, **options):
    """A slider over whole percents: a decimal mark would be a comma in some browsers and a point in others.

    Args:
        label: str. What the visitor reads.
        value: int. Where it starts.
        name: str. Its `elem_id`.
        low, high: int. Its ends.
        **options: of `gr.Slider`.
    """
    return gr.Slider(low, high, value=value, step=1, label=label, elem_id=name, buttons=[], **options)


def confidence_slider(name):
    """The lowest score of an object, in percent, for the tabs that run the network anew at each change."""
    return percent_slider("Confidence in %", 50, name, 5, 99)


def model_dropdown(models, name):
    """The choice of a model; not shown where there is only one.

    Args:
        models: `interface.session.Models`.
        name: str. Its `elem_id`.
    """
    names = models.names()
    return gr.Dropdown(names, value=names[0], label="Model", elem_id=name, visible=len(names) > 1)
