"""Visit a running demo as a first user would: load the page, send a photo, look at what comes back.

python tools/visit.py http://127.0.0.1:7860
"""

import sys
import tempfile
import time
import urllib.error
import urllib.request

from gradio_client import Client, handle_file
from PIL import Image
from skimage import data

PATIENCE = 180  # seconds until the page must be up


def main(url):
    start = time.monotonic()
    while True:
        try:
            page = urllib.request.urlopen(url, timeout=10).read().decode()
            break
        except (urllib.error.URLError, OSError):
            if time.monotonic() - start > PATIENCE:
                sys.exit(f"{url} did not answer within {PATIENCE} seconds")
            time.sleep(0.5)
    assert "gradio" in page, "the page is not a Gradio app"
    print(f"visit: page after {time.monotonic() - start:.1f} s")
    with tempfile.NamedTemporaryFile(suffix=".png") as photo:
        Image.fromarray(data.chelsea()).save(photo.name)
        answer = Client(url, verbose=False).predict(handle_file(photo.name), api_name="/segment")
    assert "cat" in str(answer), f"no cat in the answer: {answer}"
    print("visit: the cat is found")


if __name__ == "__main__":
    main(sys.argv[1])
