"""Starts the page and serves it until it is stopped: what `python app.py` and `mrcnn-demo` do.

The environment says where: PORT or GRADIO_SERVER_PORT, GRADIO_SERVER_NAME, GRADIO_MCP_SERVER; see app.py.
"""

import contextlib
import errno
import importlib.util
import os
import signal
import socket
import sys
import tempfile
import time

from interface.safety.folder import own_folder
from interface.safety.log import start_logging
from interface.safety.memory import limit_arenas
from mrcnn.extras import install_command

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow greets with a page of notes otherwise
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


def address():
    """Host and port from the environment."""
    host = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1")
    port = os.environ.get("PORT") or os.environ.get("GRADIO_SERVER_PORT") or "7860"
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        sys.exit(f'PORT must be a number from 1 to 65535, but is "{port}".')
    return host, int(port)


def warm_up(models):
    """Takes one photo the whole way, so that the first visitor does not wait for what is loaded at the first use."""
    from interface.examples import example_photos
    from interface.result_view import images_html, table_html
    from interface.safety.decoding import prepare_decoding
    from interface.settings import Settings

    prepare_decoding()
    name = models.names()[0]
    models.get(name)
    for photo in example_photos()[:1]:
        analysis = models.analyse(name, photo)
        images_html(analysis, Settings())
        table_html(analysis, Settings())


def main():
    start = time.perf_counter()
    host, port = address()
    if importlib.util.find_spec("gradio") is None:
        sys.exit(f"The page needs more packages: {install_command('demo')}")
    # Gradio would only leave its MCP server out.
    if os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true" and importlib.util.find_spec("mcp") is None:
        sys.exit('The MCP server needs one more package: pip install "gradio[mcp]"')

    # Gradio's files get a folder of their own that ends with the page: by Ctrl-C, or because a container is stopped.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    limit_arenas()
    start_logging()
    if os.environ.get("SPACE_ID"):  # its proxy, which alone can reach this process, says who the visitor is
        os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")
    with contextlib.ExitStack() as stack:
        try:
            parent = os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()
            folder = stack.enter_context(own_folder(parent))
        except OSError as error:
            sys.exit(f"The page needs a folder that it can write to, but: {error.strerror or error}.")
        os.environ["GRADIO_TEMP_DIR"] = folder
        run(host, port, start)


def _command():
    """How the page was started: `python app.py` or `mrcnn-demo`."""
    return "python app.py" if os.path.basename(sys.argv[0]) == "app.py" else "mrcnn-demo"


def _why_not(host, port):
    """Why the page cannot be served at an address, in a sentence."""
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return f"The page cannot be served at {host}, port {port}: {error.strerror or error}."
    other = port + 1 if port < 65535 else port - 1
    return f"Port {port} is in use; choose another one, as in: PORT={other} {_command()}"


def run(host, port, start):
    """Serves the page until it is stopped. `start` is when the process began, in seconds of `time.perf_counter`."""
    from interface.page import build_page, serve
    from interface.session import Models

    try:
        models = Models()
        if not models.names():
            sys.exit("There is no model in weights/. Train one with `python -m pipeline train`, see docs/training.md.")
        warm_up(models)
    except ValueError as error:  # of a service, the engine, the weights, their card, or what is missing to read them
        sys.exit(str(error))
    page = build_page(models)
    try:
        serve(page, host, port)
    except OSError:
        sys.exit(_why_not(host, port))
    if page.mcp_error:
        sys.exit(page.mcp_error)
    print(f"Ready: http://{host}:{port} after {time.perf_counter() - start:.1f} s", flush=True)
    page.block_thread()
