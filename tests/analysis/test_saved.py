"""Results on disk: what is read back is what was written, and no half folder is ever seen."""

from __future__ import annotations

import json

import pytest
from lab import down_share, scenario

from simulator.analysis import folder as folders
from simulator.analysis.reading import load_result
from simulator.analysis.report import text
from simulator.errors import InputError, MissingError, OutputError
from simulator.experiment.runner import run


@pytest.fixture(scope="module")
def result():
    given = scenario(
        start="equilibrium",
        horizon="5d",
        failures={"host": down_share(0.05)},
        variants={"f": {"release": "folsom"}, "g": {}},
    )
    return run(given, replications=4, jobs=1, trace_replication=1)


@pytest.fixture(scope="module")
def folder(result, tmp_path_factory):
    return result.save(tmp_path_factory.mktemp("saved") / "one", pictures=False)


def test_what_is_read_back_is_what_was_written(result, folder):
    back = load_result(folder)
    assert back.document() == result.document()
    assert text(back, everything=True) == text(result, everything=True)
    for table in ("summary", "differences", "frame", "objects", "events"):
        assert getattr(back, table).equals(getattr(result, table)), table
    assert back.replications == result.replications
    assert back.trace_replication == 1
    assert back.scenario.variants == result.scenario.variants


def test_a_result_read_back_can_be_saved_again(folder, tmp_path):
    again = load_result(folder).save(tmp_path / "again", pictures=False)
    assert json.loads((again / "summary.json").read_text()) == json.loads(
        (folder / "summary.json").read_text()
    )


def test_a_folder_is_replaced_whole_and_only_by_a_result(result, tmp_path):
    result.save(tmp_path / "x", pictures=False)
    (tmp_path / "x" / "old").write_text("")
    result.save(tmp_path / "x", pictures=False)
    assert not (tmp_path / "x" / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("")
    with pytest.raises(InputError, match="is not empty and holds no result"):
        result.save(tmp_path / "mine")


def test_a_failed_write_leaves_the_old_folder_as_it_was(result, tmp_path, monkeypatch):
    result.save(tmp_path / "x", pictures=False)
    before = (tmp_path / "x" / "summary.json").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "_write_tables", full)
    with pytest.raises(OutputError, match="No space left"):
        result.save(tmp_path / "x")
    assert (tmp_path / "x" / "summary.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["manifest.json", "replications.parquet", "summary.json"])
def test_a_damaged_folder_is_told(result, tmp_path, name):
    folder = result.save(tmp_path / "x", pictures=False)
    (folder / name).write_bytes(b"{")
    with pytest.raises(InputError, match="damaged"):
        load_result(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"not a result folder: {name} is missing"):
        load_result(folder)


def test_what_was_not_kept_is_missing(tmp_path):
    bare = run(scenario(), replications=1, jobs=1, objects="none", trace_replication=None)
    back = load_result(bare.save(tmp_path / "x"))
    with pytest.raises(MissingError, match="no trace"):
        _ = back.events
    with pytest.raises(MissingError, match="no table of objects"):
        _ = back.objects
    assert (tmp_path / "x" / "overview.png").exists()
