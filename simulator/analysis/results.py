"""Results: what a run found, as tables and as estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.confidence import CONFIDENCE
from simulator.analysis.fingerprint import Fingerprint
from simulator.analysis.metrics import METRICS
from simulator.analysis.objects import ObjectRows
from simulator.analysis.rarity import (
    NOTHING,
    Causes,
    Reach,
    Sight,
    causes_of,
    hidden_time,
    hide_alike,
    lengthened,
    reach,
)
from simulator.analysis.statistics import COLUMNS, Estimate, difference, estimate, pairing_factor
from simulator.analysis.tables import objects_frame, read_table, trace_frame
from simulator.analysis.verdicts import Finding
from simulator.errors import MissingError
from simulator.scenario.schema import Scenario
from simulator.trace import Floats, Trace

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SCHEMA_VERSION = 1
OBJECT_COLUMNS = {"variant": "O", "replication": "i", "kind": "O", "life_s": "f", "downtime_s": "f"}
EVENT_COLUMNS = {"variant": "O", "time_s": "f", "event": "O", "subject": "O", "object": "O",
                 "value": "f"}  # fmt: skip


@dataclass
class Sample:
    """One variant's metrics: in *values* a column a metric, a row a replication; NaN: undefined."""

    values: dict[str, Floats]
    reasons: dict[str, str]


