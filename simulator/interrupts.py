"""Ctrl-C, SIGTERM and SIGHUP: one kind of interrupt, which may wait for work that must be whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_known: list[Callable[..., Any]] = [signal.default_int_handler]
"""The handlers that `seen` may stand in for: Python's own, and those of `seen` around it."""


def take_all() -> None:
    """Let every one of SIGNALS raise KeyboardInterrupt, unless who started us has them ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def ignore_all() -> None:
    """Let interrupts pass: they are for another process, or nothing is left to be stopped."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def seen(*, held: bool) -> Iterator[list[int]]:
    """A list of the interrupts that come during the body.

    *held* ones wait: the first of them is raised when the body is done, unless the list has been
    cleared. Others are raised at once, but are in the list even if their exception gets lost, as
    it does in a simulation where it strikes a process that nobody waits for any more.
    """
    found: list[int] = []

    def handle(number: int, _: object) -> None:
        found.append(number)
        if not held:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    before = {n: h for n in SIGNALS if (h := signal.getsignal(n)) in _known and callable(h)}
    _known.append(handle)
    for number in before:
        signal.signal(number, handle)
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _known.remove(handle)
    if held and found:
        before[found[0]](found[0], None)


@contextmanager
def blocked() -> Iterator[None]:
    """Let interrupts wait while processes start, so that these never see them themselves."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
