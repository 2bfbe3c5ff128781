"""A model as an HTTP service: `application.py` is the doors, `batching.py` the queue, `replica.py` the models."""
