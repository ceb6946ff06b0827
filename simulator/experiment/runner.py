"""Running a scenario: every variant in every replication, on all cores, the same bits anyhow.

A replication depends on the seed and its number alone, so who computes it does not matter. Work
goes out in chunks of replications; each worker compiles the plans once.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator.analysis.context import Context, context_of
from simulator.analysis.measured import Measured
from simulator.analysis.metrics import METRICS, measure
from simulator.analysis.objects import ObjectRows, in_quantiles, object_rows
from simulator.analysis.results import ResultSet, Sample
from simulator.errors import InputError, PartialRunError
from simulator.scenario.check import object_count
from simulator.scenario.schema import Scenario
from simulator.trace import Floats, Trace
from simulator.world.plan import Plan, compile_plan
from simulator.world.simulation import simulate

Progress = Callable[[int, int], None]

REPLICATION_LIMIT = 1_000_000
OBJECT_LIMIT = 10_000_000
"""Rows of the table of objects; beyond, each replication is kept as quantiles."""

Objects = Literal["auto", "all", "none"]


@dataclass(frozen=True)
class Outcome:
    """One replication of one variant: its metrics, its objects and, if asked for, its trace."""

    variant: str
    replication: int
    metrics: dict[str, float | str]
    objects: ObjectRows | None
    trace: Trace | None


@dataclass(frozen=True)
class Job:
    """What every worker needs: the scenario, and of which replications more is kept."""

    scenario: Scenario
    traced: int | None
    objects: Literal["rows", "quantiles", "none"]


@dataclass(frozen=True)
class Work:
    """A job and how many processes share it."""

    job: Job
    jobs: int


class Worker:
    """Plans and contexts of all variants, ready to simulate."""

    def __init__(self, job: Job) -> None:
        self.job = job
        names = list(job.scenario.variants)
        self.plans: dict[str, Plan] = {name: compile_plan(job.scenario, name) for name in names}
        self.contexts: dict[str, Context] = {name: context_of(job.scenario, name) for name in names}

    def replicate(self, replication: int) -> list[Outcome]:
        """All variants of one replication."""
        outcomes = []
        for variant, plan in self.plans.items():
            trace = simulate(plan, self.job.scenario.seed, replication)
            measured = Measured(trace, self.contexts[variant])
            outcomes.append(
                Outcome(
                    variant,
                    replication,
                    measure(measured),
                    self._objects(measured),
                    trace if replication == self.job.traced else None,
                )
            )
        return outcomes

    def _objects(self, measured: Measured) -> ObjectRows | None:
        if self.job.objects == "none":
            return None
        rows = object_rows(measured)
        return rows if self.job.objects == "rows" else in_quantiles(rows)


def run(
    scenario: Scenario,
    *,
    replications: int | None = None,
    seed: int | None = None,
    jobs: int = 0,
    trace_replication: int | None = 0,
    objects: Objects = "auto",
    progress: Progress | None = None,
    start_method: str | None = None,
) -> ResultSet:
    """Simulate *scenario* and return what it found.

    *replications* and *seed* replace the scenario's. *jobs* is the number of processes, 0 for one
    a core; the numbers do not depend on it. The trace of *trace_replication* is kept. *objects*
    says whether the life and downtime of every router and network are kept: `auto`, up to
    OBJECT_LIMIT rows, and quantiles of each replication beyond; `all`; or `none`. *progress* is
    told how many replications of how many are done, first of all 0. An interrupt (Ctrl-C) ends
    the run early: the result then holds what had finished and is marked partial. Raises
    PartialRunError, with the same in its `result`, if a worker process dies or a replication
    fails, and InputError for numbers that make no sense.
    """
    given = {"replications": replications, "seed": seed}
    scenario = scenario.model_copy(update={k: v for k, v in given.items() if v is not None})
    _check(scenario, jobs, trace_replication)
    count = scenario.replications
    gathered = Gathered(scenario, trace_replication)
    job = Job(scenario, trace_replication, _kept(objects, scenario))
    work = Work(job, min(jobs or cores(), count))
    try:
        _gather(gathered, work, start_method, progress or (lambda done, total: None))
    except KeyboardInterrupt:
        return gathered.result(partial=gathered.count < count)
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


def _check(scenario: Scenario, jobs: int, traced: int | None) -> None:
    """Raise InputError for numbers that make no sense."""
    count, seed = scenario.replications, scenario.seed
    if not 1 <= count <= REPLICATION_LIMIT:
        raise InputError(f"{count:,} replications; from 1 to {REPLICATION_LIMIT:,} are allowed")
    if not 0 <= seed < 2**64:
        raise InputError(f"seed {seed}; it must be from 0 to 2^64 - 1")
    if jobs < 0:
        raise InputError(f"{jobs} jobs; give 0 for one a core, or more")
    if traced is not None and not 0 <= traced < count:
        raise InputError(f"no replication {traced} to keep the trace of; the last is {count - 1}")


def _kept(objects: Objects, scenario: Scenario) -> Literal["rows", "quantiles", "none"]:
    """In what form the objects of a run are kept."""
    if objects != "auto":
        return "none" if objects == "none" else "rows"
    each = sum(object_count(system) for system in scenario.variants.values())
    return "rows" if each * scenario.replications <= OBJECT_LIMIT else "quantiles"


def _gather(gathered: Gathered, work: Work, start_method: str | None, progress: Progress) -> None:
    """Do *work*; whatever stops it, *gathered* then has all that had finished."""
    count = work.job.scenario.replications
    if work.jobs == 1:
        progress(0, count)
        worker = Worker(work.job)
        with _interrupts_seen() as seen:
            for replication in range(count):
                outcomes = worker.replicate(replication)
                if seen:
                    raise KeyboardInterrupt
                gathered.add(outcomes)
                progress(gathered.count, count)
        return
    with _pool(work, start_method) as futures:
        try:
            progress(0, count)
            while futures:
                for outcomes in futures[0].result():
                    gathered.add(outcomes)
                    progress(gathered.count, count)
                futures.popleft()  # and free what it holds
        except BaseException:
            for future in futures:
                if future.done() and not future.cancelled() and not future.exception():
                    for outcomes in future.result():
                        gathered.add(outcomes)
            raise


class Gathered:
    """Outcomes as they come; a replication is in it whole or not at all."""

    def __init__(self, scenario: Scenario, traced: int | None) -> None:
        self._scenario = scenario
        self._traced = traced
        self._rows: dict[int, dict[str, Floats]] = {}
        self._reasons: dict[str, dict[str, str]] = {name: {} for name in scenario.variants}
        self._objects: dict[tuple[str, int], ObjectRows] = {}
        self._traces: dict[str, Trace] = {}

    @property
    def count(self) -> int:
        """How many replications have come."""
        return len(self._rows)

    def add(self, outcomes: list[Outcome]) -> None:
        """Take the variants of one replication; a second time changes nothing."""
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
            if outcome.trace is not None:
                self._traces[outcome.variant] = outcome.trace
        self._rows[outcomes[0].replication] = rows  # last: an interrupt may come anywhere

    def result(self, *, partial: bool) -> ResultSet:
        """All that has come, in order of replication."""
        numbers = sorted(self._rows)
        traced = self._traced in self._rows
        return ResultSet(
            self._scenario,
            numbers,
            {variant: self._sample(variant, numbers) for variant in self._scenario.variants},
            partial=partial,
            trace_replication=self._traced if traced else None,
            traces=self._traces if traced else {},
            objects_rows={k: rows for k, rows in self._objects.items() if k[1] in self._rows},
        )

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


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _pool(work: Work, start_method: str | None) -> Iterator[deque[Future[list[list[Outcome]]]]]:
    """Worker processes at work; those still running when the body fails are ended."""
    if start_method is None:
        forks = "fork" in multiprocessing.get_all_start_methods()
        start_method = "fork" if forks and threading.active_count() == 1 else "spawn"
    count, jobs = work.job.scenario.replications, work.jobs
    size = max(1, min(8, count // (50 * jobs)))  # small: an interrupt loses what is begun
    chunks = [range(i, min(i + size, count)) for i in range(0, count, size)]
    context = multiprocessing.get_context(start_method)
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_begin, initargs=(work.job,)
    )
    try:
        with _interrupts_held():
            futures = deque(executor.submit(_work, chunk) for chunk in chunks)
        yield futures
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    executor.shutdown()


@contextmanager
def _interrupts_seen() -> Iterator[list[int]]:
    """A list that is not empty once Ctrl-C was pressed.

    Its exception can get lost inside a simulation: where it strikes a process that nobody waits
    for any more, SimPy drops it, and the run goes on without that process.
    """
    seen: list[int] = []

    def note(number: int, _: object) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    handler = signal.getsignal(signal.SIGINT)
    ours = threading.current_thread() is threading.main_thread()
    if not ours or handler is not signal.default_int_handler:
        yield seen
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait while processes start, so that they never see it themselves."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_job: Job | None = None
_worker: Worker | None = None


def _begin(job: Job) -> None:
    """Set up a worker process; Ctrl-C is the parent's to handle."""
    global _job, _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _job, _worker = job, None


def _work(chunk: range) -> list[list[Outcome]]:
    global _worker
    assert _job is not None
    _worker = _worker or Worker(_job)  # here, so that an error in it reaches the parent
    return [_worker.replicate(replication) for replication in chunk]
