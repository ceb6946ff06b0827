"""What a run is to reach before it ends, as a scenario writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, ValidationError, field_serializer

from simulator.errors import InputError
from simulator.metric_units import METRIC_UNITS
from simulator.scenario.quantities import Model
from simulator.scenario.thresholds import MetricName, MetricValue

REPLICATION_LIMIT = 1_000_000


class Target(Model):
    """How exactly a metric is to be known, as in {metric: router.availability, half_width: 0.02%}.

    Half the width of the interval of its mean is to be at most *half_width*, in every variant.
    """

    metric: MetricName
    """What is to be known: a metric's id, see `netnode explain`."""
    half_width: MetricValue
    """Half the interval's width in the metric's own unit: 0.02% or 0.0002, 30s, 4Mbps."""

    @field_serializer("half_width")
    def _written(self, half_width: float) -> object:
        return METRIC_UNITS[self.metric].write(half_width)


class Until(Model):
    """A run to a target: it ends when all that is asked for here is reached.

    It looks after `replications`, after twice as many and so on, and last after *most*.
    """

    targets: tuple[Target, ...] = ()
    """How exactly metrics are to be known: a list of {metric: NAME, half_width: VALUE}."""
    decided: bool = False
    """Whether every threshold is to be decided, so that it passes or fails."""
    most: Annotated[int, Field(ge=1, le=REPLICATION_LIMIT, strict=True)] = 10_000
    """How many replications there are at most."""


def read_until(given: Until | Mapping[str, object]) -> Until:
    """*given*, in the form in which scenarios write it; raises InputError if it has none."""
    if isinstance(given, Until):
        return given
    try:
        return Until.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(("until", *map(str, first["loc"])))
        raise InputError(f"{where}: {first['msg']}") from None


def looks(first: int, most: int) -> tuple[int, ...]:
    """After how many replications a run looks: *first*, twice as many and so on, and *most*."""
    found = []
    while first < most:
        found.append(first)
        first *= 2
    return (*found, most)
