"""A result as HTML: both images side by side, a shape over each object to point at, and the table of objects."""

import dataclasses
import html

import numpy as np

from interface.encoding import data_uri, jpeg, png
from mrcnn.results import drawing
from mrcnn.results.polygons import mask_polygons
from mrcnn.results.wording import counted, percent

EMPTY = """
<div class="result empty" data-testid="empty">
  <div class="images">
    <figure><div class="frame blank"><p>Each in its own colour</p></div>
      <figcaption>Instances</figcaption></figure>
    <figure><div class="frame blank"><p>What is where, pixel by pixel</p></div>
      <figcaption>Semantic map</figcaption></figure>
  </div>
  <p class="pointed"></p>
</div>
"""

# A pointed-at cat is outlined in both images and its row lights up; a click (or Enter) keeps it so. The listeners sit
# on the column that holds images and table, which stays when a redraw replaces what is in it.
POINTING_SCRIPT = """
const scope = element.closest("#results");
let kept = null, current = null;
const rowOf = (event) => event.target.closest("[data-row]")?.dataset.row ?? null;
const show = (row) => {
  current = row;
  for (const part of scope.querySelectorAll("[data-row]"))
    part.classList.toggle("active", part.dataset.row === row);
  const named = row && scope.querySelector(`tr[data-row="${row}"]`);
  const line = scope.querySelector(".pointed");
  const text = named ? named.dataset.says : line?.dataset.hint ?? "";
  if (line && line.textContent !== text) line.textContent = text;
};
new MutationObserver(() => show(current)).observe(scope, { childList: true, subtree: true });
scope.addEventListener("pointerover", (event) => show(rowOf(event) ?? kept));
scope.addEventListener("pointerleave", () => show(kept));
scope.addEventListener("focusin", (event) => show(rowOf(event) ?? kept));
scope.addEventListener("focusout", () => show(kept));
scope.addEventListener("click", (event) => {
  if (!event.target.closest(".result")) return;  // a switch or a slider
  const row = rowOf(event);
  kept = row === kept ? null : row;
  show(kept);
});
scope.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && rowOf(event)) { kept = rowOf(event); show(kept); }
  if (event.key === "Escape") { kept = null; show(null); }
});
"""


def images_html(analysis, settings):
    """Both images of an analysis.

    Args:
        analysis: `interface.session.Analysis`.
        settings: `interface.settings.Settings`.

    Returns:
        str of HTML.
    """
    view = analysis.view
    seen = settings.instances(analysis.view_detections())
    instance_image = settings.draw_instances(view, seen)
    semantic_map = seen.semantic_map()
    class_names = dict(enumerate(analysis.detections.class_names, start=1))
    semantic_image = settings.draw_semantic_map(view, semantic_map, class_names)
    words = html.escape(counted(seen))
    # Once for both images: tracing the outlines takes longer than drawing them. The last one lies on top, so the
    # surest comes last, as it was drawn.
    shapes = "".join(
        f'<path data-row="{row}" d="{_path(seen.windows[row])}"><title>{_says(seen, row)}</title></path>'
        for row in reversed(range(len(seen)))
    )
    hint = "Point at an object to learn more." if len(seen) else ""
    return f"""
<div class="result">
  <div class="images">
    {_figure("instances", "Instances", instance_image, shapes, f"The photo with {words} marked")}
    {_figure("semantic", "Semantic map", semantic_image, shapes, f"Map of the classes with {words}")}
  </div>
  <p class="pointed" aria-live="polite" data-hint="{hint}">{hint}</p>
</div>
"""


def sentence(analysis, settings):
    """In words: what was found, how surely, and how long it took; where there is a guess, how to see it."""
    scores = settings.chosen(analysis.detections).scores
    shown = scores[scores >= settings.confidence]
    took = f"in {analysis.milliseconds:.0f} ms"
    if len(shown):
        found = settings.instances(analysis.detections)
        low, high = percent(shown[-1]), percent(shown[0])
        sure = high if low == high else f"{low.removesuffix(' %')} to {high}"
        return f"Found {counted(found)} {took}, {sure} sure."
    names = settings.classes or analysis.detections.class_names
    names = "object" if len(names) > 3 else " or ".join(names)
    others = dataclasses.replace(settings, classes=()).instances(analysis.detections)
    if len(others):
        return f"No {names} found {took}, but {counted(others)}: choose more classes to see the rest."
    if len(scores):
        return (
            f"No {names} above {percent(settings.confidence)} {took}, but a guess at {percent(scores[0])}: "
            "lower the confidence to see it."
        )
    return f"No {names} here, decided {took}."


def _figure(name, caption, image, shapes, alternative):
    height, width = image.shape[:2]
    address = data_uri(png(image, 1) if image.shape[2] == 4 else jpeg(image))
    # As large as the frame allows. Frames do not change with the photo, so nothing below them moves.
    size = f"aspect-ratio: {width} / {height}; width: min(100cqw, 100cqh * {width / height:.4f})"
    return f"""
<figure class="{name}">
  <div class="frame">
    <div class="image{" clear" if image.shape[2] == 4 else ""}" style="{size}">
      <img src="{address}" alt="{alternative}" width="{width}" height="{height}" decoding="sync">
      <svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">{shapes}</svg>
    </div>
  </div>
  <figcaption>{caption}</figcaption>
</figure>"""


def _path(window):
    tolerance = max(0.7, max(window.mask.shape, default=0) / 400)
    parts = []
    for polygon in mask_polygons(window, tolerance):
        points = " ".join(f"{x:.0f} {y:.0f}" for x, y in polygon)
        parts.append(f"M{points}Z")
    return "".join(parts)


def _says(found, row):
    return html.escape(f"{found.class_names[row].capitalize()} {row + 1}, {percent(found.scores[row])} sure")


def table_html(analysis, settings):
    """The table of an analysis: one row an object, in the colours of the instance image.

    Areas and boxes are those of the photo at its own size, not of the reduced one that the page shows.
    """
    found = settings.instances(analysis.detections)
    if not len(found):
        return ""
    height, width = found.image_size
    colours = drawing.instance_colours(found, settings.color_by)
    rows = []
    for row, colour in enumerate(colours):
        y1, x1, y2, x2 = np.rint(found.boxes[row]).astype(int)
        area = int(found.areas[row])
        share = f"{100 * area / (height * width):.1f} %"
        says = _says(found, row)
        rows.append(
            f'<tr data-row="{row}" tabindex="0" data-says="{says}, {share} of the image">'
            f'<td><span class="swatch" style="background: rgb{colour}"></span>{row + 1}</td>'
            f"<td>{html.escape(found.class_names[row])}</td><td>{percent(found.scores[row])}</td>"
            f"<td>{area:,} px</td><td>{share}</td><td>{x1}, {y1} to {x2}, {y2}</td></tr>"
        )
    return f"""
<div class="result rows"><table>
  <thead><tr><th scope="col">No.</th><th scope="col">Class</th><th scope="col">Score</th>
    <th scope="col">Area</th><th scope="col">Share</th><th scope="col">Box (x, y)</th></tr></thead>
  <tbody>{"".join(rows)}</tbody>
</table></div>"""
