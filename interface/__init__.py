"""The page: what a visitor sees, on top of the `mrcnn` library. One file a tab."""
