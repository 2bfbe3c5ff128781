"""Instance masks of Open Images: only the archives that are needed, and only the needed masks of those."""

import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mrcnn.atomic import write_atomically
from pipeline.data.open_images.transfer import fetch

MASKS_ZIP = "{split}-masks/{split}-masks-{digit}.zip"


@dataclass
class MaskDownloads:
    """What became of the masks: their file names, by outcome, and the archives that were opened."""

    present: list = field(default_factory=list)
    missing: list = field(default_factory=list)
    corrupt: list = field(default_factory=list)
    archives: list = field(default_factory=list)


def download_masks(rows, split, folder, cache, masks_url, progress=True):
    """Fetches the masks that the rows name to `folder/masks`.

    An archive holds the masks of all images whose id begins with one hexadecimal digit. It is downloaded to
    the cache (a few hundred MB each for train, far less for the other splits) and may be deleted afterwards.

    Args:
        rows: list of dict. Rows of the mask table with `MaskPath` and `ImageID`.
        split: str. `"train"`, `"validation"` or `"test"`.
        folder: str or Path. The split's own folder.
        cache: str or Path. Where archives are kept.
        masks_url: str. Address under which `SPLIT-masks/SPLIT-masks-DIGIT.zip` lie.
        progress: bool. Whether to draw progress bars on stderr.

    Returns:
        MaskDownloads.
    """
    folder = Path(folder) / "masks"
    folder.mkdir(parents=True, exist_ok=True)
    downloads = MaskDownloads()
    names_by_digit = {}
    for row in rows:
        name = PurePosixPath(row["MaskPath"]).name  # never a path from outside
        if (folder / name).exists():
            downloads.present.append(name)
        else:
            names_by_digit.setdefault(row["ImageID"][0].lower(), []).append(name)
    for digit in sorted(names_by_digit):
        address = MASKS_ZIP.format(split=split, digit=digit)
        archive = fetch(f"{masks_url}/{address}", Path(cache) / address, progress=progress)
        downloads.archives.append(archive.name)
        _extract(archive, names_by_digit[digit], folder, downloads)
    return downloads


def _extract(archive, names, folder, downloads):
    """Copies members by name; zipfile compares each with its CRC-32."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = {PurePosixPath(member).name: member for member in opened.namelist()}
            for name in names:
                if name not in members:
                    downloads.missing.append(name)
                    continue
                try:
                    data = opened.read(members[name])
                except (zipfile.BadZipFile, zlib.error, EOFError):
                    downloads.corrupt.append(name)
                    continue
                write_atomically(folder / name, data)
                downloads.present.append(name)
    except zipfile.BadZipFile as error:
        archive.unlink()  # so that the next run fetches it anew
        raise ValueError(f"{archive.name} is not a zip archive ({error}); run the same command again") from error
