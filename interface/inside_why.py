"""Why an animal that somebody points at is not among the detections, in words and as an image."""

import html
import json

import numpy as np

from interface.inside_drawing import FOLLOWED, SCALE, more_boxes, tile, with_boxes
from interface.inside_view import STEPS
from mrcnn.missed import box_at, why_missed
from mrcnn.results.wording import percent

WANTED, RIVAL = (255, 255, 255), (90, 190, 255)
LEAST_DRAG = 0.02  # share of the picture's sides; what is dragged less far is a click
# Which step lost it, by the stage that `mrcnn.missed` names.
LOST_IN = {
    "anchors": "anchors, moved",
    "pre_nms": "is something there?",
    "proposal_nms": "proposals that stay",
    "top_n": "proposals that stay",
    "class": "what is it?",
    "moved": "what is it?",
    "detection_nms": "detections that stay",
    "limit": "detections that stay",
    "mask": "masks",
    "found": "masks on the photo",
}

# What the picture of the last step has so that the keyboard reaches it. A slider is what screen readers leave the arrow
# keys to, and whose value they say when it changes.
HANDLE = {
    "tabindex": "0",
    "role": "slider",
    "aria-label": "The result. Arrow keys move a cursor, with Shift by less. Enter asks why nothing was found there. "
    "Space holds a corner of a box, whose other corner is the cursor; Escape lets it go.",
}
# A click, or a box that is dragged, on that picture, as shares of its sides. By keyboard the arrows move a cursor, and
# Enter asks.
POINTING_SCRIPT = """
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const REACH = 0.02, CURSOR = 12;  // how far an arrow goes, as a share; pixels from the cursor's middle to its edge
let from = null, cursor = [0.5, 0.5], corner = null;
const frame = Object.assign(document.createElement("div"), { className: "drag" });
const share = (value) => Math.min(1, Math.max(0, value));
const place = (event, image) => {
  const box = image.getBoundingClientRect();
  return [share((event.clientY - box.top) / box.height), share((event.clientX - box.left) / box.width)];
};
const between = ([y, x], [otherY, otherX]) =>
  [Math.min(y, otherY), Math.min(x, otherX), Math.max(y, otherY), Math.max(x, otherX)];
// A frame around a box on the picture, so many pixels further out.
const show = (image, [top, left, bottom, right], more = 0) => {
  const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = image;
  Object.assign(frame.style, {
    left: `${offsetLeft + left * offsetWidth - more}px`,
    top: `${offsetTop + top * offsetHeight - more}px`,
    width: `${(right - left) * offsetWidth + 2 * more}px`,
    height: `${(bottom - top) * offsetHeight + 2 * more}px`,
  });
  image.closest("figure").append(frame);
};
const end = () => { frame.remove(); from = null; };

element.addEventListener("pointerdown", (event) => {
  const image = event.target.closest(".why img");
  if (!image) return;
  event.preventDefault();
  end();
  from = { image, at: place(event, image) };
});
window.addEventListener("pointermove", (event) => {
  if (from) show(from.image, between(from.at, place(event, from.image)));
});
window.addEventListener("pointerup", (event) => {
  if (!from) return;
  const box = between(from.at, place(event, from.image));
  end();
  trigger("select", { box });
});
window.addEventListener("pointercancel", end);

const tell = (image) => {
  const [down, across] = cursor.map((value) => Math.round(100 * value));
  image.ariaValueNow = across;
  image.ariaValueText = `${across} % from the left, ${down} % from the top${corner ? ", a corner is held" : ""}`;
};
const showCursor = (image) => {
  show(image, between(corner ?? cursor, cursor), corner ? 0 : CURSOR);
  tell(image);
};
element.addEventListener("keydown", (event) => {
  const image = event.target.closest(".why img");
  if (!image || event.ctrlKey || event.altKey || event.metaKey) return;
  const way = ARROWS[event.key];
  if (way) cursor = cursor.map((value, side) => share(value + way[side] * REACH * (event.shiftKey ? 0.2 : 1)));
  else if (event.key === " ") corner = cursor;
  else if (event.key === "Escape") corner = null;
  else if (event.key !== "Enter") return;
  event.preventDefault();
  if (event.key === "Enter") {
    trigger("select", { box: between(corner ?? cursor, cursor) });
    corner = null;
  }
  showCursor(image);
});
element.addEventListener("focusin", (event) => { if (event.target.matches(".why img")) showCursor(event.target); });
// Later: it may be Gradio that takes the focus, in the middle of its own changes.
element.addEventListener("focusout", () => queueMicrotask(() => { corner = null; end(); }));

// An answer brings another picture, and takes away what its HTML did not have.
const dress = () => {
  const image = element.querySelector(".why img");
  if (!image || image.ariaValueText) return;
  for (const [name, value] of Object.entries(HANDLE)) image.setAttribute(name, value);
  if (image === document.activeElement) showCursor(image); else tell(image);
};
const changes = { childList: true, subtree: true, attributeFilter: ["src", "aria-valuetext"] };
new MutationObserver(dress).observe(element, changes);
dress();
""".replace("HANDLE", json.dumps(HANDLE))


