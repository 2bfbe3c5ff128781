"""Photographs the running page for the README: its first view, which the shipped model made of Chelsea (CC0).

python docs/figures/photograph.py        # writes page.png beside this file; needs Chromium and playwright
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from tools.app_process import running_app  # noqa: E402

SIZE = {"width": 1280, "height": 800}


def main():
    with running_app() as app, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport=SIZE)
        page.goto(app.address)
        page.wait_for_selector("#photo [aria-label='Remove Image']")
        page.wait_for_timeout(1000)  # pictures fade in
        page.screenshot(path=HERE / "page.png")
        chromium.close()


if __name__ == "__main__":
    main()
