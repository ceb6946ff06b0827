"""Replications, and the processes that compute them one at a time, until their parent ends."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Literal

from simulator import interrupts
from simulator.analysis.context import Context, context_of
from simulator.analysis.fingerprint import Fingerprint, fingerprint
from simulator.analysis.measured import Measured
from simulator.analysis.metrics import measure
from simulator.analysis.objects import ObjectRows, in_quantiles, object_rows
from simulator.scenario.schema import Scenario
from simulator.trace import Trace
from simulator.world.plan import Plan, compile_plan
from simulator.world.simulation import simulate

AHEAD = 8
"""Replications handed out for each process: enough that none waits, few enough to hold."""


PATIENCE = 0.1
"""How long an interrupt may go unheeded while no replication ends, s."""


@dataclass(frozen=True)
class Outcome:
    """One replication of one variant: metrics, objects, fingerprint and, if asked for, trace."""

    variant: str
    replication: int
    metrics: dict[str, float | str]
    objects: ObjectRows | None
    fingerprint: Fingerprint
    trace: Trace | None


@dataclass(frozen=True)
class Job:
    """What every worker needs: the scenario, and of which replications more is kept."""

    scenario: Scenario
    traced: int | None
    objects: Literal["rows", "quantiles", "none"]


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
                    fingerprint(trace),
                    trace if replication == self.job.traced else None,
                )
            )
        return outcomes

    def _objects(self, measured: Measured) -> ObjectRows | None:
        if self.job.objects == "none":
            return None
        rows = object_rows(measured)
        return rows if self.job.objects == "rows" else in_quantiles(rows)


class Crew:
    """*size* processes at work on *job*: `start` it, take the `outcomes`, and `stop` or `close`."""

    def __init__(self, job: Job, size: int, start_method: str | None) -> None:
        if start_method is None:
            forks = "fork" in multiprocessing.get_all_start_methods()
            start_method = "fork" if forks and threading.active_count() == 1 else "spawn"
        self._waiting = iter(range(job.scenario.replications))
        self._ahead = size * AHEAD
        self._futures: deque[Future[list[Outcome]]] = deque()
        self._others = set(multiprocessing.active_children())
        self._executor = ProcessPoolExecutor(
            size,
            mp_context=multiprocessing.get_context(start_method),
            initializer=_begin,
            initargs=(job,),
        )

    def start(self) -> None:
        """Start the processes."""
        with interrupts.blocked():
            self._hand_out()

    def outcomes(self, interrupts_seen: list[int]) -> Iterator[list[Outcome]]:
        """The variants of each replication, in order, as they come.

        Raises KeyboardInterrupt once *interrupts_seen* holds one.
        """
        while self._futures:
            while not interrupts_seen and not wait([self._futures[0]], PATIENCE).done:
                pass
            if interrupts_seen:
                raise KeyboardInterrupt
            yield self._futures[0].result()
            self._futures.popleft()  # and free what it holds
            self._hand_out()

    def stop(self) -> Iterator[list[Outcome]]:
        """End the processes at once; the outcomes that had come and not been taken."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - self._others:
            process.kill()
        for future in self._futures:
            if future.done() and not future.cancelled() and not future.exception():
                yield future.result()

    def close(self) -> None:
        """Let the processes end."""
        self._executor.shutdown()

    def _hand_out(self) -> None:
        while len(self._futures) < self._ahead:
            replication = next(self._waiting, None)
            if replication is None:
                return
            self._futures.append(self._executor.submit(_work, replication))


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_job: Job | None = None
_worker: Worker | None = None


def _begin(job: Job) -> None:
    """Set up a worker process: interrupts are the parent's to handle, and its end is ours too."""
    global _job, _worker
    interrupts.ignore_all()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _job, _worker = job, None


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # nobody is left to hear of what is unfinished


def _work(replication: int) -> list[Outcome]:
    global _worker
    assert _job is not None
    _worker = _worker or Worker(_job)  # here, so that an error in it reaches the parent
    return _worker.replicate(replication)
