"""Names of files are shown as names."""

import pytest

from interface.safety.text import markdown_text, table_cell


@pytest.mark.parametrize("name", ["![x](http://a.example/b.png)", "<img src=x>", "[a](javascript:b)", "`a`", "**a**"])
def test_nothing_of_a_name_is_markdown(name):
    shown = markdown_text(name)
    for mark in "![<`*":
        assert f"\\{mark}" in shown if mark in name else True
    assert shown.replace("\\", "") == name


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@a", "\ta"])
def test_no_name_is_a_formula(name):
    assert table_cell(name) == f"'{name}"


def test_other_cells_stay():
    assert [table_cell(value) for value in ("a.png", 3, -0.5)] == ["a.png", 3, -0.5]
