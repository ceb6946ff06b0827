"""Scenario fields that carry a unit, and distributions as a scenario writes them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from simulator import distributions, units
from simulator.clock import TICK


class Model(BaseModel):
    """Base of every part of a scenario: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


TAKE_AWAY = " (a variant takes away what the base has by `key: null`)"
LIMIT = 1e15
"""No time, rate or size is larger, so that no product of some of them overflows."""
LEAST = 1e-9
"""No positive rate or size is smaller; no positive time is below the clock's tick."""


def _parsed(
    parse: Callable[[object], float], unit: str, example: str, *, least: float = 0.0
) -> tuple[Any, ...]:
    def convert(value: object) -> float:
        try:
            number = parse(value)
        except ValueError as error:
            raise PydanticCustomError("quantity", "{why}", {"why": str(error)}) from None
        if least <= number <= LIMIT:
            return number
        if number <= 0:
            why = "must not be zero or negative" if least else "must not be negative"
        elif number < least:
            why = f"is too small: at least {least:g} {unit}"
        else:
            why = f"is too large: at most {LIMIT:g} {unit}"
        raise PydanticCustomError("out_of_range", "'{v}' {why}", {"v": str(value), "why": why})

    schema = {"type": ["string", "number"], "examples": [example]}
    written = PlainSerializer(lambda number: f"{number!r}{unit}" if unit else number)
    return BeforeValidator(convert), WithJsonSchema(schema), written


def _or_word(word: str, parse: Callable[[object], float], unit: str) -> tuple[Any, ...]:
    """As `_parsed`, or the one *word*."""
    before, _, _ = _parsed(parse, unit, word)
    func = before.func

    def convert(value: object) -> object:
        return value if value == word else func(value)

    schema = {"type": ["string", "number"], "examples": [word]}
    written = PlainSerializer(lambda v: v if v == word else f"{v!r}{unit}")
    return BeforeValidator(convert), WithJsonSchema(schema), written


