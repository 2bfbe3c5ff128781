"""Visit the browser edition as a first user would: open it in Chromium, give it a photo, look at what comes back.

python tools/visit_site.py http://127.0.0.1:8000
python tools/visit_site.py http://127.0.0.1:8000 --rounds 20     # and time a photo and the camera
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

from PIL import Image
from playwright.sync_api import sync_playwright
from skimage import data

PATIENCE = 180  # seconds
FLAGS = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


def wait_for_page(url):
    """Asks for the page until it answers."""
    start = time.monotonic()
    while True:
        try:
            return urllib.request.urlopen(url, timeout=10).read()
        except (urllib.error.URLError, OSError):
            if time.monotonic() - start > PATIENCE:
                sys.exit(f"{url} did not answer within {PATIENCE} seconds")
            time.sleep(0.2)


def visit(browser, url, photo, rounds):
    """Opens the page anew and gives it the photo so many times."""
    context = browser.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    requested = []
    context.on("request", lambda request: requested.append(request.url))
    start = time.perf_counter()
    page.goto(url)
    page.wait_for_selector("#cutouts li")
    example = time.perf_counter() - start
    page.wait_for_selector("html[data-ready]")
    ready = time.perf_counter() - start
    threads = page.get_attribute("html", "data-ready")
    print(f"visit: the example is there after {example:.1f} s, the network after {ready:.1f} s, on {threads} thread(s)")
    times = []
    for number in range(1, rounds + 2):
        page.set_input_files("#files", photo)
        if number > 1:
            page.wait_for_selector(f"#strip li:nth-child({number}) [aria-label$=': 1 cat']")
        page.wait_for_selector("#status:has-text('Found 1 cat')")
        times.append(float(re.search(r" in (\d+) ms", page.inner_text("#status"))[1]))
    print("visit: the cat is found")
    if rounds:
        print(f"visit: {statistics.median(times[1:]):.0f} ms a photo (median of {rounds}, best {min(times):.0f})")
        page.get_by_role("button", name="Live camera").click()
        page.wait_for_selector("#status:has-text('pictures a second')")
        rates = []
        for _ in range(10):
            page.wait_for_timeout(500)
            rates.append(float(re.search(r"([\d.]+) pictures", page.inner_text("#status"))[1]))
        print(f"visit: live, {statistics.median(rates):.1f} pictures a second")
    host = url.split("?")[0].rstrip("/")
    requested = [address for address in requested if not address.startswith("blob:")]
    elsewhere = {address for address in requested if not address.startswith(f"{host}/")}
    assert not elsewhere, f"the page asked elsewhere: {elsewhere}"
    print(f"visit: {len(requested)} requests, all to {host}")
    context.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--rounds", type=int, default=0, help="photos to time (default: none)")
    chosen = parser.parse_args()
    wait_for_page(chosen.url)
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        photo = Path(folder) / "chelsea.png"
        Image.fromarray(data.chelsea()).save(photo)
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        visit(browser, chosen.url, photo, chosen.rounds)
        if chosen.rounds:
            visit(browser, f"{chosen.url.rstrip('/')}/?threads=1", photo, chosen.rounds)
        browser.close()


if __name__ == "__main__":
    main()
