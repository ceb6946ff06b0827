"""Two results side by side: B minus A, variant by variant.

Where both used the same random numbers (same seed, replications, horizon, warm-up and start) the
differences are paired, which cancels most of the noise; else they are between independent samples
(Welch), and the comparison says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from simulator import units
from simulator.analysis.results import SCHEMA_VERSION, ResultSet, between
from simulator.analysis.statistics import Estimate
from simulator.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SHARED = ("seed", "horizon", "warm_up", "start")


@dataclass(frozen=True)
class Pair:
    """A variant of A and the variant of B it is compared with, and the name of the two."""

    name: str
    a: str
    b: str


@dataclass
class Comparison:
    """Result *b* minus result *a*; *names* are what the two are called."""

    a: ResultSet
    b: ResultSet
    names: tuple[str, str] = ("A", "B")

    def __post_init__(self) -> None:
        self.pairs = match(self.a.variants, self.b.variants, self.names)

    @cached_property
    def unpaired_because(self) -> list[str]:
        """Why the replications of the two cannot be paired; empty if they can."""
        reasons = []
        for key in SHARED:
            a, b = getattr(self.a.scenario, key), getattr(self.b.scenario, key)
            if a != b:
                if key in ("horizon", "warm_up"):
                    a, b = units.format_duration(a), units.format_duration(b)
                reasons.append(f"{key} differs ({a} and {b})")
        if self.a.replications != self.b.replications:
            counts = f"{len(self.a.replications)} and {len(self.b.replications)}"
            reasons.append(f"the replications differ ({counts})")
        return reasons

    @property
    def paired(self) -> bool:
        """Whether replication k of one met the same failures as replication k of the other."""
        return not self.unpaired_because

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics that both have."""
        theirs = next(iter(self.b.samples.values())).values
        return [m for m in next(iter(self.a.samples.values())).values if m in theirs]

    def difference(self, metric: str, pair: Pair) -> Estimate:
        """*metric* of B's variant minus that of A's."""
        return between(self.b, pair.b, self.a, pair.a, metric, paired=self.paired)

    def unmatched(self) -> Iterator[str]:
        """Variants that only one of the two has, in words."""
        for name, result, mine in zip(
            self.names,
            (self.a, self.b),
            ([pair.a for pair in self.pairs], [pair.b for pair in self.pairs]),
            strict=True,
        ):
            alone = [variant for variant in result.variants if variant not in mine]
            if alone:
                yield f"only {name} has {', '.join(alone)}"

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each variant and metric: a and b, and of b - a mean, interval and n."""
        import pandas as pd

        rows = [
            {
                "variant": pair.name,
                "metric": metric,
                "a": self.a.estimate(metric, pair.a).mean,
                "b": self.b.estimate(metric, pair.b).mean,
                **self.difference(metric, pair).columns(),
                "paired": self.paired,
            }
            for pair in self.pairs
            for metric in self.metrics
        ]
        return pd.DataFrame(rows).set_index(["variant", "metric"])

    def document(self) -> dict[str, Any]:
        """The whole comparison as one document, as `--json` prints it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "a": {"name": self.names[0], **self.a.document()},
            "b": {"name": self.names[1], **self.b.document()},
            "paired": self.paired,
            "unpaired_because": self.unpaired_because,
            "differences": {
                pair.name: {m: self.difference(m, pair).as_dict() for m in self.metrics}
                for pair in self.pairs
            },
        }

    def _repr_html_(self) -> str:
        from simulator.analysis.report import html

        return html(self)

    def __str__(self) -> str:
        from simulator.analysis.report import text

        return text(self)


def match(a: Sequence[str], b: Sequence[str], names: tuple[str, str]) -> list[Pair]:
    """Variants of one name; or the only one of each side, whatever their names.

    Raises InputError, naming both lists, if nothing matches.
    """
    if len(a) == len(b) == 1:
        (one,), (other,) = a, b
        return [Pair(one if one == other else f"{other} - {one}", one, other)]
    found = [Pair(name, name, name) for name in a if name in b]
    if not found:
        sides = (f"{n} has {', '.join(v)}" for n, v in zip(names, (a, b), strict=True))
        raise InputError(f"no variant of one is in the other: {'; '.join(sides)}")
    return found
