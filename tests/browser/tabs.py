"""Going from tab to tab as a person does."""


def open_tab(page, name):
    """Clicks a tab, which hides in the menu "More tabs" where the window is too narrow for all of them."""
    tab = page.get_by_role("tab", name=name, exact=True)
    menu = page.get_by_role("button", name="More tabs")
    tab.or_(menu).first.wait_for()
    if not tab.is_visible():
        menu.click()
        tab = page.locator(".overflow-dropdown").get_by_role("button", name=name, exact=True)
    tab.click()
