"""Spans of time, half open, as pairs: few, so lists."""

from __future__ import annotations

from collections.abc import Iterable


def joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The union of *spans*, in order; those that touch are one."""
    result: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result
