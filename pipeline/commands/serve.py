"""Serve a model over HTTP, with the JSON that `python -m mrcnn` and the page's API give.

    python -m pipeline serve                                      # http://127.0.0.1:8000
    python -m pipeline serve --engine onnx --replicas 1-4 --threads 2 --host 0.0.0.0 --port 80
    curl --data-binary @cat.jpg "http://127.0.0.1:8000/segment?confidence=0.5"
    curl -F photo=@cat.jpg http://127.0.0.1:8000/segment
    MRCNN_SERVICE=http://127.0.0.1:8000 python app.py             # a page that uses this model

A replica is a process with a model. Requests that wait are answered in batches; where they pile up, more replicas
start, up to the larger number of --replicas. After SIGTERM or Ctrl-C what has come in is answered first. See
docs/scale.md, and `pipeline/serving/application.py` for all doors.
"""

import asyncio
import re
import signal

from mrcnn.cores import usable_cores
from mrcnn.engines import ENGINES
from mrcnn.extras import install_command

DRAIN_SECONDS = 60


def add_arguments(parser):
    parser.add_argument("--weights", default="cat", metavar="NAME", help="a model under weights/, or a path")
    parser.add_argument("--engine", choices=ENGINES, help="what runs the network (default: as for python -m mrcnn)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default %(default)s)")
    parser.add_argument("--replicas", default="1", metavar="N or N-M", help="models that run (default 1)")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="cores of a replica (default: all, divided by the most replicas)"
    )
    parser.add_argument("--queue", type=int, default=64, metavar="N", help="requests under way (default %(default)s)")
    parser.add_argument("--most-mb", type=float, default=25, metavar="MB", help="largest upload (default %(default)s)")


def main(arguments):
    try:
        import uvicorn

        from pipeline.serving.application import build_application
    except ModuleNotFoundError as error:
        raise ValueError(f"serve needs more packages ({error}): {install_command('scale')}") from None
    from mrcnn import weights
    from pipeline.serving.batching import Models

    count = re.fullmatch(r"([1-9]\d{0,2})(?:-([1-9]\d{0,2}))?", arguments.replicas)
    fewest, most = (int(count[1]), int(count[2] or count[1])) if count else (0, 0)
    if not 1 <= fewest <= most:
        raise ValueError(f"--replicas is {arguments.replicas!r}, expected a number, or two as in 1-4")
    for name, value in (("queue", arguments.queue), ("threads", arguments.threads), ("most-mb", arguments.most_mb)):
        if value is not None and not 1 <= value <= 1_000_000:
            raise ValueError(f"--{name} must be from 1 to 1000000, but is {value}")
    if not 0 <= arguments.port < 65536:
        raise ValueError(f"--port must be a number from 0 to 65535, but is {arguments.port}")
    path = weights.locate_runnable(arguments.weights, arguments.engine)
    card = weights.read_card(path)
    if "config" not in card:
        raise ValueError(f"{path} has no card that says what it is: {weights.card_path(path).name} is missing")
    threads = arguments.threads or max(1, usable_cores() // most)
    models = Models(str(path), fewest, most, threads, arguments.queue, card.get("sha256"))
    application = build_application(models, path.stem, card, arguments.queue, int(arguments.most_mb * 1e6))
    config = uvicorn.Config(
        application,
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        timeout_graceful_shutdown=DRAIN_SECONDS,
        server_header=False,
    )
    return asyncio.run(_serve(uvicorn.Server(config), models))


async def _serve(server, models):
    """Serves until it is told to stop; says where, once models are ready. Returns the exit code."""

    async def announce():
        while not server.started:
            await asyncio.sleep(0.05)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        print(f"Ready: http://{host}:{port}", flush=True)

    await models.start()
    # Uvicorn answers what has come in, and then raises the signal again: that would leave no time to end the replicas.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    announcing = asyncio.create_task(announce())
    try:
        await server.serve()
    finally:
        announcing.cancel()
        await models.stop()
    return 0
