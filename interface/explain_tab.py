"""The How it works tab."""

from pathlib import Path

import gradio as gr

from interface.dataset_folder import chosen_folder

FIGURES = Path(__file__).resolve().parent.parent / "docs" / "figures"

KINDS = """
## Two questions about the same photo

**What is at this pixel?** is *semantic* segmentation: each pixel gets a class, cat or background. Three cats that lie
on one another are one patch of cat. **Which object is this pixel part of?** is *instance* segmentation: each cat gets
a mask of its own, and can be counted, followed, or cut out. The second answer contains the first: merge the masks of
each class, and the semantic map appears. That is how this page makes the map on the right, so both always agree.
"""

NETWORK = """
## How Mask R-CNN answers both

Faster R-CNN already *finds* objects. A backbone turns the photo into feature maps, a pyramid of them serves small and
large objects alike, and a small network slides over it and proposes regions that may hold something. For each proposal
RoIAlign reads a fixed grid of features out of the pyramid, and the box head decides what it is and where exactly its
edges run.

Mask R-CNN (He, Gkioxari, Dollár and Girshick, 2017) adds **one branch**: a few convolutions that look at the same kind
of grid and say for each of its cells *object or not*, once for each class. Which class counts is for the box head to
decide, so classes do not compete inside a mask. The small mask is then stretched over its box.

Two details carry the result. **RoIAlign** reads features *between* the cells of the map, bilinearly, rather than
rounding to the nearest cell; rounding would shift a mask by several pixels. And the mask is learned with a **loss of
its own**, a yes-or-no for every cell, beside the four of Faster R-CNN: object or not and box of the proposals, class
and box of the detections.
"""

READING = """
## Reading the page

- **Confidence** is the box head's score. Lower it to see what the network also considered.
- **Compare** slides the photo over the result. A click into a picture enlarges it; there wheel, fingers and keys zoom.
- **An object that is pressed** lifts as a sticker, to drag out of the page, copy or save. Labels of more than six
  objects are numbers alone: pointing at one tells the rest.
- **Masks, Outlines, Cut-out, Sticker, Blurred** and **Only cats in colour** are looks; what they set, and more, lies
  under **Fine-tune**. The page's address carries look, confidence and model, and nothing of a photo.
- **Drop or paste** a photo anywhere on the page.
- **Mask threshold** is the probability above which a pixel belongs to an object. Higher gives tighter masks.
- **Classes** appears for models that know several. What is not chosen is left out of images, table and downloads.
- **Download** gives files at the photo's own size, and a small animation of before and after. The COCO files open in
  pycocotools and supervision; labelme opens its file once it lies beside the photo.
- **Live**, **Video** and **Many photos** use the model in the same way. In Live an object keeps its colour for as long
  as its boxes overlap from image to image; in Video it is known again by its colours when it comes back.
- **Correct** turns what was found into layers to brush. **Inside** shows how the network came to its result.
- Overlapping masks: in both images the object with the higher score lies on top.
- The cheetah and the lion among the examples are cats to a biologist. This model was taught house cats.

**Privacy.** What you send and what is made of it stays in a temporary folder and in the memory of the server for at
most two hours after you last used it, and is then deleted. Nobody looks at it, nothing is learned from it, and the page
sends nothing anywhere else.
"""
KEPT_HERE = """
On this machine corrected photos are kept, to be trained on: "Save to data set" in the tab Correct puts them into a
folder.
"""


def explain_tab():
    """Builds the tab."""
    gr.Markdown(KINDS)
    _figure(
        "segmentation.png",
        "A photo of three cats; as a semantic map in one colour; as instances in three colours.",
    )
    gr.Markdown(NETWORK)
    _figure("mask_rcnn.png", "The stages of Mask R-CNN from photo to masks, with the mask branch set apart.")
    gr.Markdown(READING + (KEPT_HERE if chosen_folder() else ""))


def _figure(name, alternative):
    # Relative, so that it holds behind a proxy that serves the page below a path of its own.
    address = f"gradio_api/file={FIGURES / name}"
    gr.HTML(
        f'<img class="explanation" src="{address}" alt="{alternative}" loading="lazy">',
        apply_default_css=False,
    )
