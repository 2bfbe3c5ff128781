"""`python -m pipeline`: mistakes are answered with one sentence, whatever part of the work they stop."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.__main__ import COMMANDS

ROOT = Path(__file__).parents[3]


def run(*arguments, **environment):
    command = [sys.executable, "-m", "pipeline", *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = run(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"python -m pipeline {command}" in done.stdout


def test_the_table_names_every_command_and_its_docstring_lists_them():
    import pipeline.__main__ as table

    modules = {path.stem for path in (ROOT / "pipeline/commands").glob("*.py")} - {"__init__"}
    assert {name.replace("-", "_") for name in COMMANDS} == modules
    for name in COMMANDS:
        assert f"python -m pipeline {name} " in table.__doc__


def test_help_lists_the_commands():
    done = run("--help")
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"    {name}" in done.stdout


def test_nothing_at_all_shows_the_help():
    done = run()
    assert done.returncode == 2
    assert "usage: python -m pipeline" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["trian"], "invalid choice: 'trian'"), (["--", "train"], "usage: "), (["-x"], "usage: ")],
)
def test_a_typo_is_named(arguments, words):
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_all_settings_are_listed():
    done = run("train", "--config", "cat_long", "--settings")
    assert done.returncode == 0, done.stderr
    for words in ("learning_rate=", "peak, AdamW", "network.anchor_scales=(2.0,3.0,5.0)", "sampling.anchors=128"):
        assert words in done.stdout
    assert "network.preset" not in done.stdout


def test_without_the_packages_of_training_it_says_how_to_get_them(tmp_path):
    """As after `make demo`, which installs what serving needs and no more."""
    (tmp_path / "requests.py").write_text("raise ModuleNotFoundError(\"No module named 'requests'\", name='requests')")
    done = run("download", "--class", "Cat", "--out", str(tmp_path / "cat"), "--quiet", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    for words in ("python -m pipeline download", "'requests'", "`make setup`"):
        assert words in sentence
