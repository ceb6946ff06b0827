"""How far a run is: a bar with the time left on a terminal, a line every tenth elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from simulator.cli.output import note
from simulator.units import format_duration

Progress = Callable[[int, int], None]
TENTHS = 10


@contextmanager
def progress(what: str, *, quiet: bool) -> Iterator[Progress | None]:
    """A function to call with how many of how many are done; None if nobody is to be told."""
    if quiet:
        yield None
    elif _animated():
        with _bar(what) as tell:
            yield tell
    else:
        yield Lines(what)


class Lines:
    """One line for each tenth that is done."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._told = self._total = 0

    def __call__(self, done: int, total: int) -> None:
        """Say so if another tenth is done."""
        tenth = TENTHS * done // total
        if total != self._total:  # another look
            self._told, self._total = tenth, total
        if tenth <= self._told:
            return
        self._told = tenth
        left = (time.monotonic() - self._began) / done * (total - done)
        rest = f", about {format_duration(round(left) or 1)} left" if done < total else ""
        note(f"{self._what}: {done} of {total} replications ({100 * done // total} %){rest}")


def _animated() -> bool:
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    dumb = os.environ.get("TERM") == "dumb"
    return sys.stderr is not None and sys.stderr.isatty() and not in_ci and not dumb


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(what, total=None)

    def tell(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if not bar.live.is_started:  # not before: its thread must not exist when workers fork
            bar.start()

    try:
        yield tell
    finally:
        bar.stop()
