"""Short videos for tests, written by FFmpeg's own encoders."""

from fractions import Fraction

import av
import numpy as np


def write_video(path, images, rate=10, codec="libx264", sound="aac", rotation=0, sound_seconds=None):
    """Writes a video.

    Args:
        path: where to; its ending says the format.
        images: list of uint8 `(H, W, 3)`, sides even.
        rate: int. Images a second.
        codec: str. FFmpeg's name of an encoder.
        sound: str or `None`. FFmpeg's name of the encoder for a steady tone.
        sound_seconds: int or `None`. How long it lasts. Defaults to `None`, as long as the images.
        rotation: int. Degrees by which a player shall turn the images counter-clockwise.
    """
    with av.open(str(path), "w") as writer:
        video = writer.add_stream(codec, rate=rate)
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "yuv420p"
        if rotation:
            video.set_display_rotation(rotation)
        tone = writer.add_stream(sound, rate=48000, layout="mono") if sound else None
        for image in images:
            writer.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")))
        if tone:
            samples = (
                0.3 * np.sin(0.06 * np.arange(48000 * (sound_seconds or len(images) / rate), dtype=np.float32))[None]
            )
            for start in range(0, samples.shape[1], 960):
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(samples[:, start : start + 960]), "fltp", "mono"
                )
                frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
                writer.mux(tone.encode(frame))
            writer.mux(tone.encode(None))
        writer.mux(video.encode(None))


def read_video(path):
    """What is in a video: its images as list of uint8 `(H, W, 3)`, their times in seconds, and the sound's samples
    float32 `(channels, N)` or `None`."""
    with av.open(str(path)) as reader:
        frames = list(reader.decode(video=0))
    sound = None
    with av.open(str(path)) as reader:
        if reader.streams.audio:
            sound = np.concatenate([frame.to_ndarray() for frame in reader.decode(audio=0)], axis=1)
    return [frame.to_ndarray(format="rgb24") for frame in frames], [frame.time for frame in frames], sound
