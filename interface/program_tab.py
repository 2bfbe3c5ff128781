"""The For programs tab, and the named endpoint /segment behind it."""

from pathlib import Path

import gradio as gr

from interface.photo_input import PhotoInput
from mrcnn import drawing
from mrcnn.coco_json import coco_document
from mrcnn.pictures import read_picture

GUIDE = """
### From Python

```python
from gradio_client import Client, handle_file

client = Client("{address}")
document, overlay, semantic = client.predict(
    handle_file("cat.jpg"), confidence=0.5, model="{model}", api_name="/segment"
)
```

`document` is a COCO data set of this one photo: `annotations` with `bbox` (`x, y, width, height` in pixels), `score`,
`area` and `segmentation` (run lengths, as pycocotools reads them), `categories` with the class names, and the time the
model took in `info`. `overlay` and `semantic` are paths of two PNG files at the photo's own size; the pixels of the
second one are class ids, 0 is the background.

### From the command line, without this page

```
python -m mrcnn cat.jpg dog.jpg --out results --confidence 0.5
```

### In your own program

```python
from mrcnn import MaskRCNN

model = MaskRCNN.from_pretrained("{model}")
found = model.segment("cat.jpg", confidence=0.5)
found.masks, found.boxes, found.scores, found.class_names
```
"""


def program_tab(models):
    """Builds the tab and the endpoint.

    Args:
        models: `interface.session.Models`.
    """
    default_model = models.names()[0]

    def segment(photo: str, confidence: float = 0.5, model: str = default_model):
        """Finds objects in a photo and their masks.

        Args:
            photo: the picture file.
            confidence: lowest score that counts, 0 to 1.
            model: the model's name.
        """
        try:
            if photo is None:
                raise ValueError("A photo is needed, but none came.")
            if not 0 <= confidence <= 1:
                raise ValueError(f"The confidence must lie between 0 and 1, but came as {confidence}.")
            picture = read_picture(photo)
            detections, milliseconds = models.detect(model, picture, confidence)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None
        found = detections.instances(confidence)
        document = coco_document(found, Path(photo).name, detections.class_names, milliseconds)
        return document, drawing.draw_instances(picture, found), drawing.semantic_image(found.semantic_map())

    gr.Markdown(GUIDE.format(model=default_model, address="http://127.0.0.1:7860"), elem_id="guide")
    # The endpoint's own inputs and outputs: in no browser, only in the API.
    with gr.Row(visible=False):
        inputs = [
            PhotoInput(type="filepath", image_mode=None, label="photo"),
            gr.Number(0.5, label="confidence"),
            gr.Textbox(default_model, label="model"),
        ]
        outputs = [
            gr.JSON(label="document"),
            gr.Image(format="png", label="overlay"),
            gr.Image(format="png", label="semantic", image_mode=None),
        ]
        trigger = gr.Button()
    trigger.click(
        segment,
        inputs,
        outputs,
        api_name="segment",
        api_visibility="public",
        concurrency_id="model",
        concurrency_limit=1,
    )
