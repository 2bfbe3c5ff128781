"""Going from tab to tab as a person does."""

from playwright.sync_api import TimeoutError as PlaywrightTimeout

LOOK = 5000  # milliseconds


def open_tab(page, name):
    """Clicks a tab, which hides in the menu "More tabs" where the window is too narrow for all of them.

    Gradio measures the window after the page has appeared and moves tabs into the menu then: a tab may leave between
    being seen and being clicked, so both ways are tried in turn.
    """
    tab = page.get_by_role("tab", name=name, exact=True)
    menu = page.get_by_role("button", name="More tabs")
    tab.or_(menu).first.wait_for()
    for attempt in range(10):
        try:
            if tab.is_visible():
                tab.click(timeout=LOOK)
            else:
                menu.click(timeout=LOOK)
                entry = page.locator(".overflow-dropdown").get_by_role("button", name=name, exact=True)
                entry.click(timeout=LOOK)
            return
        except PlaywrightTimeout:
            if attempt == 9:
                raise
