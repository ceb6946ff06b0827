"""Limits that an experiment's metrics must keep, as a scenario writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema, field_serializer
from pydantic_core import PydanticCustomError

from simulator.metric_units import METRIC_UNITS
from simulator.scenario.quantities import LIMIT, Model

Operator = Literal["<", "<=", ">", ">="]
Statistic = Literal["mean", "p95", "ci_low", "ci_high"]
if TYPE_CHECKING:
    MetricName: TypeAlias = str
else:
    MetricName = Literal[tuple(METRIC_UNITS)]


def _in_its_unit(value: object, info: ValidationInfo) -> float:
    """*value* as the threshold's metric counts it; 0 where that metric is wrong, and told so."""
    metric = info.data.get("metric")
    if metric is None:
        return 0.0
    unit = METRIC_UNITS[metric]
    try:
        number = unit.read(value)
    except ValueError as error:
        what = {"why": str(error), "metric": metric, "unit": unit.words}
        raise PydanticCustomError("quantity", "{why} ({metric} is {unit})", what) from None
    if 0 <= number <= LIMIT:
        return number
    why = "must not be negative" if number < 0 else f"is too large: at most {LIMIT:g}"
    raise PydanticCustomError("out_of_range", "'{v}' {why}", {"v": str(value), "why": why})


MetricValue = Annotated[
    float,
    BeforeValidator(_in_its_unit),
    WithJsonSchema({"type": ["string", "number"], "examples": ["30s"]}),
]


class Threshold(Model):
    """A limit that a metric must keep, as in {metric: router.availability, op: ">=", value: 99.9%}.

    The limit is compared with the whole 95 % interval of *on*: all of it keeps the limit (pass),
    none of it does (fail), or some (undecided). `ci_low` and `ci_high` are one end of the mean's
    interval, a point, and so always decided.
    """

    metric: MetricName
    """What is limited: a metric's id, see `netnode explain`."""
    op: Operator
    """How the metric must be to the limit."""
    value: MetricValue
    """The limit in the metric's own unit: 99.95% or 0.9995, 30s, 4Gbps, or a plain number."""
    variant: str | None = None
    """The variant that must keep it; default: each."""
    on: Statistic = "mean"
    """Over replications: their mean, their 95th percentile, or an end of the mean's interval."""

    @field_serializer("value")
    def _written(self, value: float) -> object:
        return METRIC_UNITS[self.metric].write(value)
