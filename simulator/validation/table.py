"""The whole table of validation, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from scipy.special import ndtr

from simulator.exact.check import BOUND
from simulator.validation import absent, closed_forms, fits, measurements, recordings, timing
from simulator.validation.rows import LEVEL, Effort, Outcome, Row

MAKERS = (*closed_forms.MAKERS, *fits.MAKERS, *timing.MAKERS, *measurements.MAKERS)


def table(*, long: bool = False, jobs: int = 1, home: Path | None = None) -> Iterator[Row]:
    """Every row as it is found; *home* is where recordings are looked for.

    The short form takes half a minute of CPU; the *long* one has some twenty times as many
    replications, and takes as much longer.
    """
    effort = Effort(long, jobs)
    for maker in MAKERS:
        yield from maker(effort)
    yield from recordings.recordings(home or recordings.HOME)
    yield from absent.absent()


def summary(rows: Sequence[Row]) -> str:
    """How many rows passed and failed, and how many judged nothing."""
    counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in Outcome}
    return ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())


def meaning(rows: Sequence[Row]) -> str:
    """What passing says of all rows together."""
    scores = sum("z = " in row.distance for row in rows)
    laws = sum("KS p" in row.distance for row in rows)
    chance = scores * 2 * float(ndtr(-BOUND)) + laws * LEVEL
    return (
        f"|z| at most {BOUND:g} in {scores} rows and KS p over {LEVEL:g} in {laws}: with a new "
        f"seed a right model fails any of them with a chance of at most {chance:.2g}"
    )
