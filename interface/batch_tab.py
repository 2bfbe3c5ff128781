"""The Many photos tab: photos or a ZIP of them in, a gallery and one ZIP of all results out."""

import contextlib
import csv
import functools
import io
import secrets
import tempfile
import threading
import zipfile
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from interface.downloads import result_files
from interface.safety.archives import member_name, open_zip, unpack
from interface.safety.decoding import read_photo
from interface.safety.text import markdown_text, sorry, table_cell
from interface.settings import Settings
from interface.video_frames import draw_both, sized_for_video
from interface.widgets import confidence_slider, model_dropdown
from mrcnn.images import distinct_stems
from mrcnn.results.wording import counted

MOST_PHOTOS = 100
WELCOME = f"Choose up to {MOST_PHOTOS} photos, or a ZIP of them."


def batch_tab(models):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
    """
    # Set by the Stop button: what is done by then is kept, while Gradio's own cancelling would lose it.
    stop = gr.State(None)
    with gr.Row():
        with gr.Column(scale=3, min_width=280):
            # No list of file types: what is no photo is answered in words, and does not lose the rest.
            files = gr.File(
                label="Photos or a ZIP", file_count="multiple", type="filepath", height=220, elem_id="batch-files"
            )
            model_name = model_dropdown(models, "batch-model")
            confidence = confidence_slider("batch-confidence")
            with gr.Row():
                start = gr.Button("Segment all", variant="primary", elem_id="batch-start", min_width=120)
                end = gr.Button("Stop", elem_id="batch-stop", min_width=120)
            download = gr.DownloadButton("Download all results", interactive=False, elem_id="batch-download")
        with gr.Column(scale=7, min_width=320):
            status = gr.Markdown(WELCOME, elem_id="batch-status", container=False)
            gallery = gr.Gallery(
                label="Instances and semantic map",
                columns=2,
                height=520,
                object_fit="contain",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="batch-gallery",
            )

    def run(uploads, name, percent, progress=gr.Progress()):  # noqa: B008, Gradio finds it there
        if not uploads:
            yield WELCOME, gr.skip(), gr.skip(), None
            return
        stopped = threading.Event()
        shown, rows = [], []
        target = Path(download.GRADIO_CACHE) / secrets.token_hex(16) / "segmented.zip"
        target.parent.mkdir(parents=True)
        yield "", shown, gr.DownloadButton(value=None, interactive=False), stopped
        try:
            with (
                contextlib.ExitStack() as opened,
                tempfile.TemporaryDirectory(dir=download.GRADIO_CACHE) as unpacked,
                zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive,
            ):
                sources, left_out = photo_sources(uploads, opened)
                stems = distinct_stems([source_name for source_name, _ in sources])
                for (source_name, read), stem in zip(sources, stems, strict=True):
                    progress((len(rows), len(sources)), desc=source_name, unit="photos")
                    if stopped.is_set():
                        break
                    try:
                        image = read_photo(read(unpacked))
                        detections, milliseconds = models.detect(name, image, percent / 100)
                    except ValueError as error:
                        rows.append((source_name, "", str(error)))
                    else:
                        found = detections.instances(percent / 100)
                        names = detections.class_names
                        made = result_files(source_name, image, found, names, milliseconds, Settings())
                        for file_name, content in made.items():
                            archive.writestr(f"{stem}/{file_name}", content())
                        preview = target.parent / f"{stem}.jpg"
                        _write_preview(preview, image, detections, percent / 100)
                        shown.append((str(preview), f"{source_name}: {counted(found)}"))
                        rows.append((source_name, len(found), counted(found)))
                    yield gr.skip(), shown, gr.skip(), stopped
                archive.writestr("photos.csv", _table(rows))
        except ValueError as error:
            target.unlink(missing_ok=True)
            yield sorry(error), shown, gr.skip(), None
            return
        except GeneratorExit:
            target.unlink(missing_ok=True)
            raise
        words = _words(rows, len(rows), len(sources), left_out)
        yield words, shown, gr.DownloadButton(value=str(target), interactive=bool(shown)), None

    start.click(
        run,
        [files, model_name, confidence],
        [status, gallery, download, stop],
        show_progress_on=status,
        concurrency_id="long",
        concurrency_limit=2,
        api_visibility="private",
    )
    end.click(lambda stopped: stopped and stopped.set(), stop, None, queue=False, api_visibility="private")


def photo_sources(uploads, opened):
    """The photos among uploaded files.

    Args:
        uploads: list of paths; those that are ZIP files stand for what is in them.
        opened: `contextlib.ExitStack` that keeps those files open, for `read`.

    Returns:
        List of `(name, read)`, at most `MOST_PHOTOS`; `read(folder)` gives the path of the photo, which may be put into
        that folder for it. And the number of those that were left out.

    Raises:
        ValueError: if there is none, or a ZIP is damaged or too long.
    """
    sources = []
    for path in uploads:
        if not zipfile.is_zipfile(path):
            sources.append((Path(path).name, lambda folder, path=path: path))
            continue
        archive = opened.enter_context(open_zip(path))
        for member in archive.infolist():
            # What macOS and others put in beside the photos.
            hidden = any(part.startswith((".", "__MACOSX")) for part in Path(member.filename).parts)
            if not member.is_dir() and not hidden:
                sources.append((member_name(member), functools.partial(unpack, archive, member)))
    if not sources:
        raise ValueError("There is no file in that ZIP.")
    return sources[:MOST_PHOTOS], max(0, len(sources) - MOST_PHOTOS)


def _write_preview(path, image, detections, confidence):
    small = sized_for_video(image)
    found = detections.resized(small.shape[:2]).instances(confidence)
    both = draw_both(small, found, detections.class_names, range(len(found)))
    Image.fromarray(np.concatenate(both, axis=1)).save(path, quality=85)


def _words(rows, done, total, left_out=0):
    failures = [words for _, count, words in rows if count == ""]
    parts = [f"{done} of {total} photos done" + (f", {len(failures)} of them could not be read:" if failures else ".")]
    parts += [f"- {markdown_text(words)}" for words in failures]
    if left_out:
        parts.append(f"\n{left_out} more were left out: {MOST_PHOTOS} at a time are accepted.")
    return "\n".join(parts)


def _table(rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "objects", "result"])
    writer.writerows([table_cell(value) for value in row] for row in rows)
    return text.getvalue()