Switch = Annotated[bool, Field(strict=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
Count = Annotated[int, Field(ge=0, le=10**12, strict=True)]
PositiveCount = Annotated[int, Field(ge=1, le=10**12, strict=True)]
Duration = Annotated[float, *_parsed(units.duration, "s", "90s")]
PositiveDuration = Annotated[float, *_parsed(units.duration, "s", "90s", least=TICK)]
BitRate = Annotated[float, *_parsed(units.bit_rate, "bps", "10Gbps")]
PositiveBitRate = Annotated[float, *_parsed(units.bit_rate, "bps", "10Gbps", least=LEAST)]
PositivePacketRate = Annotated[float, *_parsed(units.packet_rate, "pps", "130kpps", least=LEAST)]
PositiveSize = Annotated[float, *_parsed(units.size, "B", "1500B", least=LEAST)]
Frequency = Annotated[float, *_parsed(units.frequency, "/s", "300/y")]
Share = Annotated[float, *_parsed(units.share, "", "99.95%")]
ReleaseOrDuration = Annotated[float | Literal["release"], *_or_word("release", units.duration, "s")]
UnlimitedOrBitRate = Annotated[
    float | Literal["unlimited"], *_or_word("unlimited", units.bit_rate, "bps")
]
Shape = Annotated[float, Field(strict=True, ge=0.05, le=1000, allow_inf_nan=False)]
Sigma = Annotated[float, Field(strict=True, gt=0, le=10, allow_inf_nan=False)]
Weight = Annotated[float, Field(strict=True, ge=1e-9, le=1e9, allow_inf_nan=False)]


M = TypeVar("M", bound=Model)


class ExponentialTime(Model):
    """Constant hazard."""

    mean: PositiveDuration

    def build(self) -> distributions.Distribution:
        return distributions.Exponential(self.mean)


class WeibullTime(Model):
    """Weibull by shape, and mean or scale."""

    shape: Shape
    mean: PositiveDuration | None = None
    scale: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        return _exactly_one(self, "mean", "scale")

    def build(self) -> distributions.Distribution:
        if self.mean is not None:
            return distributions.Weibull.with_mean(self.shape, self.mean)
        return distributions.Weibull(self.shape, self.scale or 0.0)


class LognormalTime(Model):
    """Lognormal by sigma (of the logarithm), and median or mean."""

    sigma: Sigma
    median: PositiveDuration | None = None
    mean: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        return _exactly_one(self, "median", "mean")

    def build(self) -> distributions.Distribution:
        if self.mean is not None:
            return distributions.Lognormal.with_mean(self.mean, self.sigma)
        return distributions.Lognormal.with_median(self.median or 0.0, self.sigma)


class GammaTime(Model):
    """Gamma by shape, and mean or scale."""

    shape: Shape
    mean: PositiveDuration | None = None
    scale: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        return _exactly_one(self, "mean", "scale")

    def build(self) -> distributions.Distribution:
        if self.mean is not None:
            return distributions.Gamma.with_mean(self.shape, self.mean)
        return distributions.Gamma(self.shape, self.scale or 0.0)


class EmpiricalTime(Model):
    """Observed values: listed, or one column of a CSV file (path relative to the scenario)."""

    values: tuple[PositiveDuration, ...] | None = None
    file: str | None = None
    column: str | None = None
    unit: str | None = None

    @model_validator(mode="after")
    def _load(self, info: ValidationInfo) -> Self:
        _exactly_one(self, "values", "file")
        if self.file is None:
            if not self.values:
                raise PydanticCustomError("empty", "needs at least one value")
            if self.column or self.unit:
                raise PydanticCustomError("pair", "'column' and 'unit' go with 'file'")
            return self
        folder = (info.context or {}).get("folder", Path())
        return self.model_copy(
            update={"values": self._read(folder), "file": None, "column": None, "unit": None}
        )

    def _read(self, folder: Path) -> tuple[float, ...]:
        if not self.column or self.unit not in units.DURATIONS:
            raise PydanticCustomError(
                "pair",
                "'file' needs 'column' and 'unit' (one of {units})",
                {"units": ", ".join(units.DURATIONS)},
            )
        path = folder / (self.file or "")
        try:
            with path.open(newline="", encoding="utf-8") as file:
                text = file.read(FILE_LIMIT + 1)
            if len(text) > FILE_LIMIT:
                raise _bad_csv(path, f"is larger than {FILE_LIMIT:,} bytes")
            texts = [row[self.column] for row in csv.DictReader(io.StringIO(text, newline=""))]
            values = tuple(float(text) * units.DURATIONS[self.unit] for text in texts)
        except KeyError:
            raise _bad_csv(path, f"has no column '{self.column}'") from None
        except (OSError, ValueError, TypeError, csv.Error) as error:
            why = getattr(error, "strerror", None) or error
            raise _bad_csv(path, f"cannot be read: {why}") from None
        if not values or not all(TICK <= value <= LIMIT for value in values):
            raise _bad_csv(path, f"column '{self.column}' must hold times of at least 1us only")
        return values

    def build(self) -> distributions.Distribution:
        return distributions.Empirical(self.values or ())


def _bad_csv(path: Path, why: str) -> PydanticCustomError:
    return PydanticCustomError("csv", "{path} {why}", {"path": str(path), "why": why})


FILE_LIMIT = 10_000_000
FAMILIES = ("exponential", "weibull", "lognormal", "gamma", "deterministic", "empirical", "mixture")


class TimeDistribution(Model):
    """A distribution of times: one family by name, or a bare duration for a constant.

    `4h` · `{exponential: {mean: 1000h}}` · `{weibull: {shape: 0.7, mean: 4380h}}` ·
    `{lognormal: {median: 5min, sigma: 0.3}}` · `{gamma: {shape: 2, mean: 1h}}` ·
    `{empirical: {file: repairs.csv, column: hours, unit: h}}` ·
    `{mixture: [{weight: 0.95, lognormal: {...}}, {weight: 0.05, ...}]}`
    """

    exponential: ExponentialTime | None = None
    weibull: WeibullTime | None = None
    lognormal: LognormalTime | None = None
    gamma: GammaTime | None = None
    deterministic: PositiveDuration | None = None
    empirical: EmpiricalTime | None = None
    mixture: tuple[MixturePart, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, data: object) -> object:
        return {"deterministic": data} if isinstance(data, str | int | float) else data

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        if self.mixture == ():
            raise PydanticCustomError("empty", "a mixture needs at least one part")
        return _exactly_one(self, *FAMILIES)

    def build(self) -> distributions.Distribution:
        """The distribution itself, in seconds."""
        if self.deterministic is not None:
            return distributions.Deterministic(self.deterministic)
        if self.mixture is not None:
            weights = tuple(part.weight for part in self.mixture)
            return distributions.Mixture(weights, tuple(part.build() for part in self.mixture))
        part = self.exponential or self.weibull or self.lognormal or self.gamma or self.empirical
        assert part is not None
        return part.build()


class MixturePart(TimeDistribution):
    """One part of a mixture, with its weight."""

    weight: Weight


TimeDistribution.model_rebuild()


class LognormalLoad(Model):
    """Lognormal across routers."""

    mean: PositiveBitRate
    sigma: Sigma


class Load(Model):
    """North-south load of a router: the same for all (a bare rate), or lognormal across them."""

    constant: BitRate | None = None
    lognormal: LognormalLoad | None = None

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, data: object) -> object:
        return {"constant": data} if isinstance(data, str | int | float) else data

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        return _exactly_one(self, "constant", "lognormal")

    def build(self) -> distributions.Distribution:
        """The distribution itself, in bit/s."""
        if self.lognormal is not None:
            return distributions.Lognormal.with_mean(self.lognormal.mean, self.lognormal.sigma)
        return distributions.Deterministic(self.constant or 0.0)


def _exactly_one(model: M, *names: str) -> M:
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) != 1:
        raise PydanticCustomError(
            "one_of",
            "give exactly one of {names}{found}",
            {
                "names": ", ".join(names),
                "found": f"; found {' and '.join(given)}{TAKE_AWAY}" if given else "",
            },
        )
    return model
