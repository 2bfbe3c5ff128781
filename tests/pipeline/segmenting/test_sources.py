"""Sources that break, vanish or change while a job runs, and what is written down of where they are."""

import argparse
import dataclasses
import io
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pa = pytest.importorskip("pyarrow", reason="pipeline segment needs pyarrow: pip install .[scale]")
import pyarrow.parquet as pq  # noqa: E402

from pipeline.commands import segment as command  # noqa: E402
from pipeline.segmenting import on_ray, places, sources  # noqa: E402
from pipeline.segmenting.job import run_job  # noqa: E402
from pipeline.segmenting.places import Place, without_secrets  # noqa: E402
from pipeline.segmenting.plan import Job, Plan, open_plan  # noqa: E402
from pipeline.segmenting.shards import Shards  # noqa: E402
from pipeline.segmenting.sources import Source  # noqa: E402


class Nothing:
    """A model that finds nothing, and says of a photo how wide it is by the size of its canvas."""

    def letterbox(self, image):
        return image

    def detect_letterboxed(self, images, confidence, limit):
        return [SimpleNamespace(instances=lambda _, image=image: Found(image.shape[:2])) for image in images]


class Found:
    class_names = ()

    def __init__(self, image_size):
        self.image_size = image_size

    def to_coco(self, image_id):
        return []


MODEL_FILE = SimpleNamespace(load=lambda threads: Nothing(), class_names=["cat"], name="none", sha256="0")


@pytest.fixture(autouse=True)
def naps(monkeypatch):
    """The seconds that were waited for stores, without waiting."""
    naps = []
    monkeypatch.setattr(sources.time, "sleep", naps.append)
    return naps


def png(width):
    content = io.BytesIO()
    Image.new("RGB", (width, 40)).save(content, "PNG")
    return content.getvalue()


def write_table(path, widths):
    pq.write_table(pa.table({"image": [png(width) for width in widths]}), path)


def job_of(data, out, **settings):
    job = Job(str(data), str(out), "image", "0", 0.5, 30, "jsonl", False, 5)
    return dataclasses.replace(job, **settings)


def run(job):
    return run_job(job, MODEL_FILE, "off", progress=False)


def rows_in(out):
    lines = [line for path in sorted((out / "results").iterdir()) for line in path.read_text().splitlines()]
    return {row["file_name"]: row["width"] or row["error"] for row in map(json.loads, lines)}


def fewer_rows(path):
    write_table(path, [100, 101])


def no_rows(path):
    pq.write_table(pa.table({"image": pa.array([], pa.binary())}), path)


def another_column(path):
    pq.write_table(pa.table({"picture": [b"x"] * 5}), path)


def paths_now(path):
    pq.write_table(pa.table({"image": ["x"] * 5}), path)


def nonsense(path):
    path.write_bytes(b"nonsense")


@pytest.mark.parametrize("shard_size", [2, 100])
@pytest.mark.parametrize(
    ("change", "words", "left"),
    [
        (fewer_rows, "fewer rows", 2),
        (no_rows, "fewer rows", 0),
        (another_column, "no column 'image'", 0),
        (paths_now, "holds paths now", 0),
        (nonsense, "Parquet", 0),
        (os.unlink, "There is no such file.", 0),
    ],
)
def test_a_file_of_parquet_that_changes_harms_its_own_rows_alone(tmp_path, change, words, left, shard_size):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    write_table(data / "a.parquet", range(100, 105))
    write_table(data / "b.parquet", range(200, 205))
    (data / "z.png").write_bytes(png(300))
    job = job_of(data, out, shard_size=shard_size)
    open_plan(job)
    change(data / "a.parquet")
    run(job)
    rows = rows_in(out)
    assert [rows[f"a.parquet#{row}"] for row in range(left)] == list(range(100, 100 + left))
    assert all(words in rows[f"a.parquet#{row}"] for row in range(left, 5)), rows
    assert [rows[f"b.parquet#{row}"] for row in range(5)] == list(range(200, 205)) and rows["z.png"] == 300


def test_a_file_of_parquet_that_is_not_answered_for_is_asked_for_again_but_not_for_each_row(
    tmp_path, monkeypatch, naps
):
    write_table(tmp_path / "a.parquet", range(100, 140))
    source = Source(tmp_path / "a.parquet")
    photos, cells, asked = list(source.photos()), source._cells, []

    def break_off(file, rows):
        asked.append(rows[0])
        for number, cell in enumerate(cells(file, rows)):
            if number == 3:
                raise OSError("SLOW_DOWN")
            yield cell

    monkeypatch.setattr(source, "_cells", break_off)
    contents = list(source.contents(photos))
    assert len(contents) == 40 and asked == [0, 3, 6] and naps == [2, 4]
    assert contents[8]() == png(108)
    for content in contents[9:]:
        with pytest.raises(OSError, match="SLOW_DOWN"):
            content()
    assert naps == [2, 4]


