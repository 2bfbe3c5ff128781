"""Which files a visitor may name: those that came by an upload, and no others."""

from pathlib import Path

REFUSAL = "Only files that were uploaded to this page are read: send the file itself, not a path or an address."


def check_files(document, folder):
    """Checks every file that is named anywhere in what `json.loads` gave, see `uploaded_path`.

    Raises:
        ValueError: if one was not uploaded.
    """
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("path") is not None:
                uploaded_path(part["path"], folder)
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            waiting.extend(part)


def uploaded_path(path, folder):
    """The path of an uploaded file, checked but not opened.

    Args:
        path: what came as the path, of any type.
        folder: path of the folder with the uploads.

    Returns:
        The path as it came. There may be no such file any more.

    Raises:
        ValueError: if it does not lie in the folder once links are resolved, or is a folder; always in the words of
            `REFUSAL`, so that nobody learns which files there are elsewhere.
    """
    try:
        resolved, folder = Path(path).resolve(), Path(folder).resolve()
        fits = Path(path).is_absolute() and folder in resolved.parents and not resolved.is_dir()
    except (TypeError, ValueError, OSError, RuntimeError):  # a list, a zero byte, a name too long, a loop of links
        fits = False
    if not fits:
        raise ValueError(REFUSAL)
    return path
