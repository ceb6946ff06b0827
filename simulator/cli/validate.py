"""`netnode validate`: every problem of scenario files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.inputs import refuse_folder
from simulator.cli.output import emit, emit_json, note
from simulator.errors import InputError, Problem

if TYPE_CHECKING:
    from simulator.scenario.schema import Scenario

INVALID = 2


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a file; *scenario* is None if that is too much."""

    file: str
    scenario: Scenario | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        """How many problems forbid a run."""
        return sum(not problem.warning for problem in self.problems)


@click.command(short_help="Check scenario files; print every problem.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def command(*, files: tuple[Path, ...], as_json: bool) -> int:
    """Check scenario FILES and print all their problems, one a line, where they stand.

    Warnings do not make a file invalid. Exit code 2 if any file is.
    """
    verdicts = [_check(path) for path in files]
    if as_json:
        emit_json({"schema_version": 1, "files": [_as_dict(verdict) for verdict in verdicts]})
    else:
        for verdict in verdicts:
            for problem in verdict.problems:
                emit(f"{problem}\n")
            if verdict.scenario:
                emit(f"{verdict.file}: {_praise(verdict.scenario)}\n")
    errors = sum(verdict.errors for verdict in verdicts)
    if errors:
        bad = sum(verdict.scenario is None for verdict in verdicts)
        note(f"{errors} error{'s' if errors != 1 else ''} in {bad} of {len(verdicts)} files")
    return INVALID if errors else 0


def _check(path: Path) -> Verdict:
    from simulator.scenario.load import load, shown

    try:
        refuse_folder(path)
    except InputError as error:
        problem = Problem(shown(path), 1, 1, "unreadable", "", str(error))
        return Verdict(shown(path), None, (problem,))
    loaded = load(path)
    return Verdict(shown(path), loaded.scenario, loaded.problems)


def _events(scenario: Scenario) -> float:
    from simulator.scenario.size import estimate_events

    return sum(estimate_events(s, scenario.horizon) for s in scenario.variants.values())


def _praise(scenario: Scenario) -> str:
    count = len(scenario.variants)
    events = float(f"{_events(scenario):.2g}")
    variants = f"{count} variant{'s' if count != 1 else ''}"
    return f"valid ({variants}, about {events:,.0f} events a replication)"


def _as_dict(verdict: Verdict) -> dict[str, Any]:
    scenario = verdict.scenario
    return {
        "file": verdict.file,
        "valid": scenario is not None,
        "variants": list(scenario.variants) if scenario else None,
        "events": round(_events(scenario)) if scenario else None,
        "problems": [
            {
                "line": problem.line,
                "column": problem.column,
                "code": problem.code,
                "path": problem.path,
                "message": problem.message,
                "warning": problem.warning,
            }
            for problem in verdict.problems
        ],
    }
