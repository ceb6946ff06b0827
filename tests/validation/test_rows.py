"""The table of validation: all of it passes, what is wrong fails, and nothing is left out."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from simulator.cli import main
from simulator.validation import absent, closed_forms, fits, recordings, timing
from simulator.validation.rows import Effort, Outcome, Row, agrees, law, within
from simulator.validation.table import meaning, summary, table

SHORT = Effort(long=False, jobs=1)


@pytest.mark.parametrize(
    ("value", "published", "found"),
    [
        (1000 / 1004, "0.996015936", True),
        (0.9960159, "0.996015936", False),
        (1.58728e-5, "1.5873e-5", True),
        (1.5872e-5, "1.5873e-5", False),
        (25920.0, "25920", True),
    ],
)
def test_a_value_agrees_to_the_digits_that_were_published(value, published, found):
    assert agrees(value, published) == found


def test_rounded_means_move_what_was_computed_from_them():
    """159.49 and 49.61 h give 0.762745; 159.495 and 49.605 h give 0.762769, which is 0.7628."""
    value = 159.49 / (159.49 + 49.61)
    assert not agrees(value, "0.7628")
    assert agrees(value, "0.7628", 0.005 / (159.49 + 49.61))
    assert not agrees(value, "0.7630", 0.005 / (159.49 + 49.61))


@pytest.fixture(scope="module")
def document():
    """What `validate-model --format json` prints, and its exit code: in a process of its own, which
    nothing slows down.
    """
    command = [sys.executable, "-m", "simulator", "validate-model", "-q", "-j", "1"]
    called = subprocess.run([*command, "--format", "json"], capture_output=True, text=True)
    return called.returncode, json.loads(called.stdout)


def test_every_row_of_the_short_form_passes(document):
    code, found = document
    verdicts = {row["what"]: row["verdict"] for row in found["rows"]}
    assert code == 0
    assert set(verdicts.values()) == {"pass", "not modelled"}
    groups = {row["group"] for row in found["rows"]}
    assert groups == {"closed forms", "failure traces", "timing", "measured", "conformance",
                      "not modelled"}  # fmt: skip
    assert len(verdicts) == len(found["rows"]) == 63


@pytest.mark.no_cover
def test_what_the_model_does_not_have_is_listed(document):
    _, found = document
    missing = [row for row in found["rows"] if row["verdict"] == "not modelled"]
    assert len(missing) == len(absent.ABSENT)
    assert all(row["expected"] and row["source"] and row["distance"] for row in missing)


@pytest.mark.no_cover
def test_the_notes_say_what_passing_means(document):
    _, found = document
    count = len(found["rows"]) - len(absent.ABSENT)
    assert found["notes"][0].startswith(f"{count} pass, 0 fail, 0 not here")
    assert "|z| at most 4" in found["notes"][1]


# -- what is wrong fails -------------------------------------------------------------------


def test_a_limit_that_is_off_fails(monkeypatch):
    monkeypatch.setattr(timing, "LIMITS", {"grizzly": (1.2, 5.2)})
    (row,) = timing.detection(SHORT)
    assert row.outcome == Outcome.FAIL


def test_a_published_value_that_is_not_the_exact_one_fails(monkeypatch):
    monkeypatch.setattr(fits, "FITS", {"LANL05": (1779.99, 0.48, 5.92, "0.99569")})
    rows = list(fits.fits(SHORT))
    assert [row.outcome for row in rows] == [Outcome.FAIL, Outcome.FAIL, Outcome.PASS]
    assert "not the published" in rows[0].distance


def test_repairs_that_take_longer_than_said_fail(monkeypatch):
    """The run has 10 % more repair time than the exact value is told."""
    from simulator.distributions import Exponential
    from simulator.validation import rows

    told = rows.samples

    def slower(given, jobs, *metrics):
        monkeypatch.setattr(Exponential, "sample", lambda law, u: -law.mean * (
            1.1 if law.mean == 3600 else 1.0) * np.log1p(-u))  # fmt: skip
        found = told(given, jobs, *metrics)
        monkeypatch.undo()
        return found

    monkeypatch.setattr(closed_forms, "samples", slower)
    row = closed_forms._all_down_simulated(SHORT, 1, 150)
    assert row.outcome == Outcome.FAIL


def test_a_law_has_bounds_a_mean_and_a_shape():
    times = np.linspace(1.001, 4.999, 400)
    keys = {"expected": "", "source": "", "bounds": (1, 5), "cdf": timing.uniform(1, 5)}
    assert law("g", "w", times, mean=3.0, **keys).outcome == Outcome.PASS
    assert law("g", "w", times, mean=3.5, **keys).outcome == Outcome.FAIL
    assert law("g", "w", np.append(times, 5.1), mean=3.0, **keys).outcome == Outcome.FAIL
    squared = 1 + (times - 1) ** 2 / 4
    assert law("g", "w", squared, mean=squared.mean(), **keys).outcome == Outcome.FAIL


@pytest.mark.parametrize(("value", "outcome"), [(2, "pass"), (4, "pass"), (4.1, "fail")])
def test_a_range_contains_or_not(value, outcome):
    row = within("g", "w", value, 2, 4, expected="3", source="s", found="f")
    assert row.outcome == outcome
    assert row.finding().verdict == outcome


def test_recordings_that_are_not_here_are_told_of(tmp_path):
    rows = list(recordings.recordings(tmp_path))
    assert [row.outcome for row in rows] == [Outcome.NOT_HERE] * 2
    assert str(tmp_path) in rows[0].distance
    assert rows[0].finding() is None
    assert "2 not here" in summary(rows)


def test_a_recording_that_cannot_be_read_fails(tmp_path):
    (tmp_path / "grizzly").mkdir()
    (tmp_path / "grizzly" / "g01.json").write_text("{")
    row, _ = recordings.recordings(tmp_path)
    assert row.outcome == Outcome.FAIL
    assert "1 not readable" in row.simulated


def test_the_chance_of_a_false_alarm_is_counted():
    """Two z at 6.3e-5 and one law at 1e-3: 1.1e-3."""
    rows = [
        Row("g", str(i), "", "", "", distance, Outcome.PASS)
        for i, distance in enumerate(["z = +1.00", "z = -1.00, KS p = 0.5, n = 9", "in range"])
    ]
    assert meaning(rows).endswith("at most 0.0011")


def test_a_failing_row_leaves_code_1(monkeypatch, capsys):
    from simulator.validation import table as whole

    monkeypatch.setattr(whole, "MAKERS", (timing.detection,))
    monkeypatch.setattr(timing, "LIMITS", {"grizzly": (2.0, 6.0)})
    assert main(["validate-model", "-q"]) == 1
    assert "fail" in capsys.readouterr().out


def test_rows_come_one_by_one():
    first = next(table())
    assert first.what == "availability of a router on one node"
