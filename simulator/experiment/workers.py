"""Replications, and the processes that compute them one at a time, until their parent ends."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

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


T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Task(Protocol[T_co]):
    """What a crew has to do for one number after another; it is sent to each process."""

    def worker(self) -> Callable[[int], T_co]:
        """A function that does what is to be done for a number."""


@dataclass(frozen=True)
class Job:
    """All variants of a scenario, and of which replications more is kept than metrics."""

    scenario: Scenario
    traced: int | None
    objects: Literal["rows", "quantiles", "none"]

    def worker(self) -> Callable[[int], list[Outcome]]:
        """A function that simulates the replication of a number."""
        return Worker(self).replicate


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


class Crew(Generic[T]):
    """*size* processes at work on *task* for *numbers*.

    `start` it, take the `outcomes`, and `stop` or `close`.
    """

    def __init__(
        self, task: Task[T], numbers: Iterable[int], size: int, start_method: str | None = None
    ) -> None:
        if start_method is None:
            forks = "fork" in multiprocessing.get_all_start_methods()
            start_method = "fork" if forks and threading.active_count() == 1 else "spawn"
        self._waiting = iter(numbers)
        self._ahead = size * AHEAD
        self._futures: deque[Future[T]] = deque()
        self._others = set(multiprocessing.active_children())
        self._executor = ProcessPoolExecutor(
            size,
            mp_context=multiprocessing.get_context(start_method),
            initializer=_begin,
            initargs=(task,),
        )

    def start(self) -> None:
        """Start the processes."""
        with interrupts.blocked():
            self._hand_out()

    def outcomes(self, interrupts_seen: list[int]) -> Iterator[T]:
        """What came of each number, in order, as they come.

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

    def stop(self) -> Iterator[T]:
        """End the processes at once; the outcomes that had come and not been taken."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - self._others:
            process.kill()
        for future in self._futures:
            if future.done() and not future.cancelled() and not future.exception():
                yield future.result()

    def close(self) -> None:
        """Let the processes end; replications that nobody wants any more end with them."""
        if self._futures:
            for _ in self.stop():
                pass
        self._executor.shutdown()

    def _hand_out(self) -> None:
        while len(self._futures) < self._ahead:
            replication = next(self._waiting, None)
            if replication is None:
                return
            self._futures.append(self._executor.submit(_work, replication))


@contextmanager
def outcomes(
    task: Task[T],
    numbers: Sequence[int],
    jobs: int,
    start_method: str | None,
    seen: list[int],
    *,
    late: Callable[[T], None],
) -> Iterator[Iterator[T]]:
    """What comes of *numbers*, in order, computed here or by a crew that ends with the body.

    A crew is waited for until one of the interrupts *seen*; an exception in the middle of its
    locks could leave them held. *late* is given what had come, and not been taken, when the body
    failed.
    """
    if jobs == 1:
        yield map(task.worker(), numbers)
        return
    crew = Crew(task, numbers, jobs, start_method)
    try:
        crew.start()
        yield crew.outcomes(seen)
        crew.close()
    except BaseException:
        with interrupts.seen(held=True) as more:
            for outcome in crew.stop():
                late(outcome)
            more.clear()  # the run is ending already
        raise


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_task: Task[object] | None = None
_worker: Callable[[int], object] | None = None


def _begin(task: Task[object]) -> None:
    """Set up a worker process: interrupts are the parent's to handle, and its end is ours too."""
    global _task, _worker
    interrupts.ignore_all()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _task, _worker = task, None


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # nobody is left to hear of what is unfinished


def _work(number: int) -> Any:
    global _worker
    assert _task is not None
    _worker = _worker or _task.worker()  # here, so that an error in it reaches the parent
    return _worker(number)
