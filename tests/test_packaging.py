"""What is installed: the ranges, the locks and a Space's list agree, and the wheel works without the checkout."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mrcnn

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PLATFORMS = [
    {"sys_platform": system, "platform_system": name, "platform_machine": machine, "python_version": version}
    for system, name, machine in (
        ("linux", "Linux", "x86_64"),
        ("linux", "Linux", "aarch64"),
        ("darwin", "Darwin", "arm64"),
        ("win32", "Windows", "AMD64"),
    )
    for version in ("3.11", "3.12")
]


def ranges(*extras):
    """The requirements of the base and of extras, those of extras that an extra names included."""
    found = [Requirement(line) for line in PROJECT["dependencies"]]
    for extra in extras:
        for line in PROJECT["optional-dependencies"][extra]:
            requirement = Requirement(line)
            found += ranges(*requirement.extras) if requirement.name == PROJECT["name"] else [requirement]
    return found


def pins(path):
    """The pinned requirements of a lock, each with its hashes."""
    entries = re.sub(r"#.*", "", path.read_text()).replace("\\\n", " ").splitlines()
    for entry in filter(str.strip, entries):
        requirement, *hashes = re.split(r"\s+--hash=sha256:", entry.strip())
        yield Requirement(requirement), hashes


def applies(requirement, platform):
    return requirement.marker is None or requirement.marker.evaluate(platform)


INSIDE_ALONE = {"keras", "matplotlib", "tensorflow", "tensorflow-cpu"}  # what the Inside tab needs, and no other


def light_ranges():
    """The requirements of the page and the light engine, without what the Inside tab alone needs."""
    return [requirement for requirement in ranges("demo", "light") if requirement.name not in INSIDE_ALONE]


def listed(name):
    """The requirements of a file, sorted."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return sorted(map(str, map(Requirement, filter(None, lines))))


def test_a_space_installs_the_ranges_of_the_base_and_the_page():
    assert listed("requirements.txt") == sorted(set(map(str, ranges("demo"))))


def test_the_light_list_has_the_same_ranges_without_tensorflow():
    assert listed("requirements-light.txt") == sorted(set(map(str, light_ranges())))
    assert not INSIDE_ALONE & {pin.name for pin, _ in pins(ROOT / "locks/light.txt")}


@pytest.mark.parametrize(
    ("lock", "required"), [("serving", ranges("demo")), ("development", ranges("dev")), ("light", light_ranges())]
)
def test_locks_fit_the_ranges_on_every_platform(lock, required):
    locked = list(pins(ROOT / "locks" / f"{lock}.txt"))
    for platform in PLATFORMS:
        versions = {}
        for requirement, _ in locked:
            if applies(requirement, platform):
                name = canonicalize_name(requirement.name)
                assert name not in versions, f"{name} is pinned twice for {platform}"
                (pin,) = requirement.specifier
                assert pin.operator == "=="
                versions[name] = pin.version
        for requirement in required:
            if applies(requirement, platform):
                version = versions.get(canonicalize_name(requirement.name))
                assert version and requirement.specifier.contains(version), (
                    f"locks/{lock}.txt has {version} of {requirement}: run `make lock`"
                )


@pytest.mark.parametrize(
    "path", ["locks/serving.txt", "locks/light.txt", "locks/development.txt", "pipeline/openimages.txt"]
)
def test_locks_have_hashes_and_no_place_to_download_from(path):
    assert all(hashes for _, hashes in pins(ROOT / path))
    text = re.sub(r"#.*", "", (ROOT / path).read_text())
    assert "://" not in text and "index" not in text and "find-links" not in text and " @ " not in text


@pytest.mark.parametrize("lock", ["serving", "light"])
def test_serving_runs_on_the_versions_that_were_tested(lock):
    served, development = (
        {(pin.name, str(pin.specifier)) for pin, _ in pins(ROOT / "locks" / name)}
        for name in (f"{lock}.txt", "development.txt")
    )
    assert served <= development


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, built and installed by pip into a folder of its own, without its requirements."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture
def run(installed, tmp_path):
    """A function that runs a command in an empty folder, where only the wheel can be imported from."""
    (tmp_path / "empty").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "MRCNN_WEIGHTS"}
    environment |= {"PYTHONPATH": str(installed), "XDG_DATA_HOME": str(tmp_path / "data"), "HOME": str(tmp_path)}

    def run(*command, **variables):
        return subprocess.run(
            command, cwd=tmp_path / "empty", env={**environment, **variables}, capture_output=True, text=True
        )

    return run


def test_the_wheel_carries_the_shipped_weights_and_nothing_of_the_user(installed):
    tracked = subprocess.run(["git", "ls-files", "weights"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    if not tracked:
        pytest.skip("the checkout is no git repository")
    assert sorted(path.name for path in (installed / "mrcnn/shipped").iterdir()) == [Path(p).name for p in tracked]
    assert (installed / "mrcnn/py.typed").exists() and (installed / "interface/page.css").exists()
    assert (installed / "interface/stage.css").exists() and (installed / "interface/scripts/stage.js").exists()
    assert (installed / f"mrcnn_demo-{mrcnn.__version__}.dist-info").is_dir()


@pytest.mark.slow
def test_an_installed_model_finds_the_cat_and_keeps_the_users_weights_apart(installed, run, tmp_path):
    program = (
        "import json, mrcnn.weights, skimage.data; from mrcnn import MaskRCNN;"
        "found = MaskRCNN.from_pretrained('cat').segment(skimage.data.chelsea());"
        "print(json.dumps([found.class_names, mrcnn.__file__, str(mrcnn.weights.FOLDER), mrcnn.weights.available()]))"
    )
    done = run(sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr
    names, place, folder, available = json.loads(done.stdout)
    assert names == ["cat"] and available == ["cat", "pets"]
    assert Path(place).is_relative_to(installed)
    assert Path(folder).is_relative_to(tmp_path) and not Path(folder).is_relative_to(installed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mrcnn", "mrcnn-pipeline"])
def test_the_commands_run(installed, run, name):
    done = run(installed / "bin" / name, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage:"), done.stderr


@pytest.mark.slow
def test_the_command_of_the_page_runs(installed, run):
    done = run(installed / "bin" / "mrcnn-demo", PORT="x")
    assert done.returncode == 1 and done.stderr == 'PORT must be a number from 1 to 65535, but is "x".\n'
