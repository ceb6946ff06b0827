"""A baseline: what a scenario's metrics and traces were, to hold later runs against.

It keeps of every metric the value in each replication, so that later ones can be paired with them,
of every trace its fingerprint, and the events of one replication, so that the first to differ can
be named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from simulator.analysis.fingerprint import Fingerprint, Moved, event_lines
from simulator.analysis.metrics import METRICS
from simulator.analysis.results import ResultSet, Sample
from simulator.analysis.statistics import Estimate, estimate
from simulator.errors import InputError
from simulator.scenario.schema import Scenario, model_part

KEPT_EVENTS = 8192
"""Events that a baseline keeps in words, shared equally by its variants."""


@dataclass(frozen=True)
class Baseline:
    """What a run found. *model* is `schema.model_part` of its scenario, *events* those of
    replication 0 by variant, the first of each; *tolerances* are by metric, in its unit, where
    they are not the default. *path* is the file, for messages.
    """

    name: str
    seed: int
    replications: int
    model: dict[str, Any]
    samples: dict[str, Sample]
    fingerprints: dict[tuple[str, int], Fingerprint]
    machine: dict[str, str]
    events: dict[str, list[str]] = field(repr=False)
    tolerances: dict[str, float] = field(default_factory=dict)
    path: Path | None = None

    @property
    def variants(self) -> list[str]:
        """The names of its variants."""
        return list(self.samples)

    def estimate(self, metric: str, variant: str, window: float) -> Estimate:
        """The mean of *metric* and its interval; *window* is the scenario's, in seconds."""
        sample = self.samples[variant]
        return estimate(
            sample.values[metric],
            unit=METRICS[metric].unit,
            high=METRICS[metric].largest(window),
            counts=METRICS[metric].counts,
            reason=sample.reasons.get(metric, ""),
        )


@dataclass(frozen=True)
class Change:
    """A metric whose values moved from one baseline to the next; None: it was not there."""

    variant: str
    metric: str
    before: Estimate | None
    after: Estimate


def baseline_of(result: ResultSet, tolerances: Mapping[str, float] | None = None) -> Baseline:
    """The baseline that *result* makes; it must be whole, with the trace of replication 0."""
    assert not result.partial
    assert result.trace_replication == 0
    scenario = result.scenario
    return Baseline(
        scenario.name,
        scenario.seed,
        len(result.replications),
        model_part(scenario),
        result.samples,
        result.fingerprints,
        result.machine,
        first_events(result),
        dict(tolerances or {}),
    )


def first_events(result: ResultSet) -> dict[str, list[str]]:
    """The first events of replication 0 in words, by variant, as many as a baseline keeps."""
    if result.trace_replication != 0:
        return {}
    most = KEPT_EVENTS // len(result.variants)
    frame = result.events
    return {
        variant: event_lines(frame[frame["variant"] == variant].head(most))
        for variant in result.variants
    }


def refuse_other(scenario: Scenario, baseline: Baseline, *, changed: bool) -> list[str]:
    """What in *scenario* is not as it was when *baseline* was made, in words.

    Raises InputError for another scenario or experiment and, unless it is said to be *changed* on
    purpose, for any difference.
    """
    where = f"{baseline.path or 'the baseline'}"
    if scenario.name != baseline.name:
        raise InputError(
            f"{where}: a baseline of scenario '{baseline.name}', not '{scenario.name}'"
        )
    was, now = baseline.model, model_part(scenario)
    found = list(_differences(was, now))
    for path, before, after in found:
        if not path.startswith("variants."):
            raise InputError(f"{where}: of another experiment: {_said(path, before, after)}")
    said = [_said(*difference) for difference in found]
    if said and not changed:
        more = f", and {len(said) - 3} more" if len(said) > 3 else ""
        raise InputError(
            f"{where}: of scenario '{baseline.name}' as it was before a change: "
            f"{'; '.join(said[:3])}{more}; to judge the change by its metrics, give --changed, "
            "to accept it, `netnode baseline update`"
        )
    return said


def changes(before: Baseline, after: Baseline, window: float) -> Iterator[Change]:
    """The metrics whose values moved."""
    for variant, sample in after.samples.items():
        known = before.samples.get(variant, Sample({}, {})).values
        for metric, values in sample.values.items():
            now = after.estimate(metric, variant, window)
            if metric not in known:
                yield Change(variant, metric, None, now)
            elif not np.array_equal(known[metric], values, equal_nan=True):
                was = before.estimate(metric, variant, window)
                if known[metric].size == values.size or was.mean != now.mean:
                    yield Change(variant, metric, was, now)


def moved(
    before: Mapping[tuple[str, int], Fingerprint], after: Mapping[tuple[str, int], Fingerprint]
) -> dict[Moved, list[tuple[str, int]]]:
    """The variants and replications that both have, by what moved in them."""
    found: dict[Moved, list[tuple[str, int]]] = {}
    for key, one in after.items():
        if key in before:
            found.setdefault(one.moved(before[key]), []).append(key)
    return found


def model_digest(model: Mapping[str, Any]) -> str:
    """SHA-256 of a scenario's model part."""
    return hashlib.sha256(json.dumps(model, sort_keys=True).encode()).hexdigest()


def _differences(was: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The dotted paths of what is not the same in two trees, and both values; None: not there."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted({*was, *now}):
            yield from _differences(was.get(key), now.get(key), f"{path}.{key}" if path else key)
    elif was != now:
        yield path, was, now


def _said(path: str, was: Any, now: Any) -> str:
    words = [json.dumps(one) if one is not None else "not set" for one in (now, was)]
    now_said, was_said = (word if len(word) <= 40 else word[:37] + "..." for word in words)
    return f"{path} is {now_said}, was {was_said}"
