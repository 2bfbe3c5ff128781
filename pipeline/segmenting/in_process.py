"""Shard after shard in this process."""

from pipeline.segmenting.worker import Worker


def run(job, model_file, waiting, threads, finished, progress):
    """Work through shards.

    Args:
        job: `pipeline.segmenting.plan.Job`.
        model_file: `pipeline.segmenting.worker.ModelFile`.
        waiting: iterable of int. The shards to do.
        threads: int or `None`. Most threads of the network; `None` for all cores.
        finished: function that is given the record of each finished shard.
        progress: function that is told how many further photos are done.
    """
    worker = Worker(job, model_file.load(threads))
    for shard in waiting:
        finished(worker.segment(shard, progress))
