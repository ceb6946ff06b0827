"""Fingerprints of traces: whether two runs did the same, and if not, what moved and where.

A fingerprint is small enough to be kept of every replication. Two of them tell whether nothing
moved, only the order of events at an instant, or the events themselves, and in which slice of the
horizon they part. The events of one replication, kept in words, then name the first that differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from hashlib import blake2b
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

SLICES = 32
"""Equal parts of the horizon, each with a digest of its own."""

DIGEST, SHORT = 8, 2
"""Bytes of a digest that decides, and of one that only says where to look."""


class Moved(StrEnum):
    """What differs between two traces.

    ORDER: the same events, in another order at some instant. TABLES: the same events, but not what
    their numbers mean (names, rates, loads, how many VMs).
    """

    NOTHING = "nothing moved"
    ORDER = "the order moved"
    TABLES = "the tables moved"
    NUMBERS = "the numbers moved"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The digests of one trace, in hexadecimal.

    *ordered* is of all events as they come, *unordered* of the same with no order within an
    instant, *tables* of what their numbers mean, *slices* of the events of each slice in turn.
    """

    events: int
    ordered: str
    unordered: str
    tables: str
    slices: str

    def moved(self, before: Fingerprint) -> Moved:
        """What moved since *before*."""
        if (self.events, self.unordered) != (before.events, before.unordered):
            return Moved.NUMBERS
        if self.tables != before.tables:
            return Moved.TABLES
        return Moved.ORDER if self.ordered != before.ordered else Moved.NOTHING

    def parts(self, before: Fingerprint) -> int | None:
        """The first slice whose events are not those of *before*, from 0; None if all are."""
        width = 2 * SHORT
        for number in range(SLICES):
            place = slice(number * width, (number + 1) * width)
            if self.slices[place] != before.slices[place]:
                return number
        return None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def fingerprint(trace: Trace) -> Fingerprint:
    """The fingerprint of *trace*: of bytes that are the same on every machine."""
    columns = (trace.time, trace.kind, trace.subject, trace.object, trace.value)
    rows = np.stack([_words(column) for column in columns], axis=1)
    edges = np.searchsorted(trace.time, trace.horizon * np.arange(SLICES + 1) / SLICES)
    edges[-1] = trace.time.size
    return Fingerprint(
        trace.time.size,
        _digest(rows),
        _digest(rows[np.lexsort(columns[::-1])]),
        _tables(trace),
        "".join(_digest(rows[a:b], SHORT) for a, b in pairwise(edges)),
    )


def fingerprint_of(document: Mapping[str, Any]) -> Fingerprint:
    """The fingerprint that `Fingerprint.as_dict` wrote; ValueError if *document* is none."""
    kinds = {field.name: int if field.name == "events" else str for field in fields(Fingerprint)}
    odd = [name for name, kind in kinds.items() if type(document.get(name)) is not kind]
    if odd or set(document) != set(kinds) or len(document["slices"]) != 2 * SHORT * SLICES:
        raise ValueError(f"not a fingerprint: {', '.join(odd) or 'its keys'}")
    return Fingerprint(**document)


def event_lines(frame: pd.DataFrame) -> list[str]:
    """The events of one trace in words (`tables.trace_frame`), a line each, fields by tabs."""
    columns = [frame[name].tolist() for name in ("time_s", "event", "subject", "object", "value")]
    return [
        f"{time!r}\t{event}\t{subject}\t{thing}\t{float(value)!r}"
        for time, event, subject, thing, value in zip(*columns, strict=True)
    ]


def first_difference(before: Sequence[str], after: Sequence[str]) -> tuple[str, str] | None:
    """The first events that differ, each in words, or "" where one of the two has ended."""
    for one, other in zip_longest(before, after, fillvalue=""):
        if one != other:
            return one, other
    return None


def _words(column: NDArray[Any]) -> NDArray[Any]:
    """*column* as little-endian doubles: exact, in whatever type a trace keeps its numbers."""
    return np.ascontiguousarray(column, dtype="<f8")


def _tables(trace: Trace) -> str:
    """The digest of the tables behind the numbers of *trace*, and of its horizon."""
    digest = blake2b(repr(trace.horizon).encode(), digest_size=DIGEST)
    for table in (trace.components, trace.nodes, trace.objects):
        for field in fields(table):
            _feed(digest, field.name, getattr(table, field.name))
    _feed(digest, "uplinks", trace.uplinks)
    _feed(digest, "uplink_bps", trace.uplink_bps)
    return digest.hexdigest()


def _feed(digest: blake2b, name: str, column: Any) -> None:
    """Add a column of numbers or of words; its name and length keep neighbours apart."""
    digest.update(f"\0{name} {len(column)}\0".encode())
    if isinstance(column, tuple):
        digest.update("\0".join(column).encode())
    else:
        digest.update(_words(column).tobytes())


def _digest(rows: NDArray[Any], size: int = DIGEST) -> str:
    return blake2b(rows.tobytes(), digest_size=size).hexdigest()
