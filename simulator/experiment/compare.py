"""Comparing two scenarios, two results, or one with the other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from simulator.analysis.comparison import Comparison, match
from simulator.analysis.reading import load_result
from simulator.analysis.results import ResultSet
from simulator.errors import InputError
from simulator.experiment.runner import run
from simulator.scenario.load import load_scenario
from simulator.scenario.schema import Scenario

Comparable = Scenario | ResultSet | str | Path


def compare(
    a: Comparable, b: Comparable, *, names: tuple[str, str] | None = None, **run_options: Any
) -> Comparison:
    """What changes from *a* to *b*: B minus A, paired where the two share their random numbers.

    Each is a scenario, a result, or the path of a scenario file or result folder. Scenarios are
    run first, with *run_options* as for `run`. *names* are what the two are to be called.

    Raises InputError if no variant of one can be matched with one of the other, and
    KeyboardInterrupt if a run is interrupted.
    """
    sides = [_read(side) for side in (a, b)]
    given = ", ".join(sorted(run_options.keys() - {"progress"}))
    if given and all(isinstance(side, ResultSet) for side in sides):
        raise InputError(f"{given}: both are results, so nothing is run")
    names = names or (_name(a), _name(b))
    match(list(sides[0].variants), list(sides[1].variants), names)  # before time is spent
    first, second = (
        side if isinstance(side, ResultSet) else _run(side, run_options) for side in sides
    )
    return Comparison(first, second, names)


def _read(side: Comparable) -> Scenario | ResultSet:
    if isinstance(side, Scenario | ResultSet):
        return side
    path = Path(side)
    return load_result(path) if os.path.isdir(path) else load_scenario(path)


def _run(scenario: Scenario, options: dict[str, Any]) -> ResultSet:
    """A whole run, or none: half a comparison helps nobody."""
    result = run(scenario, **options)
    if result.partial:
        raise KeyboardInterrupt
    return result


def _name(side: Comparable) -> str:
    if isinstance(side, ResultSet):
        return side.scenario.name
    return side.name if isinstance(side, Scenario) else str(side)
