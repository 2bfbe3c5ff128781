"""Many photos, on one machine or many: from a folder, a list or Parquet to shards of results.

`job.py` is the whole; `places.py` and `sources.py` say where photos are, `plan.py` which photos make which shard,
`worker.py` does a shard, `shards.py` writes it, and `in_process.py` and `on_ray.py` hand out the shards.
"""
