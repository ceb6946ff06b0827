"""`netnode validate-model`: the model against closed forms, fits, laws and measurements."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.output import FORMATS, note
from simulator.cli.sheets import Sheet, emit_sheets

if TYPE_CHECKING:
    from simulator.validation.rows import Row

COLUMNS = ("what", "published or exact", "simulated", "distance", "verdict", "source")


@click.command(short_help="The model against closed forms, field data and measurements.")
@click.option("--long", is_flag=True, help="Some twenty times as many replications.")
@click.option("-j", "--jobs", type=click.IntRange(min=0), default=1, show_default=True,
              metavar="JOBS",
              help="Processes; 0 for one a core. Results do not depend on it.")  # fmt: skip
@click.option("--recordings", type=click.Path(path_type=Path, exists=True, file_okay=False),
              metavar="DIR", help="Where to look for recordings of real code, instead of the "
              "checkout's tests/conformance.")  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True,
              help="How to print the table.")  # fmt: skip
def command(*, long: bool, jobs: int, recordings: Path | None, quiet: bool, form: str) -> int:
    """Simulate what has a known answer, and print it beside the answer, row by row.

    Closed forms of availability, fits of the Failure Trace Archive, laws of times, measured
    failovers, recordings of real code; and what the model does not have. Exit code 0 if every row
    that can be judged passes, 1 if not. The seed is fixed: the same table each time.
    """
    from simulator.analysis.verdicts import exit_code
    from simulator.validation.table import meaning, summary, table

    found: list[Row] = []
    for row in table(long=long, jobs=jobs or os.cpu_count() or 1, home=recordings):
        found.append(row)
        if not quiet:
            note(f"{row.outcome.value}: {row.group}: {row.what}")
    notes = [summary(found), meaning(found)]
    emit_sheets(_sheets(found), form, document=_document(found, notes), notes=notes)
    return exit_code([one for row in found if (one := row.finding())])


def _sheets(found: list[Row]) -> list[Sheet]:
    """A table for each group of rows."""
    groups: dict[str, list[Row]] = {}
    for row in found:
        groups.setdefault(row.group, []).append(row)
    return [Sheet(name, COLUMNS, [_line(row) for row in rows]) for name, rows in groups.items()]


def _line(row: Row) -> tuple[str, ...]:
    return (row.what, row.expected, row.simulated, row.distance, row.outcome.value, row.source)


def _document(found: list[Row], notes: list[str]) -> dict[str, object]:
    return {
        "schema_version": 1,
        "rows": [
            {
                "group": row.group,
                "what": row.what,
                "expected": row.expected,
                "source": row.source,
                "simulated": row.simulated,
                "distance": row.distance,
                "verdict": row.outcome.value,
            }
            for row in found
        ],
        "notes": notes,
    }
