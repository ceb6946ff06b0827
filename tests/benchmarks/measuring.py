"""How work is timed: on one core, by CPU time, rival by rival in each round; or in a new process.

As a command it does one job and prints what it took: see `apart`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Effort:
    """How much is measured: *rounds* of each comparison, *budget* CPU seconds of each long run."""

    rounds: int
    budget: float

    @property
    def is_quick(self) -> bool:
        return self.rounds < FULL.rounds


FULL, QUICK = Effort(5, 20.0), Effort(2, 2.0)


@dataclass(frozen=True)
class Spread:
    """The median of the rounds, the least and the most."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        return cls(median(values), min(values), max(values))

    def written(self, unit: str = "", scale: float = 1.0) -> str:
        """As `12.3 s (11.8..12.9)`."""
        middle, low, high = (number(v * scale) for v in (self.middle, self.low, self.high))
        return f"{middle}{unit} ({low}..{high})"


def number(value: float) -> str:
    """Three digits that count, with thousands set apart."""
    if abs(value) >= 100:
        digits = len(f"{abs(value):.0f}") - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds that *work* takes in this process."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def each(work: Callable[[int], object], first: int, least: float) -> float:
    """CPU seconds of work(first), work(first + 1), …, on average, in *least* seconds or more."""
    begin, count = time.process_time(), 0
    while time.process_time() - begin < least:
        work(first + count)
        count += 1
    return (time.process_time() - begin) / count


def interleaved(rivals: dict[str, Callable[[int], float]], rounds: int) -> dict[str, list[float]]:
    """What each of *rivals* costs in each round, one after the other in every round."""
    found: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(rounds):
        for name, rival in rivals.items():
            found[name].append(rival(number))
    return found


def ratio(over: list[float], under: list[float]) -> Spread:
    """The ratios of two rivals, round by round."""
    return Spread.of([a / b for a, b in zip(over, under, strict=True)])


CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
"""The cores that this process may use, at first."""


@contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """Keep this process, and those it starts, on *cores* for a while."""
    if not cores:  # this system does not tell
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_cores(most: int) -> float:
    """How many of *most* cores as many processes get that do nothing but count."""
    command = [sys.executable, "-c", COUNTING]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(most)]
    return sum(float(process.communicate()[0]) for process in processes)


COUNTING = """
import time
begin = time.perf_counter()
first = time.process_time()
while time.perf_counter() - begin < 1:
    pass
print((time.process_time() - first) / (time.perf_counter() - begin))
"""


def apart(system: str, keys: dict, *, replications: int = 1, job: str = "measure") -> dict:
    """Do *job* to systems.*system*(**keys) in a new process.

    *job*: `simulate` or `measure` replications one by one, or `run` them. The result has CPU
    `seconds` for all replications, `setup` before them, `bytes` of memory at the most and how many
    `events` the traces have.
    """
    asked = json.dumps([system, keys, replications, job])
    done = subprocess.run(
        [sys.executable, __file__, asked], env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout)


def environment() -> dict[str, str]:
    """Variables for a process that needs the project and the tests' modules."""
    paths = [str(ROOT), str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def child_cpu(command: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of a process."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment(), capture_output=True, check=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def main(asked: str) -> None:
    """The other side of `apart`."""
    import systems

    from simulator.experiment.runner import run

    name, keys, replications, job = json.loads(asked)
    begin, events = time.process_time(), 0
    given = getattr(systems, name)(**keys)
    system = systems.System(given)
    assert system.plan
    assert system.context
    ready = time.process_time()
    if job == "run":
        run(given, replications=replications, jobs=1, trace_replication=None, objects="none")
    for replication in range(replications if job != "run" else 0):
        if job == "measure":
            measured = system.measured(replication)
            events += measured.trace.time.size
            systems.measure(measured)
        else:
            events += system.trace(replication).time.size
    seconds = time.process_time() - ready
    found = {"seconds": seconds, "setup": ready - begin, "bytes": memory(), "events": events}
    print(json.dumps(found))


def memory() -> int:
    """The most that this process ever held, bytes."""
    try:  # Linux's ru_maxrss begins with what the parent held
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    main(sys.argv[1])
