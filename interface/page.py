"""The page as a whole: its tabs, its look, and how it is served."""

from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from interface.batch_tab import batch_tab
from interface.cameras import CAMERA_SCRIPT
from interface.correct_tab import correct_tab
from interface.explain_tab import FIGURES, explain_tab
from interface.housekeeping import AGE, EVERY, MOST_SESSIONS, housekeeping
from interface.inside_tab import inside_tab
from interface.live_tab import live_tab
from interface.model_card import class_names
from interface.photo_tab import photo_tab
from interface.program_tab import program_tab
from interface.safety.blocks import GuardedBlocks
from interface.safety.doors import Doors
from interface.session import AnalysisCache, Models
from interface.shared_link import SharedLink
from interface.video_tab import video_tab
from interface.words import introduction, title

STYLES = [Path(__file__).with_name(name) for name in ("page.css", "stage.css")]
# Gradio confines these to what lies within the page's margins, so the margins themselves are set here. On a phone
# every pixel of width is a pixel of the image. The dot in the footer would separate links that are not there.
MARGINS = """<style>
.gradio-container > .main { max-width: 1600px !important; margin: 0 auto; }
@media (max-width: 640px) { .gradio-container > .main { padding: 12px !important; } }
footer .divider { display: none; }
body:not(.dark) { --color-accent: var(--primary-700); }
body:not(.dark) #guide .token.string { color: var(--primary-700); }
</style>"""
LARGEST_UPLOAD = "40mb"


def theme():
    """Quiet colours in light and dark, and the fonts of the visitor's own system: nothing is loaded from elsewhere."""
    sans = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
    mono = ("ui-monospace", "Consolas", "monospace")
    base = gr.themes.Base(primary_hue="teal", secondary_hue="teal", neutral_hue="slate", font=sans, font_mono=mono)
    # Darker than the theme's own, whose white on teal and grey on white are hard to read.
    return base.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
        body_text_color_subdued="*neutral_500",
    )


def build_page(models=None, cache=None):
    """The page, with every model that is installed to choose from.

    Args:
        models: `interface.session.Models`. Defaults to new ones.
        cache: `interface.session.AnalysisCache`. Defaults to a new one.

    Returns:
        `gr.Blocks`, not yet launched.
    """
    models = Models() if models is None else models
    cache = AnalysisCache() if cache is None else cache
    names = class_names(models.names()[0])
    gr.set_static_paths(sorted(FIGURES.glob("*.png")))  # not the folder: the code that draws them lies there too
    with GuardedBlocks(
        title=f"{title(names)}: instance segmentation with Mask R-CNN",
        analytics_enabled=False,
        delete_cache=(EVERY, AGE - EVERY),  # before housekeeping does, or Gradio would remember the names
    ) as page:
        words = gr.Markdown(introduction(names), elem_id="introduction")
        with gr.Tabs() as tabs:
            with gr.Tab("Photo"):
                chosen = photo_tab(models, cache)
            example = chosen[0].value and chosen[0].value["path"]  # the scene that the page opens with
            with gr.Tab("Live"):
                live_tab(models, example)
            with gr.Tab("Video"):
                video_tab(models, example)
            with gr.Tab("Many photos"):
                asked = batch_tab(models, tabs)
            with gr.Tab("Correct", id="correct") as correct:
                correct_tab(models, correct, asked, *chosen)
            with gr.Tab("Inside", elem_id="inside-tab") as inside:
                inside_tab(models, inside, *chosen[:3], example)
            with gr.Tab("How it works"):
                explain_tab()
            with gr.Tab("For programs"):
                program_tab(models)
        chosen[1].change(
            lambda name: introduction(class_names(name)),
            chosen[1],
            words,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )
    # interface.safety.shares bounds the queue, with words. No way around it: what is called directly runs at once.
    page.queue(api_open=False, max_size=None)
    page.answers = models.answers
    return page


def serve(page, host, port):
    """Serves the page until the process ends.

    Args:
        page: what `build_page` gave.
        host: str. The address to listen on.
        port: int. The port to listen on.
    """
    preview = Middleware(SharedLink, title=page.title, picture=f"gradio_api/file={FIGURES / 'preview.png'}")
    page.launch(
        server_name=host,
        server_port=port,
        theme=theme(),
        css_paths=STYLES,
        head=MARGINS + CAMERA_SCRIPT,
        max_file_size=LARGEST_UPLOAD,
        state_session_capacity=MOST_SESSIONS,
        run_history=False,
        footer_links=["api"],
        favicon_path=FIGURES / "icon.png",
        share=False,
        ssr_mode=False,
        quiet=True,
        prevent_thread_lock=True,
        app_kwargs={"lifespan": housekeeping, "middleware": [Middleware(Doors), preview]},
    )
