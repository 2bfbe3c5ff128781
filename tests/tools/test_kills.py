"""`make kills`, with few of them: a command that is killed again and again makes what it would have made."""

import pytest

from tools import kills


@pytest.mark.slow
@pytest.mark.parametrize("name", ["download", "prepare"])
def test_a_killed_command_makes_the_same(name, capsys):
    """Those that need no TensorFlow; the others have tests of one kill each beside their own."""
    assert kills.main(["--only", name, "--kills", "2"]) == 0
    assert f"{name}: 2 kills" in capsys.readouterr().out


def test_other_results_are_noticed(tmp_path):
    for name, content in (("one", "a"), ("other", "b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(content)
    with pytest.raises(AssertionError, match="other files: file"):
        kills.same_files(tmp_path / "one", tmp_path / "other")
