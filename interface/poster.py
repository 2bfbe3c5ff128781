"""A poster on which all that was cut out of many photos stands in line."""

import io

from PIL import Image, ImageDraw

from mrcnn.results.lettering import font_for

WIDTH = 2000  # pixels
TALLEST = 6000
HEIGHTS = (240, 180, 130, 90)  # of a row: the largest at which the poster is not too tall
WIDEST = 2.2  # of a cut-out, over the height of its row
MOST = 300  # cut-outs
GROUND, FLOOR, INK = (246, 244, 239), (214, 208, 196), (60, 60, 66)
MARGIN, GAP, TITLE = 60, 14, 54


def thumbnail(cut):
    """A cut-out as small as a line-up needs it.

    Args:
        cut: uint8 `(h, w, 4)`, cropped to the object.

    Returns:
        bytes of a PNG with transparency.
    """
    small = Image.fromarray(cut)
    # Of a huge one, pixels are dropped first: to average transparent ones takes copies of all of them.
    small.thumbnail((8 * HEIGHTS[0], 8 * HEIGHTS[0]), Image.Resampling.NEAREST)
    stored = io.BytesIO()
    _fitted(small, HEIGHTS[0], 1).save(stored, "PNG", compress_level=1)
    return stored.getvalue()


class LineUp:
    """Takes cut-outs one by one and makes a poster of them.

    Attributes:
        left_out: int. Cut-outs beyond the most that there is room for.
    """

    def __init__(self):
        self._cutouts = []
        self.left_out = 0

    def __len__(self):
        return len(self._cutouts)

    def add(self, content):
        """Adds one.

        Args:
            content: bytes. What `thumbnail` made of it.
        """
        if len(self) >= MOST:
            self.left_out += 1
        else:
            self._cutouts.append(content)

    def draw(self, title):
        """The poster.

        Args:
            title: str. What stands below; that there are more than `MOST` is added.

        Returns:
            `PIL.Image.Image` of mode RGB, `WIDTH` wide and at most `TALLEST` tall; `None` if there is no cut-out.
        """
        if not self._cutouts:
            return None
        cutouts = [Image.open(io.BytesIO(content)).convert("RGBA") for content in self._cutouts]
        height, rows = _arranged(cutouts)
        tall = _tall(height, rows)
        poster = Image.new("RGB", (WIDTH, tall), GROUND)
        pen = ImageDraw.Draw(poster)
        floor = MARGIN
        for row in rows:
            floor += height + 2 * GAP
            pen.line([(MARGIN, floor), (WIDTH - MARGIN, floor)], FLOOR, 3)
            left = (WIDTH - _width(row)) // 2
            for cut in row:
                poster.paste(cut, (left, floor - cut.height), cut)
                left += cut.width + GAP
            floor += GAP
        if self.left_out:
            title = f"{title} (the first {MOST} are shown)"
        font, title = font_for(title, TITLE * 2 // 3)
        pen.text((WIDTH // 2, tall - MARGIN), title, INK, font, anchor="mb")
        return poster


def _fitted(cut, height, most=2):
    """The cut-out as large as a row of that height and `WIDEST` allow, but no more than `most` times its size."""
    scale = min(height / cut.height, WIDEST * height / cut.width, most)
    size = max(1, round(cut.width * scale)), max(1, round(cut.height * scale))
    return cut if size == cut.size else cut.resize(size, Image.Resampling.LANCZOS)


def _arranged(cutouts):
    """The largest height of a row at which the poster is not too tall, and the rows."""
    for height in HEIGHTS:
        rows = _rows([_fitted(cut, height) for cut in cutouts])
        if _tall(height, rows) <= TALLEST:
            return height, rows
    raise AssertionError("MOST cut-outs of the least height fit")


def _tall(height, rows):
    return 2 * MARGIN + TITLE + len(rows) * (height + 3 * GAP)


def _rows(cutouts):
    """The cut-outs in as few rows as there must be, all about as wide."""
    count = len(_wrapped(cutouts, WIDTH - 2 * MARGIN))
    narrow, wide = _width(cutouts) // count, WIDTH - 2 * MARGIN
    while narrow < wide:  # the least width at which there are no more rows
        middle = (narrow + wide) // 2
        narrow, wide = (narrow, middle) if len(_wrapped(cutouts, middle)) <= count else (middle + 1, wide)
    return _wrapped(cutouts, wide)


def _wrapped(cutouts, width):
    rows = [[]]
    for cut in cutouts:
        if rows[-1] and _width([*rows[-1], cut]) > width:
            rows.append([])
        rows[-1].append(cut)
    return rows


def _width(row):
    return sum(cut.width for cut in row) + GAP * (len(row) - 1)
