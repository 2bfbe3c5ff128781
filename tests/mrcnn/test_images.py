import os

import numpy as np
import pytest
from PIL import Image

from mrcnn.images import distinct_stems, read_image, read_reduced

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters():
    """An image of 64 x 48 pixels: red, green / blue, white."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32], image[:24, 32:], image[24:, :32], image[24:, 32:] = RED, GREEN, BLUE, WHITE
    return image


def corners(image):
    return [tuple(int(value) for value in image[row, column]) for row in (4, -5) for column in (4, -5)]


def test_rgb_arrays_pass_unchanged():
    np.testing.assert_array_equal(read_image(quarters()), quarters())


@pytest.mark.parametrize("name", ["photo.png", "photo.bmp", "photo.tiff", "photo.gif"])
def test_files_without_loss(tmp_path, name):
    Image.fromarray(quarters()).save(tmp_path / name)
    for path in (tmp_path / name, str(tmp_path / name)):
        np.testing.assert_array_equal(read_image(path), quarters())


@pytest.mark.parametrize("name", ["photo.jpg", "photo.webp", "photo.heic", "photo.avif"])
def test_files_with_loss(tmp_path, name):
    Image.fromarray(quarters()).save(tmp_path / name)
    read = read_image(tmp_path / name)
    assert read.dtype == np.uint8 and read.shape == (48, 64, 3)
    np.testing.assert_allclose(corners(read), [RED, GREEN, BLUE, WHITE], atol=12)


@pytest.mark.parametrize(
    "orientation, expected",
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ],
)
def test_exif_rotation(tmp_path, orientation, expected):
    image = Image.fromarray(quarters())
    exif = image.getexif()
    exif[274] = orientation
    image.save(tmp_path / "turned.png", exif=exif)
    read = read_image(tmp_path / "turned.png")
    assert corners(read) == expected
    assert read.shape == ((64, 48, 3) if orientation > 4 else (48, 64, 3))


def test_cmyk_jpeg(tmp_path):
    Image.fromarray(quarters()).convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    np.testing.assert_allclose(corners(read_image(tmp_path / "print.jpg")), [RED, GREEN, BLUE, WHITE], atol=12)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "YCbCr", "HSV"])
def test_pillow_modes(mode):
    image = quarters() if mode not in ("L", "1", "LA") else np.repeat(quarters()[..., 2:], 3, axis=2)
    read = read_image(Image.fromarray(image).convert(mode))
    np.testing.assert_allclose(corners(read), corners(image), atol=3)


def test_transparency_lies_on_white(tmp_path):
    rgba = np.dstack([quarters(), np.full((48, 64), 255, np.uint8)])
    rgba[:24, :32, 3] = 0
    rgba[:24, 32:, 3] = 128
    read = read_image(rgba)
    assert corners(read) == [WHITE, (127, 255, 127), BLUE, WHITE]
    Image.fromarray(rgba).save(tmp_path / "clear.png")
    np.testing.assert_array_equal(read_image(tmp_path / "clear.png"), read)


def test_palette_with_a_transparent_colour(tmp_path):
    image = Image.fromarray(quarters()).quantize(4)
    image.save(tmp_path / "palette.png", transparency=image.getpixel((4, 4)))
    assert corners(read_image(tmp_path / "palette.png")) == [WHITE, GREEN, BLUE, WHITE]


def test_sixteen_bits(tmp_path):
    ramp = np.linspace(0, 65535, 48 * 64).reshape(48, 64).astype(np.uint16)
    expected = np.repeat(np.rint(ramp[..., None] / 257).astype(np.uint8), 3, axis=2)
    np.testing.assert_array_equal(read_image(ramp), expected)
    for name in ("deep.png", "deep.tiff"):
        Image.fromarray(ramp).save(tmp_path / name)
        np.testing.assert_array_equal(read_image(tmp_path / name), expected)


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.fromarray(quarters()), Image.new("RGB", (64, 48), "black")]
    for name in ("moving.gif", "moving.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        assert corners(read_image(tmp_path / name)) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize(
    "array, value",
    [
        (np.full((32, 40), 7, np.uint8), 7),
        (np.full((32, 40, 1), 7, np.uint8), 7),
        (np.ones((32, 40), bool), 255),
        (np.full((32, 40, 3), 0.2), 51),
        (np.full((32, 40, 3), 9, np.int64), 9),
        (np.dstack([np.full((32, 40), 7, np.uint8), np.full((32, 40), 255, np.uint8)]), 7),
    ],
    ids=["grey", "one channel", "bool", "float", "int64", "grey and alpha"],
)
def test_kinds_of_arrays(array, value):
    read = read_image(array)
    assert read.shape == (32, 40, 3) and read.dtype == np.uint8
    assert (read == value).all()


@pytest.mark.parametrize(
    "array, message",
    [
        (np.zeros((48, 64, 5), np.uint8), r"shape.*\(48, 64, 5\)"),
        (np.zeros((2, 48, 64, 3), np.uint8), r"shape.*\(2, 48, 64, 3\)"),
        (np.zeros((31, 64, 3), np.uint8), "64 x 31 pixels.*at least 32"),
        (np.zeros((0, 0, 3), np.uint8), "0 x 0 pixels.*at least 32"),
        (np.broadcast_to(np.uint8(0), (8000, 8000, 3)), "8000 x 8000 pixels.*50 megapixels"),
        (np.full((48, 64, 3), 255.0), "between 0 and 1.*255"),
        (np.full((48, 64, 3), np.nan), "between 0 and 1"),
        (np.full((48, 64, 3), 300), "between 0 and 255.*300"),
        (np.full((48, 64, 3), "x"), "numbers"),
        (None, "path, a PIL image or a numpy array.*NoneType"),
    ],
)
def test_refused_arrays(array, message):
    with pytest.raises(ValueError, match=message) as error:
        read_image(array)
    assert str(error.value).count("\n") == 0


def test_refused_files(tmp_path):
    with pytest.raises(ValueError, match=r"There is no file"):
        read_image(tmp_path / "missing.png")
    with pytest.raises(ValueError, match=r"is a folder"):
        read_image(tmp_path)
    (tmp_path / "notes.jpg").write_text("not an image")
    with pytest.raises(ValueError, match=r"notes.jpg is not an image in a known format"):
        read_image(tmp_path / "notes.jpg")
    (tmp_path / "empty.png").touch()
    with pytest.raises(ValueError, match=r"empty.png is not an image"):
        read_image(tmp_path / "empty.png")
    generator = np.random.default_rng(0)
    Image.fromarray(generator.integers(0, 255, (200, 200, 3), np.uint8)).save(tmp_path / "whole.jpg")
    (tmp_path / "half.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:9000])
    with pytest.raises(ValueError, match=r"half.jpg cannot be read.*damaged"):
        read_image(tmp_path / "half.jpg")


def test_files_that_never_end_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(ValueError, match="is not a regular file"):
            read_image(path)


def test_pillows_images_that_cannot_be_read(tmp_path):
    Image.effect_noise((200, 200), 90).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:9000])
    closed = Image.new("RGB", (64, 64))
    closed.close()
    for image in (Image.open(tmp_path / "half.png"), closed):
        with pytest.raises(ValueError, match="damaged or closed"):
            read_image(image)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_huge_files_are_refused_before_decoding(tmp_path):
    for side in (8000, 20000):
        Image.new("1", (side, side)).save(tmp_path / "huge.png")
        with pytest.raises(ValueError, match=r"50 .*megapixels|50 megapixels"):
            read_image(tmp_path / "huge.png")


def test_photos_of_one_name_keep_their_results_apart():
    assert distinct_stems(["a/cat.jpg", "b/cat.jpg", "cat.png", "dog.jpg"]) == ["cat", "cat-2", "cat-3", "dog"]


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("longer_side", [400, 401, 800, 801, 1599, 1600, 3000])
def test_large_jpegs_are_read_as_small_as_will_do(tmp_path, chelsea, orientation, longer_side):
    photo = Image.fromarray(chelsea).resize((1600, 1064))
    exif = photo.getexif()
    exif[274] = orientation
    photo.save(tmp_path / "photo.jpg", quality=95, exif=exif)
    whole = read_image(tmp_path / "photo.jpg")
    read, size = read_reduced(tmp_path / "photo.jpg", longer_side)
    assert size == whole.shape[:2] and max(read.shape) == min(longer_side, 1600)
    expected = Image.fromarray(whole).resize(read.shape[1::-1], Image.Resampling.BILINEAR)
    assert np.abs(read - np.asarray(expected, np.float32)).mean() < 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "L", "1", "I;16", "CMYK"])
def test_images_of_any_mode_are_read_as_small_as_will_do(tmp_path, chelsea, mode):
    photo = Image.fromarray(chelsea)
    photo = Image.fromarray(np.asarray(photo.convert("L"), np.uint16) * 257) if mode == "I;16" else photo.convert(mode)
    photo.save(tmp_path / "photo.tiff" if mode == "CMYK" else tmp_path / "photo.png")
    (path,) = tmp_path.iterdir()
    read, size = read_reduced(path, 200)
    assert read.shape == (133, 200, 3) and size == (300, 451)
    expected = Image.fromarray(read_image(path)).resize((200, 133), Image.Resampling.BILINEAR)
    assert np.abs(read - np.asarray(expected, np.float32)).mean() < 2


def test_no_side_becomes_too_small(tmp_path):
    for name in ("thin.jpg", "thin.png"):
        Image.new("RGB", (3200, 40)).save(tmp_path / name)
        assert read_reduced(tmp_path / name, 100)[0].shape == (32, 100, 3)


def test_pillows_images_stay_as_they_are():
    image = Image.fromarray(quarters())
    image.getexif()[274] = 6
    assert read_image(image).shape == (64, 48, 3)
    assert image.size == (64, 48) and image.getexif()[274] == 6
