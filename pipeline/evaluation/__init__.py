"""COCO's figures, matches photo by photo, and their drawings."""
