"""How a run is asked to stop."""

import signal


class StopRequest:
    """Ctrl-C, `kill` or a closing terminal: the step under way is finished, so that the checkpoint is of one piece.

    A second one raises `KeyboardInterrupt` at once; the checkpoint is then an earlier one.

    Attributes:
        asked: bool. Whether the run shall stop.
    """

    def __init__(self):
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