def why_html(walk, shares):
    """The answer for a place on the photo.

    Args:
        walk: `interface.inside_walk.Walk`.
        shares: list of 4 floats, 0 to 1: upper, left, lower and right edge of what was dragged, as shares of the
            photo's sides. Where it is tiny it is a click.

    Returns:
        str. HTML in place of the last step's tiles.

    Raises:
        ValueError: if it is no such list.
    """
    try:
        y1, x1, y2, x2 = (float(share) for share in shares)
    except (TypeError, ValueError):
        raise ValueError("A place on the photo is four numbers.") from None
    if not (0 <= y1 <= y2 <= 1 and 0 <= x1 <= x2 <= 1):
        raise ValueError("A place on the photo is four numbers from 0 to 1.")
    seen = walk.seen
    top, left, bottom, right = seen.window
    box = np.array([y1, x1, y2, x2]) * np.array([bottom - top, right - left] * 2) + [top, left, top, left]
    if min(y2 - y1, x2 - x1) < LEAST_DRAG:
        y, x = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        row = _mask_at(walk, (y1 + y2) / 2, (x1 + x2) / 2)
        if row is not None:
            return _answer(walk, f"That is {walk.name(row)}: it was found.", None, seen.found_boxes[row], None)
        box = box_at(seen, y, x)
        if box is None:
            words = "No anchor of the network was moved around this place, so it never looked here."
            return _answer(walk, words, np.array([y - 4, x - 4, y + 4, x + 4]), None, None)
    verdict = why_missed(seen, box)
    number = 1 + [step.title for step in STEPS].index(LOST_IN[verdict.stage])
    words = _words(walk, verdict)
    if verdict.stage != "found":
        words = f"<b>Lost in step {number}, {html.escape(LOST_IN[verdict.stage])}.</b> {words}"
    return _answer(walk, words, verdict.box, verdict.own, verdict.rival)


def _mask_at(walk, y, x):
    """The detection whose mask covers a place, given as shares of the photo's sides, or `None`."""
    found = walk.shown()
    height, width = found.image_size
    row, column = min(int(y * height), height - 1), min(int(x * width), width - 1)
    return next((index for index, mask in enumerate(found.masks) if mask[row, column]), None)


def _words(walk, verdict):
    seen, numbers = walk.seen, verdict.numbers
    names = seen.detections.class_names
    rival = None if verdict.row is None else walk.name(verdict.row)
    name = html.escape(names[numbers["class_id"] - 1]) if "class_id" in numbers else ""
    match verdict.stage:
        case "found":
            return f"That is {rival}: it was found."
        case "anchors":
            return (
                f"None of the {len(seen.moved):,} anchors was moved onto it: the nearest overlaps it by an IoU of "
                f"{numbers['anchor_iou']:.2f}, and 0.50 would be about the same box."
            )
        case "pre_nms":
            return (
                f"{numbers['anchors']} anchors were moved onto it, but the surest is {percent(numbers['objectness'])} "
                f"sure of an object: rank {numbers['rank']:,}, and only the first {numbers['limit']} go on."
            )
        case "proposal_nms":
            return (
                f"Its best box overlaps a surer proposal by {numbers['iou']:.2f}, more than the "
                f"{numbers['allowed']:.2f} that suppression allows, so only the other one was looked at again."
            )
        case "top_n":
            return f"Suppression spared it, but only the best {numbers['limit']} proposals are looked at again."
        case "class":
            return (
                f"{numbers['proposals']} proposals lie on it, but the box head is at most {percent(numbers['score'])} "
                f"sure of {_article(name)} there, and {percent(seen.confidence)} is asked for."
            )
        case "moved":
            where = f"onto {rival}" if rival else "elsewhere"
            return (
                f"The box head is {percent(numbers['score'])} sure of {_article(name)}, but moved the box {where}: it "
                f"overlaps what you marked by {numbers['iou']:.2f} only."
            )
        case "detection_nms":
            return (
                f"The box head is {percent(numbers['score'])} sure of {_article(name)}, but this box overlaps that of "
                f"{rival} by {numbers['iou']:.2f}, more than the {numbers['allowed']:.2f} allowed for two."
            )
        case "mask":
            return (
                f"The box head is {percent(numbers['score'])} sure of {_article(name)}, but of its outline the mask "
                f"head is not: together that is {percent(numbers['with_mask'])}, and {percent(seen.confidence)} is "
                "asked for."
            )
        case "limit":
            return (
                f"The box head is {percent(numbers['score'])} sure of {_article(name)}, but no more than "
                f"{numbers['limit']} detections are shown."
            )
    raise AssertionError(verdict.stage)


def _article(name):
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _answer(walk, words, wanted, own, rival):
    # Without dimming, on the canvas: its boxes are the network's own.
    image = with_boxes(walk.seen.canvas, [], WANTED, dim=False)
    for box, colour, width in ((rival, RIVAL, 6), (own, FOLLOWED, 6), (wanted, WANTED, 3)):
        if box is not None:
            image = more_boxes(image, box, colour, width)
    top, left, bottom, right = (SCALE * edge for edge in walk.seen.window)
    nearest = "the box that came nearest" if wanted is not None else "its box"
    legend = [
        *['<span class="wanted">white</span> what you marked'] * (wanted is not None),
        *[f'<span class="own">orange</span> {nearest}'] * (own is not None),
        *['<span class="rival">blue</span> the one that won'] * (rival is not None),
    ]
    picture = tile(
        image[top:bottom, left:right], "Click an animal that was missed, or drag a box around it", name="wide why"
    )
    # In place of the picture before it, from the first on, so that the keyboard stays on it.
    handle = " ".join(f'{name}="{value}"' for name, value in HANDLE.items())
    picture = picture.replace("<img ", f"<img {handle} ", 1)
    return f'{picture}<div class="verdict" role="status"><p>{words}</p><p class="legend">{", ".join(legend)}</p></div>'
