"""From a scenario file to a `Scenario`, or to every problem of the file at once.

A file is one mapping: the keys of `Experiment`, the keys of `System` (the base), and `variants`
or `matrix`. A variant is the base with its own keys merged on top; `null` takes a key away.
"""

from __future__ import annotations

import difflib
import itertools
import re
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulator.errors import InputError, Problem, ScenarioError
from simulator.scenario import document
from simulator.scenario.check import check_scenario, check_system
from simulator.scenario.document import Mapping, Mark
from simulator.scenario.schema import Experiment, Scenario, System

SIZE_LIMIT = 4_000_000
VARIANT_LIMIT = 1000
OVERRIDES = "-S"


@dataclass(frozen=True)
class Loaded:
    """A scenario (None if it is invalid) and all problems, warnings included."""

    scenario: Scenario | None
    problems: tuple[Problem, ...]


def load(path: str | Path, overrides: Sequence[str] = ()) -> Loaded:
    """Read the scenario at *path*, with *overrides* of the form `dotted.path=value` on top."""
    path = Path(path)
    data, problems = document.parse(_read(path), str(path))
    if data is not None and not isinstance(data, Mapping):
        problems.append(Problem(str(path), 1, 1, "type", "", "a scenario must be a mapping"))
        data = None
    if data is None:
        return Loaded(None, tuple(sorted(problems)))
    for override in overrides:
        data, more = _override(data, override)
        problems += more
    scenario, more = _build(data, path)
    problems = _unique(problems + more)
    failed = any(not problem.warning for problem in problems)
    return Loaded(None if failed else scenario, tuple(problems))


