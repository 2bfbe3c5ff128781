"""Serve a folder as a static host does that isolates its pages, so that WebAssembly may use threads.

python tools/serve_site.py site                  # http://127.0.0.1:8000
python tools/serve_site.py site --port 0 --plain # a free port, without the two headers: one thread
"""

import argparse
import functools
import http.server
import sys
from pathlib import Path

ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        # Windows and old systems name other types for modules, and browsers then refuse them.
        ".js": "text/javascript",
        ".mjs": "text/javascript",
    }

    def __init__(self, *arguments, headers, **options):
        self._headers = headers
        super().__init__(*arguments, **options)

    def end_headers(self):
        for name, value in self._headers.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *arguments):
        pass


def server(folder, port=0, isolated=True):
    """A server of a folder on loopback; call `serve_forever`, and find the port in `server_address`."""
    # Asked again each time: a page that was built anew is seen at once.
    headers = {"Cache-Control": "no-cache", **(ISOLATION if isolated else {})}
    handler = functools.partial(Handler, directory=str(folder), headers=headers)
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--plain", action="store_true", help="without the headers that isolate the page")
    chosen = parser.parse_args()
    if not (chosen.folder / "index.html").exists():
        sys.exit(f"{chosen.folder} has no index.html: `make web` writes the page first")
    try:
        running = server(chosen.folder, chosen.port, not chosen.plain)
    except OSError as error:
        sys.exit(f"port {chosen.port}: {error.strerror}; choose another one with --port")
    print(f"Ready: http://127.0.0.1:{running.server_address[1]} (Ctrl+C stops it)", flush=True)
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
