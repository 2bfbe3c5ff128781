"""From batches to weights: settings, step, loop, checkpoints, averages, model cards."""
