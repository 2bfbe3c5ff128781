"""What one file of a visitor may cost; docs/hosting.md and SECURITY.md state these numbers.

Whatever is dearer is refused in a sentence. The numbers are what the largest photos and clips of phones need, and some
more.
"""

SECONDS = 8  # to decode one picture, on the clock
PROCESSOR_SECONDS = 6
MEMORY = 1_000_000_000  # bytes that a process which decodes a doubtful picture may have
AT_ONCE = 2  # such processes

# Above so many pixels, a photo is worked on at its own size in a process of its own: overlay, cut-outs and all that.
LARGE_PIXELS = 8_000_000
LARGE_SECONDS = 180  # on the clock, for all of one photo
LARGE_PROCESSOR_SECONDS = 120
LARGE_MEMORY = 2_000_000_000  # bytes
LARGE_AT_ONCE = 2  # such processes

CLIP_PIXELS = 9_000_000  # of one image of a clip: 4096 x 2160 and a little
CLIP_IMAGES = 3600  # decoded, shown or not: 30 s at 120 a second

ZIP_ENTRIES = 10_000
ZIP_DIRECTORY = 3_000_000  # bytes of a ZIP's list of entries
ZIP_MEMBER = 40_000_000  # bytes of a file in a ZIP, unpacked, as of an upload
