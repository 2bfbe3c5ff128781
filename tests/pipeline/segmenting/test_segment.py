"""Many photos from every kind of source, interrupted in every way: the same rows, none twice and none lost."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mrcnn import MaskRCNN
from tests.pipeline.segmenting.photos import write_photos

pa = pytest.importorskip("pyarrow", reason="pipeline segment needs pyarrow: pip install .[scale]")
import pyarrow.parquet as pq  # noqa: E402

from pipeline.segmenting.job import run_job  # noqa: E402
from pipeline.segmenting.plan import Job  # noqa: E402
from pipeline.segmenting.sources import Source  # noqa: E402
from pipeline.segmenting.worker import DecodingApart, ModelFile  # noqa: E402

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
COUNT = 14


@pytest.fixture(scope="module")
def model_file():
    return ModelFile("cat", "onnx")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write_photos(tmp_path_factory.mktemp("photos") / "photos", COUNT)


@pytest.fixture
def segment(model_file, tmp_path):
    """A function that runs a job in this process and returns its summary and rows."""

    def segment(data, out=tmp_path / "out", **settings):
        job = Job(str(data), str(out), "image", model_file.sha256, 0.5, 30, "jsonl", False, 5)
        job = dataclasses.replace(job, **settings)
        summary = run_job(job, model_file, ray="off", progress=False)
        return summary, rows_in(out)

    return segment


def rows_in(out):
    files = sorted(Path(out).glob("results/part-*"))
    if files[0].suffix == ".parquet":
        return [row for file in files for row in pq.read_table(file).to_pylist()]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def expected(photos, model_file, tmp_path_factory):
    """The rows of one run without interruption."""
    out = tmp_path_factory.mktemp("expected")
    run_job(
        Job(str(photos), str(out), "image", model_file.sha256, 0.5, 30, "jsonl", False, 5),
        model_file,
        "off",
        progress=False,
    )
    return rows_in(out)


def command(photos, out, *options):
    line = [sys.executable, "-m", "pipeline", "segment", "--data", photos, "--out", out, "--engine", "onnx"]
    return [*map(str, line), "--shard-size", "5", "--ray", "off", *options]


def contents(rows):
    """What rows say, without the photo's number and name."""
    return [
        (row["width"], row["height"], [{**found, "image_id": 0} for found in row["annotations"]], bool(row["error"]))
        for row in rows
    ]


def test_a_row_a_photo_with_what_the_library_finds(photos, expected, model_file):
    model = MaskRCNN.from_pretrained("cat", engine="onnx")
    assert [row["image_id"] for row in expected] == list(range(1, COUNT + 3))
    names = [str(path.relative_to(photos)) for path in sorted(photos.rglob("*.jpg"))]
    assert [row["file_name"] for row in expected] == names
    found_any = 0
    for row in expected:
        if Path(row["file_name"]).stem in ("nonsense", "torn"):
            assert row["annotations"] == [] and ("format" in row["error"] or "damaged" in row["error"])
            continue
        found = model.segment(photos / row["file_name"], confidence=0.5)
        assert row["error"] is None and (row["height"], row["width"]) == found.image_size
        alone = found.to_coco(row["image_id"])
        assert [each["category_id"] for each in row["annotations"]] == [each["category_id"] for each in alone]
        # Other photos in the batch move sums by their last digits.
        np.testing.assert_allclose([r["score"] for r in row["annotations"]], [r["score"] for r in alone], atol=1e-4)
        np.testing.assert_allclose([r["area"] for r in row["annotations"]], [r["area"] for r in alone], rtol=0.01)
        found_any += len(found)
    assert found_any >= COUNT // 4


def test_summary_labels_and_parquet(photos, expected, segment, tmp_path):
    summary, rows = segment(photos, format="parquet", labels=True)
    assert rows == expected
    assert json.loads((tmp_path / "out/summary.json").read_text()) == summary
    found = sum(len(row["annotations"]) for row in rows)
    assert (summary["photos"], summary["failures"], summary["left_out"]) == (COUNT + 2, 2, 1)
    assert summary["objects"] == {"cat": found} and summary["last_run"]["photos_per_second"] > 0
    labels = sorted((tmp_path / "out/labels").rglob("*.png"))
    assert [int(path.stem) for path in labels] == [row["image_id"] for row in rows if row["error"] is None]
    for row, label in zip((row for row in rows if row["error"] is None), labels, strict=True):
        pixels = np.asarray(Image.open(label))
        assert pixels.shape == (row["height"], row["width"])
        assert np.count_nonzero(pixels) == sum(each["area"] for each in row["annotations"])


