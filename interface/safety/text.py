"""Words of strangers, such as names of files, where they would be read as more than words."""

import re

MARKDOWN = re.compile(r"([\\`*_\[\]<>#!|~&$])")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def markdown_text(text):
    """Text that Markdown shows as it is: a file may be called `![](http://...)`, which would fetch a picture."""
    return MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def table_cell(value):
    """A value for a CSV file that spreadsheets show as it is: a file may be called `=HYPERLINK(...)`."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def sorry(error):
    """What a tab's status says of an error, as Markdown."""
    return f"**Sorry.** {markdown_text(str(error))}"
