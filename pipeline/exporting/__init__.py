"""Models in other formats, checked by running the file; and models from elsewhere."""
