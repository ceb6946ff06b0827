"""From a scenario file to a `Scenario`, or to every problem of the file at once.

A file is one mapping: the keys of `Experiment`, the keys of `System` (the base), and `variants`
or `matrix`. A variant is the base with its own keys merged on top; `null` takes a key away.
"""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Iterable
from collections.abc import Sequence as AnySequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from simulator.errors import Problem, ScenarioError
from simulator.scenario import document
from simulator.scenario.check import check_names, check_scenario, check_system
from simulator.scenario.document import Mapping, Mark, Sequence
from simulator.scenario.explain import is_doubtful, nearest, place, validate
from simulator.scenario.paths import steps_of
from simulator.scenario.schema import Experiment, Scenario, System, dump

SIZE_LIMIT = 4_000_000
VARIANT_LIMIT = 1000
VARIANT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,=@#+-]{0,120}")
COMMON = frozenset({*Experiment.model_fields, "variants", "matrix"})
OVERRIDES = "-S"


@dataclass(frozen=True)
class Loaded:
    """A scenario (None if it is invalid) and all problems, warnings included."""

    scenario: Scenario | None
    problems: tuple[Problem, ...]


def load(path: str | Path, overrides: AnySequence[str] = ()) -> Loaded:
    """Read the scenario at *path*, with *overrides* of the form `dotted.path=value` on top."""
    path = Path(path)
    text = _read(path)
    if isinstance(text, Problem):
        return Loaded(None, (text,))
    data, problems = document.parse(text, shown(path))
    if not isinstance(data, Mapping):
        if data is not None or not problems:
            problems.append(Problem(shown(path), 1, 1, "type", "", "a scenario must be a mapping"))
        return Loaded(None, tuple(sorted(problems)))
    for override in overrides:
        data, more = _override(data, override)
        problems += more
    scenario, more = _build(data, path)
    problems = _unique(problems + more)
    failed = any(not problem.warning for problem in problems)
    return Loaded(None if failed else scenario, tuple(problems))


def load_scenario(path: str | Path, overrides: AnySequence[str] = ()) -> Scenario:
    """The scenario at *path*; raises ScenarioError with every problem if it is invalid."""
    loaded = load(path, overrides)
    if loaded.scenario is None:
        raise ScenarioError(list(loaded.problems))
    return loaded.scenario


def resolved_yaml(scenario: Scenario) -> str:
    """*scenario* with every default written out, as YAML that loads to an equal one."""
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(dump(scenario), text)
    return text.getvalue()


def shown(path: Path) -> str:
    """*path* fit for one line."""
    return document.one_line(str(path))


