# The demo as a container, from the same locked versions as `make demo`:
#
#   docker build -t cats .
#   docker run --rm -p 7860:7860 --read-only --tmpfs /tmp:size=6g --memory 8g --cap-drop ALL \
#       --security-opt no-new-privileges cats          # http://127.0.0.1:7860
#
# Without TensorFlow, as `make demo-light`; it is smaller and starts at once:
#
#   docker build --target light -t cats-light .
#
# PYTHON_IMAGE pins the base by its digest. None stands here: it has to be asked of a registry on the day of the build,
# and an old one keeps old faults of the system. `docker buildx imagetools inspect python:3.11-slim` says today's:
#
#   docker build --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:... -t cats .

ARG PYTHON_IMAGE=python:3.11-slim

FROM scratch AS page
COPY app.py LICENSE README.md /
COPY docs/figures /docs/figures
COPY interface /interface
COPY mrcnn /mrcnn
COPY weights /weights

FROM ${PYTHON_IMAGE} AS base

# A user of its own with the id that Hugging Face gives to Docker Spaces. The code is not its own: it cannot change it.
RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/app

ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    MALLOC_ARENA_MAX=2 \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
EXPOSE 7860

# Loading TensorFlow may take a minute on a small machine.
HEALTHCHECK --start-period=90s --interval=30s --timeout=10s \
    CMD python -c "import urllib.request as web; web.urlopen('http://127.0.0.1:${PORT:-$GRADIO_SERVER_PORT}/healthz', timeout=8)"

CMD ["python", "app.py"]

FROM base AS light
COPY locks/light.txt locks/
RUN pip install --no-cache-dir --no-compile --disable-pip-version-check --require-hashes -r locks/light.txt
COPY --from=page / ./
USER user

# The last one is what a build without --target makes, as a Space does.
FROM base AS full
COPY locks/serving.txt locks/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r locks/serving.txt
COPY --from=page / ./
USER user