def test_parquet_is_read_as_a_stream(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).bytes(20_000)
    settings = {"max_rows_per_page": 50, "compression": "none", "use_dictionary": False}
    pq.write_table(pa.table({"image": [noise] * 1000}), tmp_path / "a.parquet", **settings)
    came = 0

    class Counted(io.FileIO):
        def read(self, size=-1):
            nonlocal came
            content = super().read(size)
            came += len(content)
            return content

    monkeypatch.setattr(Place, "open", lambda place: pa.PythonFile(Counted(place.path), mode="r"))
    source = Source(tmp_path / "a.parquet")
    photos = list(source.photos())
    assert next(source.contents(photos))() == noise
    assert came < 5_000_000, "of 20"


@pytest.mark.parametrize("again", ["nothing", "an empty folder"])
def test_a_source_that_vanishes_leaves_its_shards_open(tmp_path, monkeypatch, again):
    data, out, away = tmp_path / "data", tmp_path / "out", tmp_path / "away"
    data.mkdir()
    for number in range(12):
        (data / f"{number:02d}.png").write_bytes(png(100 + number))
    job, detect, calls = job_of(data, out), Nothing.detect_letterboxed, []

    def vanish(self, images, confidence, limit):
        calls.append(len(images))
        if len(calls) == 1:
            data.rename(away)
            if again == "an empty folder":
                data.mkdir()
        return detect(self, images, confidence, limit)

    monkeypatch.setattr(Nothing, "detect_letterboxed", vanish)
    with pytest.raises(OSError, match="none of 5 photos in a row could be fetched .*05.png: There is no such file"):
        run(job)
    assert [path.name for path in (out / "finished").iterdir()] == ["part-000000.json"]
    assert not list((out / "begun").iterdir()), "no worker has died"
    if data.exists():
        data.rmdir()
    away.rename(data)
    assert run(job)["failures"] == 0
    assert list(rows_in(out).values()) == list(range(100, 112))


def test_photos_that_never_were_there_do_not_keep_a_job_from_its_end(tmp_path):
    (tmp_path / "here.png").write_bytes(png(50))
    (tmp_path / "list.txt").write_text("here.png\n" * 6 + "gone.png\n" * 9)
    summary = run(job_of(tmp_path / "list.txt", tmp_path / "out"))
    assert (summary["photos"], summary["failures"]) == (15, 9)


def test_a_job_of_which_no_photo_could_be_read_ends_with_an_error(tmp_path, monkeypatch, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.png").write_bytes(b"nonsense")
    monkeypatch.setattr("pipeline.segmenting.worker.ModelFile", lambda *_: MODEL_FILE)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    line = ["--data", str(tmp_path / "photos"), "--out", str(tmp_path / "out"), "--ray", "off", "--quiet"]
    for _ in range(2):
        assert command.main(parser.parse_args(line)) == 1
        assert "not one of the photos could be read" in capsys.readouterr().err
    (tmp_path / "photos/b.png").write_bytes(png(50))
    line[3] = str(tmp_path / "other")
    assert command.main(parser.parse_args(line)) == 0


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://AKIA:se/cret@bucket/a?region=eu&x=1", "s3://bucket/a?region=eu&x=1"),
        ("s3://AKIA:secret@bucket/a?region=eu", "s3://bucket/a?region=eu"),
        ("https://TOKEN@host/list.txt", "https://host/list.txt"),
        ("https://host:9000/a@2x.png?sig=abc&sv=1&X-Amz-Signature=1", "https://host:9000/a@2x.png?sv=1"),
        ("gs://bucket/a?access_token=1", "gs://bucket/a"),
        ("abfss://container:key@account.dfs.core.windows.net/a", "abfss://container@account.dfs.core.windows.net/a"),
        ("/home/a:b@c/photos?key=1", "/home/a:b@c/photos?key=1"),
    ],
)
def test_addresses_are_shown_without_what_lets_somebody_in(url, shown):
    assert without_secrets(url) == shown


def test_secrets_are_neither_kept_nor_printed(tmp_path, monkeypatch):
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe("/photos/a.png", png(50))
    monkeypatch.setattr(places, "_by_fsspec", lambda url: (fsspec.filesystem("memory"), "/photos"))
    out = tmp_path / "out"
    job = job_of("memory://USER:hush@photos?secret=hush&region=a", out)
    assert run(job)["failures"] == 0
    assert "hush" not in (out / "job.json").read_text() and "USER" not in (out / "job.json").read_text()
    open_plan(job_of("memory://OTHER:hush@photos?secret=new&region=a", out))
    facts = json.loads((out / "job.json").read_text())
    facts["job"]["data"] = job.data  # as earlier versions kept it
    (out / "job.json").write_text(json.dumps(facts))
    open_plan(job)
    with pytest.raises(ValueError, match="region=a.*region=b") as refused:
        open_plan(job_of("memory://USER:hush@photos?secret=hush&region=b", out))
    assert "hush" not in str(refused.value)
    with pytest.raises(ValueError, match="cannot be opened") as refused:
        Place("s3://USER:hush@bucket/photos?nonsense=1")
    assert "hush" not in str(refused.value)


