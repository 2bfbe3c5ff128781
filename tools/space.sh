#!/bin/sh
# Do what a Hugging Face Space does, and see whether the page comes up: a new environment from requirements.txt alone,
# app.py on 0.0.0.0:7860, the checkout mounted read-only, and no network but loopback.
#
#   make space                (Linux; needs the right to make namespaces: root, or unprivileged user namespaces)
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/checkout" "$work/home"
git archive HEAD | tar -x -C "$work/checkout"
echo "space: new environment from requirements.txt"
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
unshare --map-root-user --net --mount sh -c '
    set -eu
    ip link set lo up
    mount --bind "$1/checkout" "$1/checkout"
    mount -o remount,ro,bind "$1/checkout"
    cd "$1/checkout"
    export HOME="$1/home" SPACE_ID=local/test GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 PYTHONDONTWRITEBYTECODE=1
    "$1/venv/bin/python" app.py &
    server=$!
    trap "kill $server" EXIT
    "$1/venv/bin/python" tools/visit.py http://127.0.0.1:7860
' sh "$work"
echo "space: works"
