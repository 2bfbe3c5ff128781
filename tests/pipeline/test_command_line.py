"""`python -m pipeline`: mistakes are answered with one sentence, whatever part of the work they stop."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]


def run(*arguments, **environment):
    command = [sys.executable, "-m", "pipeline", *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = run(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"python -m pipeline {command}" in done.stdout


def test_without_the_packages_of_training_it_says_how_to_get_them(tmp_path):
    """As after `make demo`, which installs what serving needs and no more."""
    (tmp_path / "requests.py").write_text("raise ModuleNotFoundError(\"No module named 'requests'\", name='requests')")
    done = run("download", "--class", "Cat", "--out", str(tmp_path / "cat"), "--quiet", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("python -m pipeline download: No module named 'requests'; `make setup`")
    assert done.stderr.count("\n") == 1 and "[train,export]" in done.stderr


def test_help_lists_the_commands():
    done = run("--help")
    assert done.returncode == 0 and "download" in done.stdout and "average" in done.stdout
