"""Recordings of real Quantum and Neutron, replayed into the rules, where they are to be had."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import simulator.conformance as conformance
from simulator.conformance.recording import RecordingError, read_recording
from simulator.conformance.replay import Replay, Report
from simulator.validation.rows import Outcome, Row

GROUP = "conformance"
SOURCE = "recordings of real code"
HOME = Path(conformance.__file__).parents[2] / "tests" / "conformance"
"""Where a checkout of the project has them; an installed package has none."""
FOLDERS = {"grizzly": "Quantum 2013.1.5", "neutron": "Neutron 29.0.0"}


def recordings(home: Path = HOME) -> Iterator[Row]:
    """Each folder of recordings: how much was checked, and that all of it holds."""
    for folder, what in FOLDERS.items():
        files = sorted((home / folder).glob("*.json"))
        if not files:
            yield Row(GROUP, what, "0 violations", SOURCE, "", str(home / folder),
                      Outcome.NOT_HERE)  # fmt: skip
            continue
        yield _replayed(what, files)


def _replayed(what: str, files: list[Path]) -> Row:
    total, unreadable = Report(), 0
    for path in files:
        try:
            total.add(Replay(read_recording(path)).run())
        except RecordingError:
            unreadable += 1
    found = f"{len(total.violations)} violations"
    if unreadable:
        found += f", {unreadable} not readable"
    counts = f"{total.traces} traces, {total.decisions:,} decisions, {total.assertions:,} checks"
    good = not total.violations and not unreadable
    return Row(GROUP, what, "0 violations", SOURCE, found, counts,
               Outcome.PASS if good else Outcome.FAIL)  # fmt: skip
