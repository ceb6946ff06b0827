"""`netnode conformance`: recordings of real Neutron against the rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.output import emit, emit_json, note
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.conformance.replay import Report

UNREADABLE, VIOLATED = 2, 1


@click.command(short_help="Replay recordings of real Neutron into the rules.")
@click.argument("folders", nargs=-1, required=True, metavar="DIR…", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def command(*, folders: tuple[Path, ...], as_json: bool) -> int:
    """Replay the recordings in each DIR (or the one file) and report what does not hold.

    A recording says what real code was asked, what it decided and what came of it. Exit code 0 if
    all holds, 1 if not, 2 if a recording cannot be read. An option that looks misspelt is told of
    on standard error, and changes no exit code.
    """
    from simulator.conformance.recording import RecordingError, read_recording
    from simulator.conformance.replay import Replay, Report

    total, unreadable = Report(), list[RecordingError]()
    for path in _files(folders):
        try:
            total.add(Replay(read_recording(path)).run())
        except RecordingError as error:
            unreadable.append(error)
    for doubt in total.notes:
        note(doubt)
    if as_json:
        emit_json(_document(total, [str(error) for error in unreadable]))
    else:
        for line in (*unreadable, *total.violations):
            emit(f"{line}\n")
        counts = (total.traces, total.steps, total.decisions, total.assertions)
        words = "{:,} traces, {:,} steps, {:,} decisions, {:,} assertions".format(*counts)
        found = f"{len(total.violations):,} violation{'s' if len(total.violations) != 1 else ''}"
        emit(f"{words}: {found}\n")
    if unreadable:
        note(f"{len(unreadable)} of {total.traces + len(unreadable)} recordings cannot be read")
        return UNREADABLE
    return VIOLATED if total.violations else 0


def _files(folders: tuple[Path, ...]) -> list[Path]:
    """The recordings in *folders*, in order."""
    files: list[Path] = []
    for folder in folders:
        try:
            found = sorted(folder.glob("*.json")) if folder.is_dir() else [folder]
        except OSError as error:
            raise InputError(f"{folder}: {error.strerror}") from None
        if not found:
            raise InputError(f"{folder}: no recordings (*.json) in it")
        files += found
    return files


def _document(total: Report, unreadable: list[str]) -> dict[str, object]:
    return {
        "schema_version": 1,
        "traces": total.traces,
        "steps": total.steps,
        "decisions": total.decisions,
        "assertions": total.assertions,
        "unreadable": unreadable,
        "notes": total.notes,
        "violations": [
            {
                "file": violation.file,
                "step": violation.step,
                "time": violation.time,
                "what": violation.what,
                "expected": violation.expected,
                "found": violation.found,
            }
            for violation in total.violations
        ],
    }
