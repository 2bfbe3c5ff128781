"""Open Images -> bitmaps -> training -> evaluation -> export. Imports `mrcnn`, never the reverse."""
