"""A full disk, said in one clear sentence, also where TensorFlow writes the files."""

import contextlib
import errno
import os

from mrcnn.atomic import raise_if_full


@contextlib.contextmanager
def full_disk_said(path):
    """For writing to `path`, a file or folder, within the context.

    Raises:
        OSError: naming `path` and what to do, if the disk is full.
    """
    import tensorflow as tf

    try:
        yield
    except OSError as error:
        raise_if_full(error, path)
        raise
    except tf.errors.OpError as error:  # its kinds differ, its text is that of the system
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            if os.strerror(number) in error.message:
                raise_if_full(OSError(number, error.message), path)
        raise
