"""The drawn dog among the examples."""

import numpy as np
from PIL import Image

from interface.collage import SIZE
from interface.drawn_dog import write_dog
from interface.result_view import sentence
from interface.session import Models
from interface.settings import Settings


def test_a_dog_is_no_cat_and_the_answer_says_only_that(tmp_path):
    path, title = write_dog(tmp_path)
    with Image.open(path) as image:
        assert image.size == SIZE
        assert np.asarray(image).std() > 30, "something is drawn"
    assert "dog" in title
    analysis = Models().analyse("cat", path)
    assert not len(analysis.detections.instances(0.1))
    assert sentence(analysis, Settings()).startswith("No cat here, decided in")
