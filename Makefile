# From a fresh clone: `make demo` serves the app, `make test` runs the tests. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo setup test pipeline-demo space lint chromium clean

demo: $(VENV)/.serving
	$(BIN)/python app.py

setup: $(VENV)/.everything

# From a class name to the page that finds it, on drawn stand-in data: every step of "Train your own class".
pipeline-demo: setup
	$(BIN)/python -m tools.pipeline_demo

test: setup chromium
	$(BIN)/python -m pytest

# What a Space does: a new environment from requirements.txt alone, a read-only checkout, no network, one page load.
space:
	PYTHON=$(PYTHON) sh tools/space.sh

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serving: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.everything: requirements.txt pipeline/requirements.txt pipeline/openimages.txt tests/requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r pipeline/requirements.txt -r tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r pipeline/openimages.txt
	touch $(VENV)/.serving $@

# The browser that the page's tests drive. Where it cannot be installed, those tests say so and are skipped.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	|| { command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q chromium; } \
	|| echo "no Chromium: install it (apt-get install chromium) to run the tests of the page"

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache
