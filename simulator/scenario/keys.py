"""What each key of a scenario means, its default, and where that comes from.

Everything is read from the models of `schema.py`, the releases and the presets; nothing is told
twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from simulator import units
from simulator.scenario import document
from simulator.scenario.json_schema import PREFIX, QUANTITIES, json_schema
from simulator.scenario.paths import steps_of
from simulator.scenario.presets import preset, preset_text
from simulator.scenario.releases import Release
from simulator.scenario.schema import Experiment, System
from simulator.scenario.series import RELEASES, behaviours, differences, values_of, written

ENDLESS = 1e12
ANY_NAME = "<name>"
WRITTEN = re.compile(r"([0-9.]+(?:e[+-]?[0-9]+)?)([A-Za-z/%]*)")


@dataclass(frozen=True)
class Value:
    """A value and its source; *path* says which, *owner* whose (a release or preset) it is."""

    owner: str
    path: str
    value: str
    source: str


@dataclass(frozen=True)
class Key:
    """A key of a scenario: what may stand there, and its default.

    *about* describes it, and the mapping that it belongs to; *by_release* is for options whose
    default is the release's.
    """

    path: str
    allowed: str
    default: str
    about: str
    by_release: tuple[Value, ...] = ()


def key(path: str) -> Key | None:
    """The key at the dotted *path*; None if there is none."""
    steps = steps_of(path)
    if not all(steps):
        return None
    schema = _schema()
    node: Mapping[str, Any] = schema
    around, required = "", False
    for step in steps:
        found = _below(node, step)
        if found is None:
            return None
        around = _about(node)
        required = _requires(node, step) if node is not schema else step in _needed()
        node = found
    if not steps:
        return None
    own = _about(node)
    if steps[0] == "behaviour" and len(steps) == 2:
        return _behaviour(path, steps[1], around)
    is_option = steps[0] == "neutron" and len(steps) == 2
    options = tuple(_by_release(steps[1], lambda release: release.options)) if is_option else ()
    default = _default(node)
    if required:
        default = "required"
    elif default == "none" and options:
        default = "the release's"
    plain = all("properties" not in choice for choice in _choices(node))
    about = "\n\n".join(filter(None, (own, around if plain and len(steps) > 1 else "")))
    return Key(path, _allowed(node), default, about, options)


def _behaviour(path: str, name: str, about: str) -> Key | None:
    """A rule or habit that a scenario may choose; None if there is none of this name."""
    values = behaviours().get(name)
    if values is None:
        return None
    allowed = " or ".join(map(written, values))
    return Key(path, allowed, "the release's", about, tuple(_by_release(name, values_of)))


def key_paths() -> list[str]:
    """Every key, a name that the user chooses being `<name>`."""
    return [*_paths(_schema(), ""), *(f"behaviour.{name}" for name in behaviours())]


def preset_values(name: str) -> list[Value]:
    """Every value of a preset, as its file has it, with its source."""
    data, _ = document.parse(preset_text(name), f"{name}.yaml")
    sources = preset(name).sources
    return [
        Value(name, path, str(value), sources.get(path, ""))
        for path, value in _leaves(data["failures"])
    ]


def release_values(release: Release) -> list[Value]:
    """The options of a release, then its rules and habits, with their sources."""
    return [
        Value(release.name, name, _written(value), release.sources.get(name, ""))
        for name, value in values_of(release).items()
    ]


def release_differences(before: Release, after: Release) -> list[tuple[str, str, str, str]]:
    """What differs: name, both values (`-` for none), and why."""
    return [
        (one.name, _written(one.before), _written(one.after), one.why)
        for one in differences(before, after)
    ]


def _by_release(name: str, values: Callable[[Release], Mapping[str, object]]) -> Iterator[Value]:
    """What *name* is in each release in which it is something else than in the one before."""
    before: object = None
    for release in RELEASES.values():
        value = values(release).get(name)
        if value != before:
            yield Value(release.name, name, _written(value), release.sources.get(name, ""))
        before = None if release.architecture == "multi_host" else value


def _written(value: object) -> str:
    """*value* as a scenario file has it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:g}s"  # every option that is not a count or a switch is a time
    return written(value)


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, f"{path}[{index}]")
    else:
        yield path, node


# -- walking the JSON Schema -----------------------------------------------------------------


@cache
def _schema() -> Mapping[str, Any]:
    return json_schema()


def _choices(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """*node* itself, with references followed and alternatives taken apart."""
    if "$ref" in node:
        yield from _choices(_schema()["definitions"][node["$ref"].rpartition("/")[2]])
    elif "anyOf" in node and "examples" not in node:
        for option in node["anyOf"]:
            yield from _choices(option)
    else:
        yield node


def _needed() -> list[str]:
    """The keys that a file needs, at least in its variants."""
    return [*_schema()["required"], *_whole()["required"]]


@cache
def _whole() -> Mapping[str, Any]:
    """The schema of a system by itself, which tells what it requires."""
    return System.model_json_schema(by_alias=True)


@cache
def _definitions() -> Mapping[str, Any]:
    """The schemas of all models by themselves."""
    return {**_whole()["$defs"], **Experiment.model_json_schema()["$defs"]}


def _requires(node: Mapping[str, Any], step: str) -> bool:
    """Whether the mapping at *node* must have the key *step*."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2].removeprefix(PREFIX)
        return step in _definitions().get(name, {}).get("required", ())
    return any(_requires(choice, step) for choice in node.get("anyOf", ()))


def _below(node: Mapping[str, Any], step: str) -> Mapping[str, Any] | None:
    """What *step* leads to: a key, a name that the user chooses, or an item of a list."""
    for choice in _choices(node):
        named: Mapping[str, Any] = choice.get("properties", {})
        free: list[Mapping[str, Any]] = [*choice.get("patternProperties", {}).values()]
        if isinstance(choice.get("additionalProperties"), dict):
            free.append(choice["additionalProperties"])
        if step in named:
            found: Mapping[str, Any] = named[step]
            return found
        if step.isdigit() and "items" in choice:
            free.append(choice["items"])
        if free:
            return free[0]
    return None


def _about(node: Mapping[str, Any]) -> str:
    if "$ref" in node:
        node = _schema()["definitions"][node["$ref"].rpartition("/")[2]]
    if "description" in node:
        return str(node["description"])
    return next((_about(option) for option in node.get("anyOf", ()) if "$ref" in option), "")


def _default(node: Mapping[str, Any]) -> str:
    defaults = [choice["default"] for choice in (node, *_choices(node)) if "default" in choice]
    if not defaults:
        return "none"
    written = str(defaults[0]).lower() if isinstance(defaults[0], bool) else str(defaults[0])
    number = WRITTEN.fullmatch(written)
    if number is None:
        return written
    shown = {"s": units.format_duration, "bps": units.format_bit_rate}.get(number[2])
    return shown(float(number[1])) if shown else f"{float(number[1]):g}{number[2]}"


def _allowed(node: Mapping[str, Any]) -> str:
    """What may stand at *node*, in words."""
    words = []
    for choice in _choices(node):
        if "examples" in choice:
            example = choice["examples"][0]
            known = ", ".join(unit for unit in QUANTITIES[example] if unit)
            like = f"{example} or a value" if example.isalpha() else f"like {example}"
            words.append(f"{like}, in {known}")
        elif "enum" in choice:
            words.append(" or ".join(str(v) for v in choice["enum"] if v is not None))
        elif "const" in choice:
            words.append(str(choice["const"]))
        elif "properties" in choice:
            words.append(f"a mapping of {', '.join(choice['properties'])}")
        elif choice.get("type") != "null":
            words.append(_plain(choice))
    return "; or ".join(dict.fromkeys(words))


def _plain(choice: Mapping[str, Any]) -> str:
    kind = choice.get("type", "anything")
    kind = next(k for k in kind if k != "null") if isinstance(kind, list) else kind
    names = {
        "integer": "a whole number", "number": "a number", "string": "text", "array": "a list",
        "boolean": "true or false", "object": "a mapping of names",
    }  # fmt: skip
    words = names.get(kind, kind)
    low, high = choice.get("minimum"), choice.get("maximum")
    if low is not None and high is not None and high < ENDLESS:
        return f"{words} from {low:g} to {high:g}"
    return words if low is None else f"{words}, at least {low:g}"


def _paths(node: Mapping[str, Any], path: str) -> Iterator[str]:
    """The paths below *node*; a distribution's own keys are left to its description."""
    for choice in _choices(node):
        if "exponential" in choice.get("properties", {}):
            continue
        for name, below in choice.get("properties", {}).items():
            yield f"{path}{name}"
            if name not in ("variants", "matrix"):
                yield from _paths(below, f"{path}{name}.")
        for free in (
            choice.get("additionalProperties"),
            *choice.get("patternProperties", {}).values(),
        ):
            if isinstance(free, dict):
                yield from _paths(free, f"{path}{ANY_NAME}.")
