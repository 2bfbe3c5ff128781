#!/bin/sh
# Do what a static Hugging Face Space does with the browser edition, and see whether it works: only the exported files,
# mounted read-only and served with the headers that its README asks for, no network but loopback, and a visit in Chromium.
#
#   make space-static         (Linux; needs the right to make namespaces: root, or unprivileged user namespaces)
set -eu
cd "$(dirname "$0")/.."
bin=${BIN:-$PWD/.venv/bin}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/home"
echo "space-static: writing the page"
"$bin/python" -m pipeline export --weights "${WEIGHTS:-cat}" --format web --out "$work/site"
unshare --map-root-user --net --mount sh -c '
    set -eu
    ip link set lo up
    mount --bind "$1/site" "$1/site"
    mount -o remount,ro,bind "$1/site"
    export HOME="$1/home" PYTHONDONTWRITEBYTECODE=1
    "$2/python" tools/serve_site.py "$1/site" --port 7861 &
    server=$!
    trap "kill $server" EXIT
    "$2/python" tools/visit_site.py http://127.0.0.1:7861
' sh "$work" "$bin"
echo "space-static: works"
