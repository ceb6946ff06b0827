"""The command that makes the table: which rows it takes, and what becomes of one that fails."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import rivals
import table
from measuring import QUICK, Spread, apart, number
from rows import ROWS, Found, Row

WELL = Row("well", "work | done", "1 s", lambda effort: Found("0.5 s", True))


def fails(effort):
    """By a division."""
    return 1 / 0


def test_names_are_unique_and_every_row_says_how_it_is_measured():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert all(row.how.endswith(".") for row in ROWS)


def test_rows_are_chosen_by_their_first_words():
    chosen = [row.name for row in ROWS if row.is_chosen(["peers", "elided-4"])]
    assert chosen == ["elided-4", "peers", "peers-availsim4", "peers-c"]
    assert all(row.is_chosen([]) for row in ROWS)


def test_a_row_that_fails_says_why_and_the_next_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(table, "ROWS", [Row("ill", "work", "1 s", fails), WELL])
    assert table.main(["--quick"]) == 1
    said = capsys.readouterr()
    assert "| `ill` | work | 1 s | failed: ZeroDivisionError: division by zero | – |" in said.out
    assert "| `well` | work / done | 1 s | 0.5 s | yes |" in said.out
    assert "- `ill`: By a division." in said.out
    assert "[2/2] well" in said.err


def test_only_the_whole_table_is_written(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(table, "ROWS", [WELL])
    monkeypatch.setattr(table, "PAGE", tmp_path / "docs" / "benchmarks.md")
    table.PAGE.parent.mkdir()
    for arguments in (["--quick"], ["well"]):
        assert table.main(arguments) == 0
        assert not table.PAGE.exists()
    assert table.main([]) == 0
    assert "0.5 s" in table.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", ["elide", "--fast"])
def test_an_unknown_row_or_option_is_a_usage_error(wrong, capsys):
    assert table.main([wrong]) == 2
    assert wrong in capsys.readouterr().err


def test_rows_can_be_listed(capsys):
    assert table.main(["--list"]) == 0
    assert capsys.readouterr().out.split() == [row.name for row in ROWS]


def test_the_page_has_every_row():
    text = table.PAGE.read_text(encoding="utf-8")
    assert [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")] == [
        row.name for row in ROWS
    ]


def test_what_cannot_be_installed_is_not_measured(monkeypatch, tmp_path):
    def refuse(*args, **keys):
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(rivals, "_cache", lambda: tmp_path)
    monkeypatch.setattr(rivals.venv, "create", lambda *args, **keys: None)
    monkeypatch.setattr(rivals.subprocess, "run", refuse)
    monkeypatch.setattr(rivals.shutil, "which", lambda name: None)
    rivals._found.cache_clear()
    try:
        assert rivals.programs() == {}
        assert rivals.missing() == {
            "AvailSim4": "it could not be installed",
            "RePyability": "it could not be installed",
            "C": "no C compiler",
        }
    finally:
        rivals._found.cache_clear()


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_program_in_c_finds_the_availability_of_ten_nodes(monkeypatch, tmp_path):
    monkeypatch.setattr(rivals, "_cache", lambda: tmp_path)
    found = rivals._run(rivals._compiled(), 100, 1)
    rivals.check("C", found, years=100)
    assert found["detections"] > 0.99 * found["cycles"]
    assert found["routers"] == pytest.approx(found["availability"], abs=1e-4)


def test_work_in_a_new_process_is_measured_there():
    found = apart("cluster", {"horizon": "30d"}, replications=2)
    assert found["events"] > 100
    assert found["seconds"] > 0
    assert found["bytes"] > 10e6
    with pytest.raises(RuntimeError, match="unexpected keyword"):
        apart("large", {"moons": 3})


def test_an_availability_that_is_wrong_is_no_result():
    rivals.check("x", {"availability": 0.999}, years=100)
    with pytest.raises(AssertionError, match=r"x has an availability of 0\.998"):
        rivals.check("x", {"availability": 0.998}, years=100)


def test_numbers_have_three_digits_that_count():
    assert [number(value) for value in (0.012345, 1.5, 99.94, 123.4, 98765.0, 1234567.0)] == [
        "0.0123", "1.5", "99.9", "123", "98,800", "1,230,000",
    ]  # fmt: skip
    assert Spread.of([3.0, 1.0, 2.0]).written(" s") == "2 s (1..3)"
    assert QUICK.is_quick