def test_a_list_and_parquet_give_what_the_folder_gives(photos, expected, segment, tmp_path):
    names = [row["file_name"] for row in expected]
    listed = photos.parent / "list.txt"
    listed.write_text("# ours\n" + "".join(f"{photos.name}/{name}\n" for name in names) + "photos/missing.jpg\n")
    data = [(photos / name).read_bytes() for name in names]
    pq.write_table(pa.table({"image": data}), tmp_path / "bytes.parquet", row_group_size=3)
    structs = [{"bytes": content, "path": None} for content in data]
    pq.write_table(pa.table({"image": structs}), tmp_path / "structs.parquet", row_group_size=100)
    paths = [str(photos / name) for name in names]
    pq.write_table(pa.table({"picture": paths}), tmp_path / "paths.parquet")
    _, rows = segment(listed, tmp_path / "1")
    assert contents(rows[:-1]) == contents(expected) and rows[-1]["error"] == "There is no such file."
    for number, (name, column) in enumerate((("bytes", "image"), ("structs", "image"), ("paths", "picture")), start=2):
        _, rows = segment(tmp_path / f"{name}.parquet", tmp_path / str(number), column=column)
        assert contents(rows) == contents(expected), name


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_photos_whose_names_are_not_utf_8_are_errors_of_their_own(photos, segment, tmp_path, form):
    data = tmp_path / "photos"
    data.mkdir()
    (data / "a.jpg").write_bytes((photos / "a/00000.jpg").read_bytes())
    folder = data / os.fsdecode(b"sch\xf6n")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this system has no such names")
    (folder / "b.jpg").write_bytes((photos / "a/00000.jpg").read_bytes())
    (data / os.fsdecode(b"sch\xf6n.parquet")).write_bytes(b"nonsense")
    (data / os.fsdecode(b"sch\xf6n.txt")).write_text("no photo")
    summary, rows = segment(data, format=form)
    assert (summary["photos"], summary["failures"], summary["left_out"]) == (3, 2, 1)
    assert [(row["file_name"], row["error"]) for row in rows] == [
        ("a.jpg", None),
        (r"sch\udcf6n.parquet", "Its name is not UTF-8: rename it."),
        (r"sch\udcf6n/b.jpg", "Its name is not UTF-8: rename it."),
    ]
    assert [row["image_id"] for row in rows] == [1, 2, 3] and rows[0]["annotations"]


def test_what_is_no_source_is_said(segment, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "photo.doc").write_text("x")
    (tmp_path / "torn.parquet").write_text("PAR1 and no more")
    pq.write_table(pa.table({"picture": [b"x"]}), tmp_path / "other.parquet")
    for data, words in (
        ("nowhere", "there is no"),
        ("empty", "no photos"),
        ("photo.doc", "another kind"),
        ("torn.parquet", "no Parquet file"),
        ("other.parquet", "--column"),
    ):
        with pytest.raises(ValueError, match=words):
            segment(tmp_path / data, tmp_path / "results")
        assert not (tmp_path / "results/job.json").exists()
    with pytest.raises(ValueError, match="cannot be opened"):
        segment("nothing://here")


def test_results_of_another_job_are_not_mixed_with(photos, segment):
    segment(photos)
    with pytest.raises(ValueError, match="confidence 0.5, now 0.7"):
        segment(photos, confidence=0.7)


def test_photos_that_came_later_belong_to_another_job(photos, expected, segment, tmp_path, model_file):
    """Half of the shards are missing, and the source has grown in front."""
    grown = tmp_path / "grown"
    write_photos(grown, COUNT)
    segment(grown)
    for record in sorted((tmp_path / "out/finished").iterdir())[::2]:
        record.unlink()
    (grown / "a" / "000.jpg").write_bytes((grown / "a" / "00000.jpg").read_bytes())
    summary, rows = segment(grown)
    assert rows == expected
    assert summary["photos"] == COUNT + 2 and 0 < summary["last_run"]["photos"] < COUNT + 2


