"""Who was in a clip, and for how long: the sum of what the tracker said of each of its images."""

import csv
import dataclasses
import io

from interface.safety.text import table_cell
from mrcnn.results.wording import counted_names

LEAST = 0.5  # seconds; what was in sight for less is taken for an error and not counted
COLUMNS = ["number", "class", "first_s", "last_s", "present_s", "present_min", "images", "best_score"]


@dataclasses.dataclass
class Stay:
    """One object over a clip.

    Attributes:
        class_name: str.
        first, last: float. When it was first and last seen, in seconds from the start of the clip.
        seconds: float. How long it was in sight altogether.
        images: int. In how many images it was seen.
        score: float. The best of its scores.
    """

    class_name: str
    first: float
    last: float
    seconds: float = 0.0
    images: int = 0
    score: float = 0.0


class Presence:
    """Adds up a clip image by image.

    Attributes:
        most: int. Objects in one image at most.
    """

    def __init__(self):
        self._stays = {}  # number -> Stay
        self._shown, self._until, self._start = [], None, None
        self.most = 0

    def add(self, found, numbers, seconds):
        """Adds an image.

        Args:
            found: `mrcnn.Instances` in it.
            numbers: `N` ints from 0 that are each object's own for the whole clip.
            seconds: float. When the image is shown.
        """
        self._start = seconds if self._start is None else self._start
        if self._until is not None:
            self._pass(seconds - self._until)
        self._until, self._shown = seconds, [int(number) for number in numbers]
        now = seconds - self._start
        for row, number in enumerate(self._shown):
            stay = self._stays.setdefault(number, Stay(found.class_names[row], now, now))
            stay.last, stay.images = now, stay.images + 1
            stay.score = max(stay.score, float(found.scores[row]))
        self.most = max(self.most, len(found))

    def _pass(self, seconds):
        """What an image shows is in sight until the next one."""
        for number in self._shown:
            self._stays[number].seconds += seconds

    def close(self, seconds):
        """Says for how long the last image is shown."""
        self._pass(seconds)
        self._shown = []

    def stays(self):
        """`(number from 1, Stay)` of each object that counts, in the order in which they came."""
        return [(number + 1, stay) for number, stay in sorted(self._stays.items()) if stay.seconds >= LEAST]

    def counted(self):
        """How many objects there were, in words: `"3 cats"`, `"1 cat and 2 dogs"` or `"nothing"`."""
        return counted_names([stay.class_name for _, stay in self.stays()])

    def table(self):
        """The stays as CSV, bytes; `COLUMNS` says which columns."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for number, stay in self.stays():
            times = [round(value, 2) for value in (stay.first, stay.last, stay.seconds)]
            minutes = round(stay.seconds / 60, 3)
            writer.writerow([number, table_cell(stay.class_name), *times, minutes, stay.images, round(stay.score, 4)])
        return text.getvalue().encode()
