"""What was found in many photos: totals, what is worth a second look, and the order in which they are shown."""

import csv
import dataclasses
import html
import io

import numpy as np
from PIL import Image

from interface.safety.text import markdown_text, table_cell
from interface.video_frames import sized_for_video
from mrcnn.results import drawing
from mrcnn.results.wording import counted_names, percent

ORDERS = ["As given", "Most doubtful first", "Most found first"]
FILTERS = ["All", "With", "Without"]
DOUBTFUL = 0.3  # a score that is no farther from the confidence is told to the visitor


@dataclasses.dataclass(frozen=True)
class PhotoResult:
    """One photo of a batch.

    Args:
        name: str. Of its file.
        index: int. Its place among the photos that were given.
        class_names: tuple of str. The class of each object that was found.
        closest: float in `[0, 1]` or `None`. The score that lies nearest to the confidence, of an object that was just
            found or just not: where the model is most likely to be wrong. `None` if there is no score at all.
        confidence: float in `[0, 1]`. The lowest score that counted.
        preview: str. Path of the picture of both images; empty for a photo that could not be read.
        error: str. Why it could not be read.
    """

    name: str
    index: int
    class_names: tuple = ()
    closest: float | None = None
    confidence: float = 0.5
    preview: str = ""
    error: str = ""

    @classmethod
    def of(cls, name, index, detections, confidence, preview):
        """The result of a photo, from what the network found down to the lowest score."""
        scores = detections.scores
        ids = detections.class_ids[scores >= confidence]
        closest = float(scores[np.abs(scores - confidence).argmin()]) if len(scores) else None
        names = tuple(detections.class_names[class_id - 1] for class_id in ids)
        return cls(name, index, names, closest, confidence, str(preview))

    @property
    def certainty(self):
        """How far the nearest score is from the confidence; 1 if there is none."""
        return 1.0 if self.closest is None else abs(self.closest - self.confidence)

    @property
    def caption(self):
        """What the gallery says of it."""
        words = f"{self.name}: {counted_names(self.class_names)}"
        if self.closest is None or self.certainty > DOUBTFUL:
            return words
        score = percent(self.closest)
        return f"{words}, one only {score} sure" if self.closest >= self.confidence else f"{words}, a guess at {score}"


def arranged(results, order="As given", which="All"):
    """The photos that could be read, filtered and sorted as the page asks.

    Args:
        results: list of `PhotoResult`.
        order: one of `ORDERS`. Defaults to as given.
        which: one of `FILTERS`: those with objects, or without. Defaults to all.

    Returns:
        list of `PhotoResult`.
    """
    kept = [one for one in results if not one.error and which in ("All", "With" if one.class_names else "Without")]
    keys = {"Most doubtful first": lambda one: one.certainty, "Most found first": lambda one: -len(one.class_names)}
    return sorted(kept, key=keys[order]) if order in keys else kept


def gallery(results):
    """Pairs of picture and caption for `gr.Gallery`."""
    return [(one.preview, one.caption) for one in results]


def totals(results):
    """In words: `"61 cats in 40 photos, 3 of them without"`."""
    read = [one for one in results if not one.error]
    names = [name for one in read for name in one.class_names]
    words = f"{counted_names(names).capitalize()} in {_photos(len(read))}"
    without = sum(not one.class_names for one in read)
    return f"{words}, {without} of them without" if names and without else words


def summary(results, total, left_out, most):
    """What the page says at the end, as Markdown.

    Args:
        results: list of `PhotoResult` of the photos that were looked at.
        total: int. Number of photos that were given.
        left_out: int. Number of photos beyond `most`.
        most: int.
    """
    errors = [one.error for one in results if one.error]
    parts = [f"**{totals(results)}.**"] if len(errors) < len(results) else []
    done = f"{len(results)} of {total} photos done"
    parts.append(done + (f", {len(errors)} of them could not be read:" if errors else "."))
    parts = ["  \n".join(parts)] + [f"- {markdown_text(words)}" for words in errors]
    if left_out:
        parts.append(f"\n{left_out} more were left out: {most} at a time are accepted.")
    return "\n".join(parts)


def legend_html(results, class_names):
    """The colours of the maps, as HTML: of the classes that were found, if the model has several.

    Args:
        results: list of `PhotoResult`.
        class_names: names of the model's classes 1, 2, and so on.
    """
    present = {name for one in results for name in one.class_names}
    if len(class_names) < 2 or not present:
        return ""
    swatch = '<span class="swatch" style="background: rgb{}"></span>'
    entries = [
        f"<li>{swatch.format(drawing.class_colour(class_id))}{html.escape(name)}</li>"
        for class_id, name in enumerate(class_names, start=1)
        if name in present
    ]
    return f'<ul class="legend" aria-label="Colours of the maps">{"".join(entries)}</ul>'


def table(results):
    """The results as CSV, a row a photo."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "objects", "result", "closest_score"])
    for one in results:
        found = (
            ("", one.error, "") if one.error else (len(one.class_names), counted_names(one.class_names), _score(one))
        )
        writer.writerow([table_cell(value) for value in (one.name, *found)])
    return text.getvalue()


def write_preview(path, image, detections, confidence):
    """Writes the picture of both images: instances, and the semantic map, which nothing is written on.

    Args:
        path: path of the JPEG.
        image: uint8 `(H, W, 3)`.
        detections: `mrcnn.results.detections.Detections` of it.
        confidence: float in `[0, 1]`. The lowest score that counts.
    """
    small = sized_for_video(image)
    found = detections.resized(small.shape[:2]).instances(confidence)
    instances = drawing.draw_instances(small, found, boxes=False)
    semantic = drawing.draw_semantic_map(found.semantic_map(), {}, legend=False)
    Image.fromarray(np.concatenate([instances, semantic], axis=1)).save(path, quality=85)


def _score(one):
    return "" if one.closest is None else round(one.closest, 4)


def _photos(count):
    return "1 photo" if count == 1 else f"{count} photos"
