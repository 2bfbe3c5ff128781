"""Visit a running demo as a first user would: load the page, send a photo, look at what comes back.

python tools/visit.py http://127.0.0.1:7860
python tools/visit.py http://127.0.0.1:7860 --browser     # in Chromium as well: from the click to the image
"""

import argparse
import re
import shutil
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from gradio_client import Client, handle_file
from PIL import Image
from skimage import data

PATIENCE = 180  # seconds until the page must be up
ROUNDS = 10


def wait_for_page(url):
    """Asks for the page until it answers."""
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


def ask_endpoint(url, photo):
    answer = Client(url, verbose=False).predict(handle_file(photo), api_name="/segment")
    assert "cat" in str(answer), f"no cat in the answer: {answer}"
    print("visit: the cat is found")


def time_clicks(url, photo):
    """Prints how long a visitor waits for a photo's images, and how much of that is the network."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    waits, networks = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(url)
        page.wait_for_selector(".gallery-item img")
        page.get_by_label("Remove Image").click()  # the result that every visitor sees first
        for _ in range(ROUNDS + 1):
            page.wait_for_selector(".result .blank")
            start = time.perf_counter()
            page.set_input_files("#photo input[type=file]", photo)
            page.wait_for_function(
                "() => { const images = [...document.querySelectorAll('.result .image img')];"
                " return images.length === 2 && images.every((image) => image.complete); }",
                polling="raf",
            )
            waits.append(1000 * (time.perf_counter() - start))
            networks.append(float(re.search(r"in (\d+) ms", page.locator("#status").inner_text())[1]))
            page.get_by_label("Remove Image").click()
        browser.close()
    # The first round also fetches what the page loads only when it shows a photo.
    wait, network = statistics.median(waits[1:]), statistics.median(networks[1:])
    print(f"visit: {wait:.0f} ms from the click to both images, of which the network took {network:.0f} ms")
    print(f"visit: (medians of {ROUNDS} rounds with a photo of 640 x 480)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--browser", action="store_true", help="time it in Chromium (needs playwright)")
    chosen = parser.parse_args()
    wait_for_page(chosen.url)
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "chelsea.png"
        Image.fromarray(data.chelsea()[:, :400]).resize((640, 480)).save(photo)
        ask_endpoint(chosen.url, photo)
        if chosen.browser:
            time_clicks(chosen.url, photo)


if __name__ == "__main__":
    main()
