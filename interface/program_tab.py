"""The For programs tab, the named endpoint /segment behind it, and the same as a tool of the MCP server."""

import json
import os
from pathlib import Path

import gradio as gr

from interface.downloads import Result, write_files
from interface.file_inputs import PhotoInput
from interface.safety.folder import random_folder
from interface.session import MODEL_PLACES
from interface.settings import Settings

GUIDE = """
## From Python

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

## From the command line, without this page

```
python -m mrcnn cat.jpg dog.jpg --out results --confidence 0.5
```

It writes the same document as `NAME.json`, beside the images.

## For assistants, by the Model Context Protocol

```
pip install "gradio[mcp]"
GRADIO_MCP_SERVER=True python app.py
```

Off unless whoever runs this page asks for it. The server's address is `{address}/gradio_api/mcp/`, its one tool
`segment_photo` takes a photo as a data URI and answers with the same document as text.

## In your own program

```python
from mrcnn import MaskRCNN

model = MaskRCNN.from_pretrained("{model}")
found = model.segment("cat.jpg", confidence=0.5)
found.masks, found.boxes, found.scores, found.class_names
```
"""
ADDRESS = "location.origin + location.pathname.replace(/\\/$/, '')"


def program_tab(models):
    """Builds the tab and the endpoint.

    Args:
        models: `interface.session.Models`.
    """
    default_model = models.names()[0]

    def run(photo, confidence, model, names):
        """Paths of the files of these names."""
        try:
            if photo is None:
                raise ValueError("A photo is needed, but none came.")
            if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
                raise ValueError(f"The confidence must lie between 0 and 1, but came as {str(confidence)[:40]}.")
            image, detections, milliseconds = models.look_at(model, photo, confidence)
            folder = random_folder(trigger.GRADIO_CACHE)
            result = Result(str(photo), Path(photo).name, detections, Settings(confidence), milliseconds)
            return list(write_files(folder, result, names, image))
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def segment(photo: str, confidence: float = 0.5, model: str = default_model):
        """Finds objects in a photo and their masks.

        Args:
            photo: the image file.
            confidence: lowest score that counts, 0 to 1.
            model: the model's name.
        """
        document, *images = run(photo, confidence, model, ["coco.json", "overlay.png", "semantic-classes.png"])
        return json.loads(document.read_bytes()), *map(str, images)

    def segment_photo(photo: str, confidence: float = 0.5, model: str = default_model):
        """Finds each object in a photo, with its class, score, box and exact mask.

        The answer is JSON, a COCO data set of this one photo: in `annotations` one entry an object, best score first,
        with `bbox` as x, y, width, height in pixels, `score` from 0 to 1, `area` in pixels and `segmentation` as
        compressed run lengths; `categories` holds the class names. No annotations means that nothing was found.

        Args:
            photo: the photo as a data URI; JPEG, PNG, WebP, HEIC and others. The server fetches no addresses.
            confidence: lowest score that counts, 0 to 1; lower finds more and errs more.
            model: name of the model, which decides what classes are found.
        """
        (document,) = run(photo, confidence, model, ["coco.json"])
        return document.read_text()

    words = GUIDE.replace("{model}", default_model)
    guide = gr.Markdown(words.replace("{address}", "http://127.0.0.1:7860"), elem_id="guide")
    # Behind a proxy only the browser knows where this page is.
    gr.on(None, None, None, guide, js=f"() => {json.dumps(words)}.replaceAll('{{address}}', {ADDRESS})")
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
        text = gr.Textbox(label="document")
    offered = {"api_visibility": "public", "concurrency_id": "model", "concurrency_limit": MODEL_PLACES}
    trigger.click(segment, inputs, outputs, api_name="segment", **offered)
    if os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true":  # as Gradio reads it
        # Gradio's server answers with str(...) of an endpoint's outputs, which for those of /segment is not JSON.
        segment._mcp_type = "endpoint"
        trigger.click(segment_photo, inputs, text, api_name="segment_photo", **offered)