def test_after_a_death_photos_are_decoded_by_a_process_of_their_own(photos, expected, segment, tmp_path, model_file):
    segment(photos)
    for shard in range(4):
        (tmp_path / f"out/begun/part-{shard:06d}").touch()
    for record in (tmp_path / "out/finished").iterdir():
        record.unlink()
    _, rows = segment(photos)
    assert rows == expected
    assert not list((tmp_path / "out/begun").iterdir())


def test_a_photo_that_does_not_come_to_its_end_is_an_error_of_its_own(photos, monkeypatch):
    content = (photos / "a/00000.jpg").read_bytes()
    monkeypatch.setattr("pipeline.segmenting.worker.PATIENCE", 0.001)  # no process starts in that time
    with DecodingApart() as apart:
        with pytest.raises(ValueError, match="cat.jpg takes more than"):
            apart.decode(content, "cat.jpg")
        monkeypatch.setattr("pipeline.segmenting.worker.PATIENCE", 120)
        assert apart.decode(content, "cat.jpg").shape == (240, 320, 3)


def test_listing_is_a_stream(tmp_path):
    for number in range(30):
        (tmp_path / f"{number % 3}").mkdir(exist_ok=True)
        (tmp_path / f"{number % 3}/{number:02d}.png").touch()
    photos = Source(tmp_path).photos()
    assert next(photos)[0] == "0/00.png"
    (tmp_path / "2/99.png").touch()  # in a folder that has not been looked at yet
    assert sum(1 for _ in photos) == 30


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle_it_ends_with_the_same_rows(photos, expected, tmp_path, number):
    out = tmp_path / "out"
    process = subprocess.Popen(
        command(photos, out), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while len(list((out / "finished").glob("*.json")) if (out / "finished").exists() else ()) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    if number == signal.SIGINT:
        assert process.returncode == 130 and "the same command goes on" in errors and "Traceback" not in errors
    done = len(list((out / "finished").glob("*.json")))
    assert 2 <= done < 4
    again = subprocess.run(command(photos, out), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stderr
    assert rows_in(out) == expected
    assert f"{COUNT + 2} photos: found" in again.stdout
    assert not list(out.rglob("*.part"))


@pytest.fixture
def bucket(monkeypatch):
    """An S3 server on loopback with an empty bucket, and where it is said to PyArrow."""
    server = pytest.importorskip("moto.server", reason="the bucket of the test is moto's: pip install 'moto[s3]' flask")
    boto3 = pytest.importorskip("boto3")
    running = server.ThreadedMotoServer(port=0)
    running.start()
    _, port = running.get_host_and_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    address = f"http://127.0.0.1:{port}"
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
    client.create_bucket(Bucket="bucket")
    yield client, f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    running.stop()


@pytest.mark.slow
def test_from_a_bucket_into_a_bucket(photos, expected, model_file, bucket):
    client, settings = bucket
    for path in photos.rglob("*.*"):
        client.upload_file(str(path), "bucket", f"photos/{path.relative_to(photos)}")
    job = Job(
        f"s3://bucket/photos{settings}",
        f"s3://bucket/out{settings}",
        *("image", model_file.sha256, 0.5, 30, "jsonl", True, 5),
    )
    for missing in (None, "part-000001"):
        if missing:  # as if it had been killed before
            client.delete_object(Bucket="bucket", Key=f"out/finished/{missing}.json")
        summary = run_job(job, model_file, "off", progress=False)
        keys = [each["Key"] for each in client.list_objects_v2(Bucket="bucket", Prefix="out/")["Contents"]]
        parts = sorted(key for key in keys if key.startswith("out/results/part"))
        bodies = [client.get_object(Bucket="bucket", Key=key)["Body"].read().decode() for key in parts]
        assert [json.loads(line) for body in bodies for line in body.splitlines()] == expected
        assert summary["photos"] == COUNT + 2
        assert sum(key.endswith(".png") for key in keys) == COUNT
    assert summary["last_run"]["photos"] == 5


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [("nowhere", [], "there is no"), ("photos", ["--limit", "2000"], "--limit must be at most 1000, but is 2000")],
)
def test_the_command_says_what_is_wrong_in_one_sentence(photos, tmp_path, name, options, words):
    line = command(photos.parent / name, tmp_path / "out", *options)
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"python -m pipeline segment: {words}")
    assert not (tmp_path / "out").exists()
