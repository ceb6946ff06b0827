"""A JSON Schema of a scenario file, for editors: completion, hover texts, mistakes underlined.

It is made from the models of `schema.py`, in draft 7, the newest that editors' YAML plugins know.
It is more lenient than `load`: what a base lacks its variants may give, so no part of a system is
required, and nothing is checked for sense.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from simulator import units
from simulator.scenario.load import VARIANT_NAME
from simulator.scenario.presets import preset_names
from simulator.scenario.schema import Experiment, System

Json = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
PREFIX = "Part"
"""What the name of a definition begins with in which nothing is required."""
NUMBER = r"\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
QUANTITIES: Mapping[str, Mapping[str, float]] = {
    "90s": units.DURATIONS,
    "10Gbps": units.BIT_RATES,
    "130kpps": units.PACKET_RATES,
    "1500B": units.SIZES,
    "300/y": units.FREQUENCIES,
    "99.95%": units.SHARES,
    "release": units.DURATIONS,
    "unlimited": units.BIT_RATES,
    "30s": {**units.SHARES, **units.DURATIONS, **units.BIT_RATES},
}
"""The units of a field, by the example that its model gives."""
SHORTHANDS: Mapping[str, Callable[[], Json]] = {
    "TimeDistribution": lambda: _quantity("90s"),
    "Load": lambda: _quantity("10Gbps"),
    "Failures": lambda: {"const": "none"},
}
"""What may stand for a whole mapping, by the name of its model."""


def json_schema() -> Json:
    """The schema of a scenario file."""
    system = System.model_json_schema(by_alias=True)
    experiment = Experiment.model_json_schema(by_alias=True)
    rates = system["properties"]["rates"]
    system["properties"]["rates"] = {
        "enum": [*preset_names(), None],
        "description": rates["description"],
    }
    definitions = {**system.pop("$defs"), **experiment.pop("$defs"), "System": system}
    _state_defaults(definitions)
    whole = {name: _tidy(definition) for name, definition in definitions.items()}
    parts = {PREFIX + name: _part(definition) for name, definition in whole.items()}
    every = {
        name: _with_shorthand(name, definition) for name, definition in {**whole, **parts}.items()
    }
    part = every[PREFIX + "System"]
    properties = {**_tidy(experiment)["properties"], **part["properties"]}
    return {
        "$schema": DRAFT,
        "title": "netnode scenario",
        "description": "An experiment, the system it is about, and what its variants change.",
        "type": "object",
        "properties": {**properties, "variants": _variants(), "matrix": _matrix()},
        "required": ["version", "horizon"],
        "not": {"required": ["variants", "matrix"]},
        "additionalProperties": False,
        "definitions": _used(every, properties, part),
    }


def _variants() -> Json:
    return {
        "description": "Each variant is the base with its own keys on top, as in "
        "{one: {}, three: {hosts: {network: {count: 3}}}}; null takes a key away.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": f"^{VARIANT_NAME.pattern}$"},
        "additionalProperties": {"anyOf": [_reference(PREFIX + "System"), {"type": "null"}]},
    }


def _matrix() -> Json:
    keys = "|".join(System.model_fields)
    return {
        "description": "Every combination of these values, each by its dotted path, is a "
        "variant, as in {release: [folsom, grizzly], hosts.network.count: [1, 3]}.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": rf"^({keys})(\.|$)"},
        "additionalProperties": {"type": "array", "minItems": 1},
    }


def _reference(name: str) -> Json:
    return {"$ref": f"#/definitions/{name}"}


def _state_defaults(definitions: Mapping[str, Json]) -> None:
    """Give fields their defaults as a file writes them: a model that is a default has them so."""
    for definition in definitions.values():
        for field in definition.get("properties", {}).values():
            if "$ref" in field and isinstance(field.get("default"), dict):
                inner = definitions[field["$ref"].rpartition("/")[2]]["properties"]
                for key, value in field["default"].items():
                    inner[key]["default"] = value


def _tidy(node: Any) -> Any:
    """*node* in draft 7, its quantities with patterns, without noise."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _reference(node["$ref"].rpartition("/")[2])  # draft 7 ignores what stands beside
    kept = {key: _tidy(value) for key, value in node.items() if key not in ("title", "default")}
    if "properties" in node:  # there a title is a key like others
        kept["properties"] = {key: _tidy(value) for key, value in node["properties"].items()}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    if "examples" in node and node["examples"][0] in QUANTITIES:
        kept = _quantity(node["examples"][0]) | {k: kept[k] for k in kept if k == "description"}
    default = node.get("default")
    if isinstance(default, str | bool | int | float):
        kept["default"] = default
    return kept


def _quantity(example: str) -> Json:
    """A number with a unit; zero needs none, and a share may be a plain number."""
    names = "|".join(re.escape(unit) for unit in QUANTITIES[example] if unit)
    pattern = rf"^\s*({NUMBER}\s*({names})|\+?0+(\.0*)?)\s*$"
    options: list[Json] = [{"type": "string", "pattern": pattern}]
    if example in ("release", "unlimited"):
        options.insert(0, {"const": example})
    most = {"maximum": 1} if QUANTITIES[example] is units.SHARES else {}
    plain = "" in QUANTITIES[example]
    options.append({"type": "number", "minimum": 0, **most} if plain else {"const": 0})
    return {"anyOf": options, "examples": [example]}


def _part(definition: Json) -> Json:
    """*definition* with nothing required, whose every value may be null."""
    part = {key: value for key, value in definition.items() if key != "required"}
    part["properties"] = {key: _lenient(v) for key, v in definition["properties"].items()}
    return part


def _lenient(node: Json) -> Json:
    """*node*, in part, or null. A list is not merged but replaced, so its items stay whole."""
    if "$ref" in node:
        name = PREFIX + node["$ref"].rpartition("/")[2]
        return {"anyOf": [_reference(name), {"type": "null"}]}
    if "enum" in node:
        return {**node, "enum": list(dict.fromkeys([*node["enum"], None]))} | _untyped(node)
    if "anyOf" in node:
        options = [_inner(option) for option in node["anyOf"] if option != {"type": "null"}]
        return {**node, "anyOf": [*options, {"type": "null"}]}
    return {**_inner(node), "type": [node["type"], "null"]}


def _untyped(node: Json) -> Json:
    return {"type": [node["type"], "null"]} if "type" in node else {}


def _inner(node: Json) -> Json:
    """*node* with the values of its mappings made lenient."""
    if "$ref" in node:
        return _reference(PREFIX + node["$ref"].rpartition("/")[2])
    changed = dict(node)
    if isinstance(node.get("additionalProperties"), dict):
        changed["additionalProperties"] = _lenient(node["additionalProperties"])
    if "patternProperties" in node:
        patterns = node["patternProperties"].items()
        changed["patternProperties"] = {key: _lenient(value) for key, value in patterns}
    return changed


def _with_shorthand(name: str, definition: Json) -> Json:
    shorthand = SHORTHANDS.get(name.removeprefix(PREFIX))
    if shorthand is None:
        return definition
    words = definition.get("description", "")
    return {"description": words, "anyOf": [shorthand(), definition]}


def _used(definitions: Mapping[str, Json], *roots: Json) -> Json:
    """Those of *definitions* that *roots* lead to."""
    used = {PREFIX + "System"}
    waiting: list[Any] = list(roots)
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name and name not in used:
                used.add(name)
                waiting.append(definitions[name])
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return {name: definitions[name] for name in sorted(used)}