def load_scenario(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """The scenario at *path*; raises ScenarioError with every problem if it is invalid."""
    loaded = load(path, overrides)
    if loaded.scenario is None:
        raise ScenarioError(list(loaded.problems))
    return loaded.scenario


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise InputError(f"{path}: larger than {SIZE_LIMIT} bytes; not a scenario")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def _override(data: Mapping, text: str) -> tuple[Mapping, list[Problem]]:
    """*data* with `dotted.path=value` merged on top."""
    dotted, equals, value = text.partition("=")
    keys = dotted.strip().split(".")
    here = Mark(OVERRIDES, 1, 1, dotted.strip())
    if not equals or not all(keys):
        return data, [here.problem("override", f"'{text}' is not of the form path=value")]
    item, problems = document.parse(value if value.strip() else "null", OVERRIDES, here.path)
    for depth in range(len(keys) - 1, -1, -1):
        layer = Mapping(here)
        layer.put(keys[depth], item, here, here)
        item = layer
    return document.merge(data, item), problems


def _build(data: Mapping, path: Path) -> tuple[Scenario | None, list[Problem]]:
    """The scenario of *data*, and every problem of its parts."""
    experiment_part, system_part = Mapping(data.mark), Mapping(data.mark)
    for key, value in data.items():
        if key in ("variants", "matrix"):
            continue
        part = experiment_part if key in Experiment.model_fields else system_part
        part.put(key, value, data.keys_at[key], data.values_at[key])
    problems = []
    if "version" not in data:
        problems.append(data.mark.problem("missing", "'version: 1' is missing"))
    experiment, more = _validate(Experiment, experiment_part, path)
    problems += more
    variants, more = _variants(data, system_part)
    problems += more
    systems: dict[str, System] = {}
    for name, variant in variants.items():
        system, more = _validate(System, variant, path)
        if system is not None:
            systems[name] = system
            more = [_place(variant, finding) for finding in check_system(system)]
        problems += more
    if experiment is None or len(systems) < len(variants) or not systems:
        return None, problems
    chosen = experiment.baseline or next(iter(systems))
    if chosen not in systems:
        mark = data.values_at["baseline"]
        why = f"no variant is named '{chosen}'{nearest(chosen, systems)}"
        return None, [*problems, mark.problem("unknown_variant", why)]
    scenario = Scenario.model_construct(
        **{
            **dict(experiment),
            "name": experiment.name or _name_of(path),
            "baseline": chosen,
            "variants": systems,
            "source": str(path),
        }
    )
    problems += [_place(data, finding) for finding in check_scenario(scenario)]
    return scenario, problems


def _name_of(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", path.stem).lstrip("_.-") or "scenario"


def _variants(data: Mapping, base: Mapping) -> tuple[dict[str, Mapping], list[Problem]]:
    """The complete data of each variant, by name."""
    if "variants" in data and "matrix" in data:
        mark = data.keys_at["matrix"]
        return {}, [mark.problem("one_of", "give variants or matrix, not both")]
    if "matrix" in data:
        return _matrix(data["matrix"], data.values_at["matrix"], base)
    if "variants" not in data:
        return {"base": base}, []
    given, mark = data["variants"], data.values_at["variants"]
    if not isinstance(given, Mapping) or not given:
        return {}, [mark.problem("type", "needs a mapping of names to what each changes")]
    variants, problems = {}, []
    for name, changes in given.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.,=@+-]{0,120}", name):
            why = f"'{name}' cannot name a variant: use letters, digits and _ . , = @ + -"
            problems.append(given.keys_at[name].problem("name", why))
        elif changes is None:
            variants[name] = base
        elif isinstance(changes, Mapping):
            problems += _not_in_variants(changes)
            variants[name] = document.merge(base, changes)
        else:
            problems.append(given.values_at[name].problem("type", "a variant is a mapping"))
    return variants, problems


def _not_in_variants(changes: Mapping) -> list[Problem]:
    keys = [key for key in changes if key in Experiment.model_fields]
    keys += [key for key in ("variants", "matrix") if key in changes]
    return [
        changes.keys_at[key].problem("not_in_variant", f"'{key}' is the same for all variants")
        for key in keys
    ]


def _matrix(axes: Any, mark: Mark, base: Mapping) -> tuple[dict[str, Mapping], list[Problem]]:
    """Every combination of the values of *axes*, each a dotted path."""
    if not isinstance(axes, Mapping) or not axes:
        return {}, [mark.problem("type", "needs a mapping of dotted paths to lists of values")]
    bad = [key for key, values in axes.items() if not isinstance(values, list) or not values]
    if bad:
        return {}, [axes.values_at[key].problem("type", "needs a list of values") for key in bad]
    cells = 1
    for values in axes.values():
        cells *= len(values)
    if cells > VARIANT_LIMIT:
        why = f"makes {cells} variants; at most {VARIANT_LIMIT} are allowed"
        return {}, [mark.problem("too_many", why)]
    shorts = _short_names(list(axes))
    variants = {}
    for choice in itertools.product(*(range(len(values)) for values in axes.values())):
        variant, labels = base, []
        for (path, values), index in zip(axes.items(), choice, strict=True):
            layer: Any = values[index]
            at = values.values_at[index]
            for key in reversed(path.split(".")):
                outer = Mapping(at)
                outer.put(key, layer, at, at)
                layer = outer
            variant = document.merge(variant, layer)
            labels.append(f"{shorts[path]}={_label(values[index], index)}")
        variants[",".join(labels)] = variant
    return variants, []


def _short_names(paths: list[str]) -> dict[str, str]:
    """Each path by its last word where that is unique, else whole."""
    lasts = [path.rpartition(".")[2] for path in paths]
    return {
        path: last if lasts.count(last) == 1 else path
        for path, last in zip(paths, lasts, strict=True)
    }


def _label(value: Any, index: int) -> str:
    return str(value) if isinstance(value, str | int | float | bool) else f"#{index + 1}"


Valid = typing.TypeVar("Valid", bound=BaseModel)


def _validate(model: type[Valid], data: Mapping, path: Path) -> tuple[Valid | None, list[Problem]]:
    try:
        return model.model_validate(data, context={"folder": path.parent}), []
    except ValidationError as error:
        return None, [_explain(model, data, detail) for detail in error.errors()]


def _explain(model: type[BaseModel], data: Mapping, detail: ErrorDetails) -> Problem:
    """One pydantic error as a problem at its place, with what is allowed or nearest."""
    code, loc, message = detail["type"], detail["loc"], detail["msg"]
    if code == "extra_forbidden":
        key = str(loc[-1])
        allowed = _fields(model, data, loc[:-1])
        message = f"unknown key '{key}'{nearest(key, allowed)}"
    elif code == "missing":
        message = f"'{loc[-1]}' is missing"
    elif code == "literal_error":
        options = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        message = f"'{detail['input']}' is not allowed{nearest(str(detail['input']), options)}"
    _, mark = document.find(data, loc, key=code == "extra_forbidden")
    mark = mark or data.mark
    if code == "missing":
        mark = replace(mark, path=f"{mark.path}.{loc[-1]}" if mark.path else str(loc[-1]))
    return mark.problem(code, message)


def _fields(model: type[BaseModel], data: Any, loc: Iterable[str | int]) -> list[str]:
    """The keys allowed at *loc* below *model*."""
    models: list[type[BaseModel]] = [model]
    for step in loc:
        found: list[type[BaseModel]] = []
        for one in models:
            for name, field in one.model_fields.items():
                if step in (name, field.alias):
                    found += _models_in(field.annotation)
        models = found or models
    return [field.alias or name for one in models for name, field in one.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for part in typing.get_args(annotation):
        yield from _models_in(part)


def _place(data: Mapping, finding: Any) -> Problem:
    """A finding of the semantic checks, at its place in the file."""
    _, mark = document.find(data, finding.path, key=finding.at_key)
    mark = mark or data.mark
    if not mark.path.endswith(str(finding.path[-1])):  # it is a default, not in the file
        mark = replace(mark, path=".".join(map(str, finding.path)))
    return mark.problem(finding.code, finding.message, warning=finding.warning)


def nearest(word: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or what is allowed."""
    options = list(allowed)
    close = difflib.get_close_matches(word, options, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; allowed: {', '.join(options)}" if options else ""


def _unique(problems: list[Problem]) -> list[Problem]:
    """Problems in file order; one that several variants inherit is told once."""
    seen: dict[tuple[object, ...], Problem] = {}
    for problem in sorted(problems):
        place = (problem.file, problem.line, problem.column, problem.code, problem.message)
        seen.setdefault(place, problem)
    return list(seen.values())