def test_what_a_store_raises_is_an_os_error_and_tried_again(monkeypatch, naps):
    fsspec = pytest.importorskip("fsspec")

    class Answer(Exception):
        status = 429

    class Flaky(fsspec.AbstractFileSystem):
        protocol = "flaky"
        errors = [Answer("429, url='flaky://a?sig=hush'"), RuntimeError("Server disconnected")]

        def cat_file(self, path, start=None, end=None, **_):
            if self.errors:
                raise self.errors.pop(0)
            return b"content"

    monkeypatch.setattr(places, "_by_fsspec", lambda url: (Flaky(), "a"))
    with pytest.raises(OSError, match=r"^flaky://a cannot be reached: the answer is HTTP 429$"):
        Place("flaky://a?sig=hush").read()
    source = SimpleNamespace(base=Place("/"))
    assert Source._from_file(source, "flaky://a") == b"content" and naps == [2]
    Flaky.errors += [Answer()] * 3
    with pytest.raises(OSError, match="HTTP 429"):
        Source._from_file(source, "flaky://a")
    assert naps == [2, 2, 4]
    Flaky.errors = [FileNotFoundError("a")]
    with pytest.raises(FileNotFoundError):
        Source._from_file(source, "flaky://a")


def test_local_results_are_on_the_disk_before_they_have_their_name(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def record(file):
        synced.append(os.fstat(file).st_size)
        fsync(file)

    monkeypatch.setattr(os, "fsync", record)
    (Place(tmp_path) / "new/results").write(b"rows")
    assert (tmp_path / "new/results").read_bytes() == b"rows" and synced == [4]
    (tmp_path / "a.png").write_bytes(png(50))
    open_plan(job_of(tmp_path, tmp_path / "out"))
    assert synced[1:] == [(tmp_path / f"out/{name}").stat().st_size for name in ("plan.parquet", "job.json")]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"shard": 0}'])
def test_a_damaged_record_is_no_finished_shard(tmp_path, content):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.png").write_bytes(png(50))
    job, record = job_of(tmp_path / "photos", tmp_path / "out"), tmp_path / "out/finished/part-000000.json"
    run(job)
    whole = record.read_bytes()
    record.write_bytes(content)
    assert Shards(Place(job.out), "jsonl").finished() == {}
    assert run(job)["photos"] == 1 and json.loads(record.read_bytes()).keys() == json.loads(whole).keys()


def test_results_may_lie_among_the_photos_and_links_lead_nowhere(tmp_path):
    data = tmp_path / "photos"
    (data / "a").mkdir(parents=True)
    (data / "a/a.png").write_bytes(png(50))
    (data / "a/round").symlink_to(data)
    (data / "itself.png").symlink_to("itself.png")
    (data / "linked.png").symlink_to(data / "a/a.png")
    (data / "results").mkdir()
    (data / "results/plan.parquet").write_bytes(b"of a start that was interrupted")
    for out in ("results", "again"):
        summary = run(job_of(data, data / out, labels=False))
        assert sorted(rows_in(data / out)) == ["a/a.png", "linked.png"]
        assert summary["skipped"] == 2
    with pytest.raises(ValueError, match="holds the photos: give the results another folder"):
        run(job_of(data, data))


def test_a_folder_that_may_not_be_read_does_not_end_the_listing(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").touch()
    scandir = os.scandir

    def refuse(path):
        if os.path.basename(path.rstrip("/")) == "b":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    source = Source(tmp_path)
    assert [name for name, _, _ in source.photos()] == ["a/a.png", "c/a.png"] and source.skipped == 1
    with pytest.raises(PermissionError):
        list(Place(tmp_path / "b").files())


def test_no_plan_is_said_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="there is no job.json in"):
        Plan(Place(tmp_path))


def test_a_worker_for_which_no_node_is_large_enough_is_said(capsys):
    nodes = [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": False, "Resources": {"CPU": 64.0}}]
    with pytest.raises(ValueError, match="a worker takes 8 cores, but the largest node has 2"):
        on_ray._check_room(nodes, 8)
    on_ray._check_room(nodes, 2)
    assert capsys.readouterr().err == ""
    on_ray._check_room([{"Alive": True, "Resources": {}}], 2)  # the head of a cluster that grows as it is asked to
    assert "waiting for one" in capsys.readouterr().err


def test_what_an_actor_cannot_load_is_raised_by_its_task_and_not_by_its_birth(tmp_path):
    actor = on_ray.Actor(job_of(tmp_path, tmp_path / "out"), MODEL_FILE, 1)
    with pytest.raises(ValueError, match="there is no job.json in"):
        actor.ready()
