# From a fresh clone: `make demo` serves the app, `make test` runs the tests. Both set up what they need.

PYTHON ?= python3
VENV := .venv
LIGHT := .venv-light
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" --upgrade
CHECK_PYTHON := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12 ...")'

.PHONY: demo demo-light setup test test-all lint types docs accuracy pipeline-demo fuzz load kills audit space lock wheel chromium clean

demo: $(VENV)/.serving
	$(BIN)/python app.py

# The same page without TensorFlow, in an environment of its own: ready in seconds, a third of the space.
demo-light: $(LIGHT)/.serving
	MRCNN_ENGINE=$(or $(MRCNN_ENGINE),onnx) $(LIGHT)/bin/python app.py

setup: $(VENV)/.everything

# What a newcomer runs: the main job with the shipped weights and a page in a real browser, in minutes.
test: setup chromium
	$(BIN)/python -m pytest -m "not slow"

# Everything, training and interruptions included, in two processes, each with a file of tests at a time.
test-all: setup chromium
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup
	$(BIN)/basedpyright --pythonpath $(BIN)/python

# The reference of the library, from its docstrings, into out/docs/. `mrcnn` has an `__all__`, so its modules are named.
docs: setup
	TF_CPP_MIN_LOG_LEVEL=2 $(BIN)/pdoc --docformat google --output-directory out/docs \
	    $(subst /,.,$(patsubst %/__init__,%,$(basename $(filter-out %__main__.py,$(sort $(shell find mrcnn -name '*.py'))))))

# Whether the shipped weights still reach their card's figures: make accuracy DATA=data/cat/validation
accuracy: setup
	@test -n "$(DATA)" || { echo "say on which data: make accuracy DATA=FOLDER [WEIGHTS=cat]"; exit 2; }
	$(BIN)/python -m tools.accuracy --data "$(DATA)" --weights "$(or $(WEIGHTS),cat)"

# From a class name to the page that finds it, on drawn stand-in data: every step of "Train your own".
pipeline-demo: setup
	$(BIN)/python -m tools.pipeline_demo

# Hostile files through every door of the running page, fifty visitors at once, and commands of the pipeline killed again
# and again: half an hour, seven minutes, and half an hour.
fuzz: setup
	$(BIN)/python -m tools.fuzz --share $(or $(SHARE),1)

load: setup
	$(BIN)/python -m tools.load --visitors $(or $(VISITORS),50) --seconds $(or $(SECONDS),120)

kills: setup
	$(BIN)/python -m tools.kills $(if $(KILLS),--kills $(KILLS))

# Known vulnerabilities of what is locked; says so where the advisories cannot be had.
audit: setup
	$(BIN)/python -m tools.audit $(if $(STRICT),--strict)

# What a Space does: a new environment from requirements.txt alone, a read-only checkout, no network, one page load.
space:
	PYTHON=$(PYTHON) sh tools/space.sh

# The browser edition: a static page in out/web/ with the model WEIGHTS in it, on loopback until Ctrl+C.
.PHONY: web space-static
web: setup
	$(BIN)/python -m pipeline export --weights "$(or $(WEIGHTS),cat)" --format web --out out/web
	$(BIN)/python tools/serve_site.py out/web --port $(or $(PORT),8000)

# What a static Space does with that page: read-only, no Python of ours, no network; Chromium opens it and a cat is found.
space-static: setup chromium
	BIN="$(CURDIR)/$(BIN)" sh tools/space_static.sh

# The newest versions that fit the ranges in pyproject.toml, for every platform and from Python 3.11 on. Serving follows
# development, so that the page runs on what was tested.
lock: setup
	$(LOCK) pyproject.toml --extra dev --output-file locks/development.txt
	$(LOCK) pyproject.toml --extra demo --constraint locks/development.txt --output-file locks/serving.txt
	$(LOCK) requirements-light.txt --constraint locks/development.txt --output-file locks/light.txt

wheel: setup
	$(BIN)/python -m build --outdir out/dist

$(BIN)/python:
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serving: locks/serving.txt | $(BIN)/python
	$(PIP) --require-hashes -r locks/serving.txt
	touch $@

$(LIGHT)/.serving: locks/light.txt
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(LIGHT)
	$(LIGHT)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r locks/light.txt
	touch $@

$(VENV)/.everything: locks/development.txt pipeline/openimages.txt | $(BIN)/python
	$(PIP) --require-hashes -r locks/development.txt
	$(PIP) --require-hashes --no-deps -r pipeline/openimages.txt
	touch $(VENV)/.serving $@

# The browser that the page's tests drive. Where it cannot be installed, those tests say so and are skipped.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	|| { command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q chromium; } \
	|| echo "no Chromium: install it (apt-get install chromium) to run the tests of the page"

clean:
	rm -rf $(VENV) $(LIGHT) .pytest_cache .ruff_cache