def _read(path: Path) -> str | Problem:
    """The text of the file, or why it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
        if len(data) <= SIZE_LIMIT:
            return data.decode("utf-8")
        why = f"larger than {SIZE_LIMIT:,} bytes; not a scenario"
    except UnicodeDecodeError:
        why = "not a text file in UTF-8"
    except OSError as error:
        why = error.strerror or str(error)
    except ValueError as error:  # a name with a null character
        why = str(error)
    return Problem(shown(path), 1, 1, "unreadable", "", why)


def _override(data: Mapping, text: str) -> tuple[Mapping, list[Problem]]:
    """*data* with `dotted.path=value` merged on top."""
    dotted, equals, value = text.partition("=")
    keys = steps_of(dotted.strip())
    here = Mark(OVERRIDES, 1, 1, dotted.strip())
    if not equals or not all(keys):
        return data, [here.problem("override", f"'{text}' is not of the form path=value")]
    item, problems = document.parse(value if value.strip() else "null", OVERRIDES, here.path)
    if problems:
        return data, problems
    for depth in range(len(keys), 0, -1):
        at = Mark(OVERRIDES, 1, 1, ".".join(keys[:depth]))
        item = document.nest(keys[depth - 1 : depth], item, at)
    return document.merge(data, item), []


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
    experiment = validate(Experiment, experiment_part, path.parent)
    variants, more = _variants(data, system_part)
    problems += experiment.problems + more
    systems: dict[str, System] = {}
    mended: set[document.Path] = set()
    for name, variant in variants.items():
        checked = validate(System, variant, path.parent)
        problems += checked.problems
        mended |= checked.mended
        if checked.value is None:
            continue
        findings = check_system(checked.value)
        problems += [place(variant, f) for f in findings if not is_doubtful(f, checked.mended)]
        unknown = any(finding.code == "unknown_preset" for finding in findings)
        systems[name] = checked.value.model_copy(update={"rates": None} if unknown else {})
    if not variants:
        problems += _form_of_base(system_part, path.parent)
    baseline = data.get("baseline") or next(iter(variants), "")
    if isinstance(baseline, str) and variants and baseline not in variants:
        why = f"no variant is named '{baseline}'{nearest(baseline, variants)}"
        problems.append(data.values_at["baseline"].problem("unknown_variant", why))
    problems += _limits_of_nothing(data.get("thresholds"), variants)
    if len(systems) == len(variants):
        found = check_names(systems)
        problems += [place(variants[name], f) for name, f in found if not is_doubtful(f, mended)]
    if experiment.value is None or not systems:
        return None, problems
    scenario = Scenario.model_construct(
        **{
            **dict(experiment.value),
            "name": experiment.value.name or _name_of(path),
            "baseline": baseline,
            "variants": systems,
            "source": str(path),
            "threshold_places": _places(data.get("thresholds")),
        }
    )
    problems += [
        place(variants.get(name, data), finding)
        for name, finding in check_scenario(scenario)
        if not is_doubtful(finding, experiment.mended)
    ]
    return scenario, problems


def _limits_of_nothing(thresholds: Any, variants: Iterable[str]) -> list[Problem]:
    """The thresholds whose variant does not exist, those of a wrong form among them."""
    known = list(variants)
    given = thresholds if known and isinstance(thresholds, Sequence) else ()
    found = [
        (one["variant"], one) for one in given if isinstance(one, Mapping) and "variant" in one
    ]
    return [
        one.values_at["variant"].problem(
            "unknown_variant", f"no variant is named '{name}'{nearest(name, known)}"
        )
        for name, one in found
        if isinstance(name, str) and name not in known
    ]


def _places(thresholds: Any) -> tuple[str, ...]:
    """Where each threshold stands, as `file:line`; empty for one given by an override."""
    marks = thresholds.values_at if isinstance(thresholds, Sequence) else ()
    return tuple("" if mark.file == OVERRIDES else f"{mark.file}:{mark.line}" for mark in marks)


def _form_of_base(base: Mapping, folder: Path) -> list[Problem]:
    """The faults of a base without variants; what is missing, they might have given."""
    problems = validate(System, base, folder).problems
    return [problem for problem in problems if problem.code != "missing"]


def _name_of(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", path.stem).lstrip("_.-")[:63] or "scenario"


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
    if len(given) > VARIANT_LIMIT:
        return {}, [mark.problem("too_many", f"{len(given)} variants; at most {VARIANT_LIMIT}")]
    variants, problems = {}, []
    for name, changes in given.items():
        if not VARIANT_NAME.fullmatch(name):
            why = f"'{name}' cannot name a variant: use letters, digits and _ . , = @ # + -"
            problems.append(given.keys_at[name].problem("name", why))
        elif changes is None:
            variants[name] = base
        elif isinstance(changes, Mapping):
            common = [key for key in changes if key in COMMON]
            problems += [_not_in_variant(changes, key) for key in common]
            own = document.without(changes, [(key,) for key in common])
            variants[name] = document.merge(base, own)
        else:
            problems.append(given.values_at[name].problem("type", "a variant is a mapping"))
    return variants, problems


def _not_in_variant(changes: Mapping, key: str) -> Problem:
    return changes.keys_at[key].problem("not_in_variant", f"'{key}' is the same for all variants")


def _matrix(axes: Any, mark: Mark, base: Mapping) -> tuple[dict[str, Mapping], list[Problem]]:
    """Every combination of the values of *axes*, each a dotted path."""
    if not isinstance(axes, Mapping) or not axes:
        return {}, [mark.problem("type", "needs a mapping of dotted paths to lists of values")]
    bad = [_not_in_variant(axes, key) for key in axes if key.partition(".")[0] in COMMON]
    bad += [
        axes.values_at[key].problem("type", "needs a list of values such as [1, 2]")
        for key, values in axes.items()
        if not isinstance(values, list) or not values
    ]
    if bad:
        return {}, bad
    cells = math.prod(map(len, axes.values()))
    if cells > VARIANT_LIMIT:
        why = f"makes {cells} variants; at most {VARIANT_LIMIT} are allowed"
        return {}, [mark.problem("too_many", why)]
    shorts = _short_names(list(axes))
    variants: dict[str, Mapping] = {}
    problems = []
    for choice in itertools.product(*(range(len(values)) for values in axes.values())):
        variant, labels = base, []
        for (path, values), index in zip(axes.items(), choice, strict=True):
            layer = document.nest(steps_of(path), values[index], values.values_at[index])
            variant = document.merge(variant, layer)
            labels.append(f"{shorts[path]}={_label(values[index], index)}")
        name = ",".join(labels)
        if not VARIANT_NAME.fullmatch(name):
            why = f"makes a variant's name that is too long or odd: '{name}'; use variants"
            problems.append(mark.problem("name", why))
        elif name in variants:
            problems.append(mark.problem("duplicate_key", f"makes the variant '{name}' twice"))
        variants[name] = variant
    return variants, problems


def _short_names(paths: list[str]) -> dict[str, str]:
    """Each path by its last word where that is unique, else whole."""
    lasts = [path.rpartition(".")[2] for path in paths]
    return {
        path: last if lasts.count(last) == 1 else path
        for path, last in zip(paths, lasts, strict=True)
    }


def _label(value: Any, index: int) -> str:
    """*value* as part of a name; its number where it has no short form."""
    if not isinstance(value, str | int | float | bool):
        return f"#{index + 1}"
    return re.sub(r"[^A-Za-z0-9_.,=@#+-]+", "-", str(value))


def _unique(problems: list[Problem]) -> list[Problem]:
    """Problems in file order; one that several variants inherit is told once."""
    seen: dict[tuple[object, ...], Problem] = {}
    for problem in sorted(problems):
        place = (problem.file, problem.line, problem.column, problem.code, problem.message)
        seen.setdefault(place, problem)
    return list(seen.values())
