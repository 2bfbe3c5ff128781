"""A result as HTML: both images, a shape over each object to point at, the legend, and the table of objects."""

import dataclasses
import html

import numpy as np

from interface.encoding import data_uri, jpeg, png
from interface.settings import Settings
from mrcnn.results import drawing
from mrcnn.results.polygons import mask_polygons
from mrcnn.results.wording import counted, percent

EMPTY = """
<div class="result empty" data-testid="empty">
  <div class="images">
    <figure class="instances"><div class="frame blank"><p>Each in its own colour</p></div>
      <figcaption>Instances</figcaption></figure>
    <figure class="semantic"><div class="frame blank"><p>What is where, pixel by pixel</p></div>
      <figcaption>Semantic map</figcaption></figure>
  </div>
  <p class="pointed"></p>
</div>
"""
MOST_CLASSES = 6  # in the legend
# What can be done with each of the images; the last one lies on the result in the view "Compare".
TOOLS = """
      <div class="tools">
        <button type="button" data-do="copy" aria-label="Copy the {name}" title="Copy">
          <svg viewBox="0 0 24 24"><path d="M9 9h11v11H9zM5 15H4V4h11v1"/></svg></button>
        <button type="button" data-do="enlarge" aria-label="Enlarge the {name}" title="Enlarge">
          <svg viewBox="0 0 24 24"><path d="M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7"/></svg></button>
      </div>"""
WIPE = """
  <label class="wipe"><span>Photo</span><input type="range" min="0" max="100" value="50" step="1"
    aria-label="How much of the photo is seen, from the left"><span>Result</span></label>"""


def images_html(analysis, settings, state=""):
    """Both images of an analysis.

    Args:
        analysis: `interface.session.Analysis`.
        settings: `interface.settings.Settings`.
        state: str. What a link to this view says behind the question mark, see `interface.shared_state`.

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
    hint = "Point at an object to learn more, press it to lift it as a sticker." if len(seen) else ""
    legend = f"Semantic map {_legend(semantic_map, class_names)}"
    look = settings.look or ""
    return f"""
<div class="result" data-state="{html.escape(state)}" data-look="{html.escape(look)}">
  <div class="images">
    {_figure("instances", "Instances", instance_image, shapes, f"The photo with {words} marked", WIPE)}
    {_figure("semantic", legend, semantic_image, shapes, f"Map of the classes with {words}")}
  </div>
  <p class="pointed" aria-live="polite" data-hint="{hint}">{hint}</p>
</div>
"""


def sentence(analysis, settings):
    """In words: what was found, how surely, and how long it took."""
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
    if len(scores) and scores[0] >= Settings.confidence:  # only because the visitor asked for more
        return f"No {names} above {percent(settings.confidence)} {took}; the surest is at {percent(scores[0])}."
    return f"No {names} here, decided {took}."


def _figure(name, caption, image, shapes, alternative, more=""):
    height, width = image.shape[:2]
    address = data_uri(png(image, 1) if image.shape[2] == 4 else jpeg(image))
    # As large as the frame allows. Frames do not change with the photo, so nothing below them moves.
    size = f"aspect-ratio: {width} / {height}; width: min(100cqw, 100cqh * {width / height:.4f})"
    tools = TOOLS.format(name={"instances": "instances", "semantic": "semantic map"}[name])
    return f"""
<figure class="{name}" style="--ratio: {width / height:.4f}">
  <div class="frame">
    <div class="image{" clear" if image.shape[2] == 4 else ""}" style="{size}">
      <img src="{address}" alt="{alternative}" width="{width}" height="{height}" decoding="sync">
      <svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">{shapes}</svg>
      <div class="before" aria-hidden="true"></div>{tools}
    </div>
  </div>
  <figcaption>{caption}</figcaption>{more}
</figure>"""


def _legend(semantic_map, class_names):
    """The colour, name and share of each class that there is, the largest first; the background comes last."""
    pixels = np.bincount(semantic_map.ravel())
    present = sorted(np.flatnonzero(pixels[1:]) + 1, key=lambda class_id: -pixels[class_id])
    entries = [(class_names[int(class_id)], int(class_id)) for class_id in present[:MOST_CLASSES]]
    entries += [("background", 0)] if pixels[0] else []
    lines = [
        f'<li><span class="swatch" style="background: rgb{drawing.class_colour(class_id)}"></span>'
        f"{html.escape(name)} {100 * pixels[class_id] / semantic_map.size:.1f} %</li>"
        for name, class_id in entries
    ]
    if len(present) > MOST_CLASSES:
        lines.append(f"<li>and {len(present) - MOST_CLASSES} more</li>")
    return f'<ul class="legend" aria-label="Shares of the image">{"".join(lines)}</ul>'


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
        says, title = _says(found, row), html.escape(f"{found.class_names[row]} {row + 1}")
        rows.append(
            f'<tr data-row="{row}" tabindex="0" data-says="{says}, {share} of the image">'
            f'<td><span class="swatch" style="background: rgb{colour}"></span>{row + 1}</td>'
            f"<td>{html.escape(found.class_names[row])}</td><td>{percent(found.scores[row])}</td>"
            f"<td>{area:,} px</td><td>{share}</td><td>{x1}, {y1} to {x2}, {y2}</td>"
            f'<td><button type="button" data-lift="{row}" aria-label="Lift {title} as a sticker">Lift</button></td>'
            "</tr>"
        )
    return f"""
<div class="result rows"><table>
  <thead><tr><th scope="col">No.</th><th scope="col">Class</th><th scope="col">Score</th>
    <th scope="col">Area</th><th scope="col">Share</th><th scope="col">Box (x, y)</th>
    <th scope="col">Sticker</th></tr></thead>
  <tbody>{"".join(rows)}</tbody>
</table></div>"""
