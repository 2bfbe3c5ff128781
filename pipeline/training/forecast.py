"""How long a run will take on this machine, told as soon as that can be known."""

import statistics

from pipeline.training.plan import PHOTO_RATIO

STEPS = 8  # measured; each canvas size compiles at its first step, which the median leaves out


class Forecast:
    """Measures the first steps of a sitting.

    Args:
        config: `TrainConfig`.
        step: int. The step that the sitting starts from.
        val: `CocoDataset` or None.
    """

    def __init__(self, config, step, val):
        self.config, self.step, self.val = config, step, val
        self.seconds = []

    def add(self, seconds):
        """Takes the seconds of a step; True once, when enough are known."""
        if len(self.seconds) >= STEPS:
            return False
        self.seconds.append(seconds)
        return len(self.seconds) == min(STEPS, self.config.steps - self.step)

    def sentence(self):
        """When the run will be done and when its first figure comes."""
        config, done = self.config, self.step + len(self.seconds)
        each = statistics.median(self.seconds)
        evaluation = each / config.batch_size * PHOTO_RATIO * len(self.val or ())
        first = config.evaluate_steps - self.step % config.evaluate_steps
        evaluations = (config.steps - done) // config.evaluate_steps + 1
        whole = (config.steps - done) * each + evaluations * evaluation
        text = f"{config.batch_size / each:.1f} photos a second: done in {_words(whole)}"
        if not self.val:
            return text
        return f"{text}, the first figure in {_words(max(0, first - len(self.seconds)) * each + evaluation)}"


def _words(seconds):
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours"