@dataclass(repr=False)
class ResultSet:
    """What a run found: estimates, tables, and one trace of each variant.

    *replications* are the numbers of those that finished; *partial* says that some did not.
    *stopped* says why a run to a target ended.
    *fingerprints* are by variant and replication; *machine* is what they depend on. Both are empty
    in results written before there were any.
    """

    scenario: Scenario
    replications: list[int]
    samples: dict[str, Sample]
    partial: bool = False
    trace_replication: int | None = None
    traces: dict[str, Trace] = field(default_factory=dict)
    objects_rows: dict[tuple[str, int], ObjectRows] = field(default_factory=dict)
    folder: Path | None = None
    stopped: str | None = None
    fingerprints: dict[tuple[str, int], Fingerprint] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)

    # -- estimates -------------------------------------------------------------------------

    @property
    def variants(self) -> list[str]:
        """The names of the variants, in the scenario's order."""
        return list(self.samples)

    @property
    def confidence(self) -> float:
        """That of each interval: so much that looking often costs none (see `stopping.py`)."""
        looks = len(self.scenario.looks)
        return 1 - (1 - CONFIDENCE) / looks if looks > 1 else CONFIDENCE

    def high(self, metric: str) -> float | None:
        """The largest value *metric* can have; None for no end."""
        return METRICS[metric].largest(self.scenario.window)

    def estimate(self, metric: str, variant: str) -> Estimate:
        """The mean of *metric* in *variant* and its 95 % interval."""
        sample = self._sample(metric, variant)
        found = estimate(
            sample.values[metric],
            unit=METRICS[metric].unit,
            high=self.high(metric),
            counts=METRICS[metric].counts,
            reason=sample.reasons.get(metric, ""),
            confidence=self.confidence,
        )
        return lengthened(found, self.reach(metric, variant), high=self.high(metric))

    def reach(self, metric: str, variant: str) -> Reach:
        """What matters to *metric*, but fails too seldom for these replications to tell."""
        return reach(self._causes[variant], metric, self._sight)

    def hidden_time(self, variant: str) -> float:
        """The share of the time in which anything is out that these replications cannot tell of."""
        return hidden_time(self._causes[variant], self._sight)

    @cached_property
    def _causes(self) -> dict[str, Causes]:
        return {name: causes_of(self.scenario.variants[name]) for name in self.variants}

    @property
    def _sight(self) -> Sight:
        scenario = self.scenario
        equilibrium = scenario.start == "equilibrium"
        return Sight(len(self.replications), scenario.window, equilibrium)

    def difference(self, metric: str, variant: str, baseline: str | None = None) -> Estimate:
        """*variant* minus *baseline* (by default the scenario's), replication by replication."""
        return between(self, variant, self, baseline or self.scenario.baseline, metric)

    @property
    def findings(self) -> list[Finding]:
        """What became of the scenario's thresholds; none if it has none."""
        from simulator.analysis.thresholds import judge

        thresholds = self.scenario.thresholds
        return judge(self, thresholds) if thresholds else []

    def pairing_factor(
        self, metric: str, variant: str, baseline: str | None = None
    ) -> float | None:
        """How many times smaller common random numbers make the variance of `difference`.

        None if the two never differ, or are not defined together.
        """
        base = self._sample(metric, baseline or self.scenario.baseline)
        return pairing_factor(self._sample(metric, variant).values[metric], base.values[metric])

    def _sample(self, metric: str, variant: str) -> Sample:
        if variant not in self.samples:
            known = ", ".join(self.samples)
            raise MissingError(f"no variant '{variant}' in this result; it has: {known}")
        sample = self.samples[variant]
        if metric not in sample.values:
            raise MissingError(f"no metric '{metric}' in this result; see `netnode explain`")
        return sample

    def document(self) -> dict[str, Any]:
        """The whole summary as one document, as `--json` prints it."""
        baseline = self.scenario.baseline
        others = [name for name in self.variants if name != baseline]
        return {
            "schema_version": SCHEMA_VERSION,
            "scenario": self.scenario.name,
            "seed": self.scenario.seed,
            "replications": len(self.replications),
            "partial": self.partial,
            **({"stopped": self.stopped} if self.stopped else {}),
            "variants": {
                name: {m: self.estimate(m, name).as_dict() for m in self.samples[name].values}
                for name in self.variants
            },
            "differences": {
                f"{name} - {baseline}": {
                    m: self._difference_document(m, name) for m in self.samples[name].values
                }
                for name in others
            },
            "thresholds": [finding.as_dict() for finding in self.findings],
        }

    def _difference_document(self, metric: str, variant: str) -> dict[str, object]:
        found = self.difference(metric, variant).as_dict()
        factor = self.pairing_factor(metric, variant)
        return found if factor is None else {**found, "pairing_factor": factor}

    # -- tables ----------------------------------------------------------------------------

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each variant and metric: mean, ci_low, ci_high, n, unit, reason, note."""
        import pandas as pd

        rows = [
            {"variant": variant, "metric": metric, **self.estimate(metric, variant).columns()}
            for variant in self.variants
            for metric in self.samples[variant].values
        ]
        return pd.DataFrame(rows).set_index(["variant", "metric"])

    @cached_property
    def differences(self) -> pd.DataFrame:
        """As `summary`, of each variant minus the baseline."""
        import pandas as pd

        rows = [
            {"variant": variant, "metric": metric, **self.difference(metric, variant).columns()}
            for variant in self.variants
            for metric in self.samples[variant].values
            if variant != self.scenario.baseline
        ]
        columns = ["variant", "metric", *COLUMNS]
        return pd.DataFrame(rows, columns=columns).set_index(["variant", "metric"])

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Tidy rows: variant, replication, metric, entity, value, unit."""
        import pandas as pd

        parts = [
            pd.DataFrame(
                {
                    "variant": variant,
                    "replication": self.replications,
                    "metric": metric,
                    "entity": "all",
                    "value": values,
                    "unit": METRICS[metric].unit,
                }
            )
            for variant, sample in self.samples.items()
            for metric, values in sample.values.items()
        ]
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def objects(self) -> pd.DataFrame:
        """Per-router and per-network life and downtime, s, of every replication."""
        if self.objects_rows:
            return objects_frame(self.objects_rows)
        return self._read("objects.parquet", "table of objects", OBJECT_COLUMNS)

    @cached_property
    def events(self) -> pd.DataFrame:
        """The events of the replication whose trace was kept, of every variant."""
        import pandas as pd

        if self.traces:
            frames = [trace_frame(t).assign(variant=name) for name, t in self.traces.items()]
            return pd.concat(frames, ignore_index=True)
        return self._read("trace.parquet", "trace", EVENT_COLUMNS)

    def _read(self, name: str, what: str, columns: Mapping[str, str]) -> pd.DataFrame:
        path = self.folder / name if self.folder else None
        if path is None or not path.exists():
            raise MissingError(f"this result has no {what}")
        return read_table(path, columns)

    # -- pictures --------------------------------------------------------------------------

    def plot(self) -> Figure:
        """One picture of the whole: availability, all-down time, blast radius, bandwidth."""
        from simulator.analysis.plots import overview

        return overview(self)

    def plot_outages(self) -> Figure:
        """How the downtime of single routers is distributed."""
        from simulator.analysis.plots import downtime_distribution

        return downtime_distribution(self)

    def plot_outage_lengths(self) -> Figure:
        """Downtime beside the lengths of outages, variant by variant."""
        from simulator.analysis.plots import outages

        return outages(self)

    def _repr_html_(self) -> str:
        from simulator.analysis.report import html

        return html(self)

    def __repr__(self) -> str:
        name, variants = self.scenario.name, ", ".join(self.variants)
        return f"<ResultSet {name}: {len(self.replications)} replications of {variants}>"

    def __str__(self) -> str:
        from simulator.analysis.report import text

        return text(self)

    # -- on disk ---------------------------------------------------------------------------

    def save(self, folder: str | Path, *, pictures: bool = True) -> Path:
        """Write everything to *folder*, which must not exist, or hold an earlier result."""
        from simulator.analysis.folder import write_result

        write_result(self, Path(folder), pictures=pictures)
        self.folder = Path(folder)
        return self.folder


def between(
    one: ResultSet, variant: str, other: ResultSet, baseline: str, metric: str, *,
    paired: bool = True,
) -> Estimate:  # fmt: skip
    """*metric* in a variant of *one* minus the same in one of *other*, which may be itself."""
    sample, base = one._sample(metric, variant), other._sample(metric, baseline)
    highs = [high for high in (one.high(metric), other.high(metric)) if high is not None]
    high = max(highs) if len(highs) == 2 else None
    both = sample.values[metric], base.values[metric]
    found = difference(
        *both,
        unit=METRICS[metric].unit,
        high=high,
        counts=METRICS[metric].counts,
        reason=sample.reasons.get(metric) or base.reasons.get(metric, ""),
        paired=paired,
        confidence=one.confidence if one is other else CONFIDENCE,
    )
    mine, theirs = one.reach(metric, variant), other.reach(metric, baseline)
    systems = one.scenario.variants[variant], other.scenario.variants[baseline]
    if mine == theirs and hide_alike(*systems):
        mine = theirs = NOTHING
    scale = max(float(np.max(np.nan_to_num(np.abs(values)), initial=0.0)) for values in both)
    return lengthened(found, mine, minus=theirs, high=high, scale=scale)
