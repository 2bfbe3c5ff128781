"""From annotated photos to training batches: download, prepare, dataset, augmentation, reader."""
