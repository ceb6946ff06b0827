"""Running a scenario: every variant in every replication, on all cores, the same bits anyhow.

A replication depends on the seed and its number alone, so who computes it does not matter.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from concurrent.futures.process import BrokenProcessPool
from operator import index
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from simulator import interrupts
from simulator.analysis.fingerprint import Fingerprint
from simulator.analysis.machine import machine
from simulator.analysis.metrics import METRICS
from simulator.analysis.objects import ObjectRows
from simulator.analysis.results import ResultSet, Sample
from simulator.analysis.stopping import wanting, why_ended
from simulator.errors import InputError, PartialRunError
from simulator.experiment.workers import Job, Outcome, cores, outcomes
from simulator.scenario.check import check_until
from simulator.scenario.load import load_scenario
from simulator.scenario.schema import Scenario
from simulator.scenario.size import OBJECT_BYTES, objects_in_all
from simulator.scenario.until import REPLICATION_LIMIT, Until, read_until
from simulator.trace import Floats, Trace

Progress = Callable[[int, int], None]

ROW_LIMIT = 10_000_000
"""Rows of the table of objects; beyond, each replication is kept as quantiles."""

Objects = Literal["auto", "all", "none"]


def run(
    scenario: Scenario | str | Path,
    *,
    replications: int | None = None,
    until: Until | Mapping[str, object] | None = None,
    most: int | None = None,
    seed: int | None = None,
    jobs: int = 0,
    trace_replication: int | None = 0,
    objects: Objects = "auto",
    progress: Progress | None = None,
    start_method: str | None = None,
) -> ResultSet:
    """Simulate *scenario*, or the one in the file of that path, and return what it found.

    *replications* and *seed* replace the scenario's. *until* is what the run is to reach, in the
    form of the scenario's key, and replaces that; *most* is after how many replications it ends
    anyhow. *jobs* is the number of processes, 0 for one
    a core; the numbers do not depend on it. The trace of *trace_replication* is kept. *objects*
    says whether the life and downtime of every router and network are kept: `auto`, up to
    ROW_LIMIT rows, and quantiles of each replication beyond; `all`; or `none`. *progress* is
    told how many replications of how many are done, first of all 0. An interrupt (Ctrl-C) ends
    the run early: the result then holds what had finished and is marked partial. Raises
    PartialRunError, with the same in its `result`, if a worker process dies or a replication
    fails, and InputError for what makes no sense.
    """
    scenario = _read(scenario)
    given = {"replications": replications, "seed": seed}
    changes = {what: _whole(what, n) for what, n in given.items() if n is not None}
    scenario = scenario.model_copy(update={**changes, **_target(scenario, until, most)})
    jobs = _whole("jobs", jobs)
    _check(scenario, jobs, trace_replication, objects)
    count = scenario.looks[-1]
    jobs = min(jobs or cores(), count)
    gathered = Gathered(scenario, trace_replication)
    _check_memory(scenario, jobs)
    job = Job(scenario, trace_replication, _kept(objects, scenario))
    try:
        _gather(gathered, job, jobs, start_method, progress or (lambda done, total: None))
    except KeyboardInterrupt:
        return gathered.result(partial=not gathered.whole)
    except BrokenProcessPool:
        why = f"a worker process died (killed, or out of memory): {gathered.count} of {count} "
        why += "replications had finished"
        raise PartialRunError(why, gathered.result(partial=True)) from None
    except Exception as error:
        if not gathered.count:
            raise
        why = f"a replication failed: {type(error).__name__}: {error}; {gathered.count} of {count} "
        why += "had finished"
        raise PartialRunError(why, gathered.result(partial=True)) from error
    return gathered.result(partial=False)


def _target(
    scenario: Scenario, until: Until | Mapping[str, object] | None, most: int | None
) -> dict[str, Until]:
    """What the run is to reach, if that is not only the scenario's."""
    wanted = scenario.until if until is None else read_until(until)
    if most is not None:
        if wanted is None:
            raise InputError("most: nothing is to be reached before; give until")
        wanted = read_until({**dict(wanted), "most": _whole("most", most)})
    return {} if wanted is None else {"until": wanted}


def _read(scenario: object) -> Scenario:
    if isinstance(scenario, str | Path):
        return load_scenario(scenario)
    if not isinstance(scenario, Scenario):
        kind = type(scenario).__name__
        raise InputError(f"a scenario or the path of its file is wanted, not {kind}")
    return scenario


def _whole(what: str, number: object) -> int:
    """*number*, if it is a whole one; `True` and '3' are not."""
    try:
        if isinstance(number, bool | np.bool_):
            raise TypeError
        return index(number)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(f"{what}: {number!r} is not a whole number") from None


