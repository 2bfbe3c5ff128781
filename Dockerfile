# The demo as a container, from the same locked versions as `make demo`:
#
#   docker build -t cats .
#   docker run --rm -p 7860:7860 cats                  # http://127.0.0.1:7860
#   docker run --rm -p 7860:7860 --read-only --tmpfs /tmp cats

FROM python:3.11-slim

# A user of its own with the id that Hugging Face gives to Docker Spaces.
RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/app

COPY locks/serving.txt locks/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r locks/serving.txt

COPY --chown=user app.py LICENSE README.md ./
COPY --chown=user docs/figures docs/figures
COPY --chown=user interface interface
COPY --chown=user mrcnn mrcnn
COPY --chown=user weights weights

USER user
ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
EXPOSE 7860

# Loading TensorFlow may take a minute on a small machine.
HEALTHCHECK --start-period=90s --interval=30s --timeout=10s \
    CMD python -c "import urllib.request as web; web.urlopen('http://127.0.0.1:${PORT:-$GRADIO_SERVER_PORT}/', timeout=8)"

CMD ["python", "app.py"]
