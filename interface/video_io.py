"""A short clip, decoded image by image and written again as a video that every browser plays, with its sound."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from interface.safety import budget

LONGEST = 30  # seconds; what comes after is left out
LARGEST_RATE = 30  # images a second; of a faster video some are left out
# How files of each kind begin, and FFmpeg's name for what reads it. FFmpeg would find out by itself, but then it also
# reads lists of other files and addresses, which a visitor may make up.
CONTAINERS = (
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (4, b"wide", "mov"),
    (8, b"AVI ", "avi"),
    (0, b"OggS", "ogg"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (188, b"G", "mpegts"),
)
ACCEPTED = "MP4, MOV, WebM, MKV, AVI, Ogg, FLV, WMV and MPEG"
# A container that names other files finds no way to open them; images too large are not decoded.
OPTIONS = {"protocol_whitelist": "none", "max_pixels": str(budget.CLIP_PIXELS)}
TICK = Fraction(1, 90_000)  # seconds, of the written video


def redraw_clip(source, target, redraw):
    """Writes a clip anew with each image redrawn.

    Args:
        source: path of a video in one of the containers in `ACCEPTED`, known by its content.
        target: path of the MP4 file to write, H.264.
        redraw: function of an image uint8 `(H, W, 3)`, upright, that gives one uint8 `(H', W', 3)`, always of the
            same size; an odd last row or column is left out.

    Yields:
        `(done, total, seconds)` after each image: ints, the latter as far as the file tells it, and at least the
        former; and the time of the image in the file.
        Closing the generator in between leaves a video of what was done.

    Raises:
        ValueError: if it is no video or a damaged one, or has no images; one sentence that may be shown.
    """
    name = Path(source).name
    try:
        with open(source, "rb") as file, av.open(file, format=_container(file), options=OPTIONS) as reader:
            if not reader.streams.video:
                raise ValueError(f"{name} has no images, only sound.")
            _check_size(name, reader.streams.video[0].codec_context)
            with av.open(target, "w", format="mp4", options={"movflags": "faststart"}) as writer:
                done = yield from _redraw(reader, writer, redraw)
    except _RedrawFailed as failed:
        raise failed.__cause__ from None
    except av.FFmpegError as error:
        raise ValueError(f"{name} cannot be read as a video ({error.strerror}).") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, UnicodeError):  # headers that make no sense
        raise ValueError(f"{name} cannot be read as a video, it seems to be damaged.") from None
    if not done:
        raise ValueError(f"{name} has no images that can be read.")


class _RedrawFailed(Exception):
    """What went wrong was not the clip's fault."""


def _container(file):
    """FFmpeg's name of what reads this binary file, whose position stays at the start."""
    start = file.read(256)
    file.seek(0)
    for position, sign, name in CONTAINERS:
        if start.startswith(sign, position) and (name != "mpegts" or start.startswith(sign)):
            return name
    raise ValueError(f"{Path(file.name).name} is not a video in a known format ({ACCEPTED}).")


def _check_size(name, codec):
    if codec is None or not codec.width or not codec.height:
        raise ValueError(f"{name} is in a video format that cannot be read.")
    if codec.width * codec.height > budget.CLIP_PIXELS:
        raise ValueError(
            f"{name} has images of {codec.width} x {codec.height} pixels, but at most "
            f"{budget.CLIP_PIXELS // 1_000_000} megapixels are accepted."
        )
    codec.options = {"max_pixels": OPTIONS["max_pixels"]}  # and if they grow later on


def _redraw(reader, writer, redraw):
    images = reader.streams.video[0]
    images.thread_type = "AUTO"
    # A sound that nothing here can decode is left out.
    sound = _Sound(reader, writer) if reader.streams.audio and reader.streams.audio[0].codec_context else None
    # The video's stream gets its size with the first image; a container takes no stream once it is being written.
    drawn, waiting = None, []
    total = _expected(reader, images)
    done, decoded, first, shown = 0, 0, None, None
    try:
        for packet in reader.demux(*filter(None, (images, sound and sound.source))):
            if packet.stream is not images:
                waiting.append(packet)
                if drawn:
                    sound.hand_on(waiting, first + LONGEST)
                continue
            for frame in _decoded(packet):
                decoded += 1
                if decoded > budget.CLIP_IMAGES:
                    return done
                if frame.time is None:
                    continue
                first = frame.time if first is None else first
                if frame.time - first >= LONGEST:
                    return done
                if shown is not None and frame.time - shown < 0.9 / LARGEST_RATE:
                    continue
                shown = frame.time
                image = _upright(frame)
                try:
                    image = redraw(image)
                except Exception as error:
                    raise _RedrawFailed from error
                image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
                if drawn is None:
                    drawn = _add_video(writer, image)
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
                frame.time_base, frame.pts = TICK, round(shown / TICK)
                writer.mux(drawn.encode(frame))
                done += 1
                yield done, max(done, total), shown
        return done
    finally:
        if drawn:
            writer.mux(drawn.encode(None))
            if sound:
                sound.hand_on(waiting, shown + 1 / LARGEST_RATE, last=True)


def _expected(reader, images):
    """How many images the video will have, 0 if the file does not say."""
    rate = min(float(images.average_rate or 0), LARGEST_RATE)
    seconds = (reader.duration or 0) / av.time_base
    return round(rate * min(seconds, LONGEST))


def _decoded(packet):
    try:
        return packet.decode()
    except av.error.InvalidDataError:  # a damaged part does not lose the rest
        return []


def _upright(frame):
    # Phones hold still what the sensor saw and only note how they were held.
    return np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))


def _add_video(writer, image):
    video = writer.add_stream("libx264", rate=LARGEST_RATE, options={"preset": "veryfast", "crf": "22"})
    video.height, video.width = image.shape[:2]
    video.pix_fmt = "yuv420p"
    video.codec_context.time_base = TICK
    return video


class _Sound:
    """The first sound of a video on its way to another: as it is where an MP4 holds AAC, else made that."""

    def __init__(self, reader, writer):
        self.source = source = reader.streams.audio[0]
        self._writer = writer
        self._kept = source.codec_context.name == "aac" and "mp4" in reader.format.name.split(",")
        if self._kept:
            self._target = writer.add_stream_from_template(source)
        else:
            self._rate = source.codec_context.sample_rate
            self._target = writer.add_stream("aac", rate=self._rate, layout="stereo")
            self._resampler = av.AudioResampler("fltp", "stereo", self._rate)
            self._position = None  # samples from the start of the video

    def hand_on(self, packets, until, last=False):
        """Writes packets, none that is later than `until` in seconds, and empties their list.

        A short clip may hold days of silence.
        """
        for packet in packets:
            if packet.pts is None or packet.pts * packet.time_base > until:
                continue
            if self._kept:
                packet.stream = self._target
                self._writer.mux(packet)
            else:
                for frame in _decoded(packet):
                    self._encode(self._resampler.resample(frame))
        packets.clear()
        if last and not self._kept:
            self._encode([*self._resampler.resample(None), None])

    def _encode(self, frames):
        for frame in frames:
            if frame:
                # Counted, because times in some files are rounded so much that they seem to go backwards.
                if self._position is None:
                    self._position = round((frame.time or 0) * self._rate)
                frame.time_base, frame.pts = Fraction(1, self._rate), self._position
                self._position += frame.samples
            self._writer.mux(self._target.encode(frame))