def _check(scenario: Scenario, jobs: int, traced: int | None, objects: str) -> None:
    """Raise InputError for numbers that make no sense."""
    count, seed = scenario.replications, scenario.seed
    if not 1 <= count <= REPLICATION_LIMIT:
        raise InputError(f"{count:,} replications; from 1 to {REPLICATION_LIMIT:,} are allowed")
    for finding in check_until(scenario):
        raise InputError(f"{'.'.join(map(str, finding.path))}: {finding.message}")
    if not 0 <= seed < 2**64:
        raise InputError(f"seed {seed}; it must be from 0 to 2^64 - 1")
    if jobs < 0:
        raise InputError(f"{jobs} jobs; give 0 for one a core, or more")
    if traced is not None and not 0 <= _whole("trace_replication", traced) < count:
        raise InputError(f"no replication {traced} to keep the trace of; the last is {count - 1}")
    if objects not in get_args(Objects):
        raise InputError(f"objects: {objects!r}; allowed: {', '.join(get_args(Objects))}")


def _check_memory(scenario: Scenario, jobs: int) -> None:
    """Raise InputError if *jobs* replications at once need more memory than the machine has."""
    if not hasattr(os, "sysconf"):
        return
    objects = max(objects_in_all(s, scenario.horizon) for s in scenario.variants.values())
    need, have = (
        jobs * objects * OBJECT_BYTES,
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    )
    if need > have:
        raise InputError(
            f"{objects:,.0f} networks and routers in each of {jobs} jobs need about "
            f"{need / 1e9:.0f} GB, and there are {have / 1e9:.0f}; give fewer jobs (-j 1), tenants "
            "or arrivals"
        )


def _kept(objects: Objects, scenario: Scenario) -> Literal["rows", "quantiles", "none"]:
    """In what form the objects of a run are kept."""
    if objects != "auto":
        return "none" if objects == "none" else "rows"
    each = sum(objects_in_all(s, scenario.horizon) for s in scenario.variants.values())
    return "rows" if each * scenario.looks[-1] <= ROW_LIMIT else "quantiles"


def _gather(
    gathered: Gathered, job: Job, jobs: int, start_method: str | None, progress: Progress
) -> None:
    """Do *job* by *jobs*; whatever stops it, *gathered* then has all that had finished."""
    look, *later = job.scenario.looks
    with (
        interrupts.seen(held=jobs > 1) as seen,
        outcomes(
            job, range(job.scenario.looks[-1]), jobs, start_method, seen, late=gathered.add
        ) as found,
    ):
        progress(0, look)
        for variants in found:
            if seen:  # its exception got lost in the simulation
                raise KeyboardInterrupt
            gathered.add(variants)
            progress(gathered.count, look)
            if gathered.count == look:
                if not later or not any(wanting(gathered.result(partial=False))):
                    gathered.whole = True
                    return
                look, *later = later


class Gathered:
    """Outcomes as they come; a replication is in it whole or not at all.

    *whole* says that all have come that were asked for.
    """

    def __init__(self, scenario: Scenario, traced: int | None) -> None:
        self._scenario = scenario
        self._traced = traced
        self._rows: dict[int, dict[str, Floats]] = {}
        self._reasons: dict[str, dict[str, str]] = {name: {} for name in scenario.variants}
        self._objects: dict[tuple[str, int], ObjectRows] = {}
        self._traces: dict[str, Trace] = {}
        self.whole = False
        self._fingerprints: dict[tuple[str, int], Fingerprint] = {}

    @property
    def count(self) -> int:
        """How many replications have come."""
        return len(self._rows)

    def add(self, outcomes: list[Outcome]) -> None:
        """Take the variants of one replication; a second time, or once whole, changes nothing."""
        if self.whole:
            return
        rows = {}
        for outcome in outcomes:
            reasons = self._reasons[outcome.variant]
            for metric, value in outcome.metrics.items():
                if isinstance(value, str):
                    reasons.setdefault(metric, value)
            rows[outcome.variant] = np.array(
                [math.nan if isinstance(v, str) else v for v in outcome.metrics.values()]
            )
            if outcome.objects is not None:
                self._objects[outcome.variant, outcome.replication] = outcome.objects
            self._fingerprints[outcome.variant, outcome.replication] = outcome.fingerprint
            if outcome.trace is not None:
                self._traces[outcome.variant] = outcome.trace
        self._rows[outcomes[0].replication] = rows  # last: an interrupt may come anywhere

    def result(self, *, partial: bool) -> ResultSet:
        """All that has come, in order of replication."""
        numbers = sorted(self._rows)
        traced = self._traced in self._rows
        result = ResultSet(
            self._scenario,
            numbers,
            {variant: self._sample(variant, numbers) for variant in self._scenario.variants},
            partial=partial,
            trace_replication=self._traced if traced else None,
            traces=self._traces if traced else {},
            objects_rows={k: rows for k, rows in self._objects.items() if k[1] in self._rows},
            fingerprints={k: one for k, one in self._fingerprints.items() if k[1] in self._rows},
            machine=machine(),
        )
        result.stopped = why_ended(result) if self.whole else None
        return result

    def _sample(self, variant: str, numbers: list[int]) -> Sample:
        rows = [self._rows[number][variant] for number in numbers]
        table = np.array(rows).reshape(-1, len(METRICS))
        values = {metric: table[:, i].copy() for i, metric in enumerate(METRICS)}
        reasons = {
            metric: reason
            for metric, reason in self._reasons[variant].items()
            if np.all(np.isnan(values[metric]))
        }
        return Sample(values, reasons)
