"""What is wrong with data that does not fit the schema, in plain words and at its place.

Wrong parts are left out, so that what is right can still be checked for sense: a file's faults
of form and of sense are told in one go.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulator.errors import Problem
from simulator.scenario import document
from simulator.scenario.check_options import wrong_choice
from simulator.scenario.finding import Finding
from simulator.scenario.schema import Experiment, System

ROUNDS = 20
STAND_INS: Mapping[str, Mapping[str, object]] = {
    "hosts": {"kind": "network", "count": 1},
    "external_networks": {},
}
"""What a wrong entry of these mappings is taken for, so that its name still counts."""
ACT: Mapping[str, object] = {"at": 0, "op": "agent_stop", "agent": "*"}
"""What a wrong action is taken for."""

Valid = typing.TypeVar("Valid", bound=BaseModel)


@dataclass(frozen=True)
class Validated(Generic[Valid]):
    """An instance (None if too little was right), the problems, and the paths left out of it."""

    value: Valid | None
    problems: list[Problem]
    mended: frozenset[document.Path] = frozenset()


def validate(model: type[Valid], data: document.Mapping, folder: Path) -> Validated[Valid]:
    """*data* as a *model*; what is wrong in it is explained and left out."""
    problems: list[Problem] = []
    mended: set[document.Path] = set()
    rest: document.Mapping | None = data
    for attempt in range(ROUNDS):
        assert rest is not None
        try:
            value = model.model_validate(rest, context={"folder": folder})
        except ValidationError as error:
            details = error.errors()
        else:
            return Validated(value, problems, frozenset(mended))
        if attempt == 0:
            problems = [_explain(model, data, detail) for detail in details if _first(detail)]
        rest = _mend(rest, details, mended)
        if rest is None:
            break
    return Validated(None, problems, frozenset(mended))


def place(data: document.Mapping, finding: Finding) -> Problem:
    """A finding of the semantic checks, at its place in the file."""
    _, mark = document.find(data, finding.path, key=finding.at_key)
    mark = mark or data.mark
    last = finding.path[-1]
    if not mark.path.endswith(f"[{last}]" if isinstance(last, int) else last):
        mark = replace(mark, path=dotted(finding.path))  # it is a default, not in the file
    return mark.problem(finding.code, finding.message, warning=finding.warning)


def is_doubtful(finding: Finding, mended: Collection[document.Path]) -> bool:
    """Whether *finding* may come from the mending, not from the file."""
    if finding.code == "too_many":
        return False
    sections = {path[0] for path in mended if path[:1] != ("actions",) or len(path) == 1}
    if finding.warning and finding.path[0] in sections:
        return True
    if finding.path[0] == "until" and sections & {"until", "thresholds"}:
        return True
    if finding.path[0] == "actions" and sections & {"hosts", "workload"}:
        return True
    if finding.code in ("unknown_network", "ambiguous", "unreachable") and any(
        path == ("external_networks",) or path[-1] == "gateway_external_network_id"
        for path in mended
    ):
        return True
    if finding.code == "unreachable":
        return False
    if finding.code == "unknown_component":
        groups = [path[1] for path in mended if path[0] == "hosts" and len(path) > 1]
        return any(str(finding.path[-1]).startswith(f"{group}-") for group in groups)
    return any(
        path[: len(finding.path)] == finding.path or finding.path[: len(path)] == path
        for path in mended
    )


def dotted(path: Iterable[str | int]) -> str:
    """*path* as people write it: `actions[0].at`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).lstrip(".")


def nearest(word: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or what is allowed."""
    options = list(allowed)
    close = [option for option in options if sorted(option) == sorted(word)]  # `=>` for `>=`
    close = close or difflib.get_close_matches(word, options, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; allowed: {', '.join(options)}" if options else ""


def _mend(
    data: document.Mapping, details: Sequence[ErrorDetails], mended: set[document.Path]
) -> document.Mapping | None:
    """*data* without what *details* complain of; None if that is all of it."""
    lost: set[document.Path] = set()
    acts: set[int] = set()
    filled = document.Mapping(data.mark)
    for detail in details:
        path = _known(data, detail["loc"])
        if not path:
            return None
        if path == ("actions",) and len(detail["loc"]) > 1:
            index = int(detail["loc"][1])
            mended.add((*path, index))
            acts.add(index)
            continue
        mended.add(path)
        section, bad_name = str(path[0]), detail["loc"][-1] == "[key]"
        if len(path) == 2 and section in STAND_INS and not bad_name:
            entry = document.Mapping(data.mark)
            for key, value in STAND_INS[section].items():
                entry.put(key, value, data.mark, data.mark)
            if section not in filled:
                filled.put(section, document.Mapping(data.mark), data.mark, data.mark)
            filled[section].put(str(path[1]), entry, data.mark, data.mark)
            if detail["type"] == "missing":
                continue
        lost.add(path)
    if acts:
        at = data.keys_at["actions"]
        filled.put("actions", _acted(data["actions"], acts), at, data.values_at["actions"])
        data = document.without(data, [("actions",)])
    rest = document.merge(filled, document.without(data, lost))
    assert isinstance(rest, document.Mapping)
    return rest


def _acted(actions: document.Sequence, wrong: Collection[int]) -> document.Sequence:
    """*actions* with one that is always right in the place of each *wrong* one."""
    mended = document.Sequence(actions.mark)
    for index, action in enumerate(actions):
        at = actions.values_at[index]
        if index in wrong:
            action = document.Mapping(at)
            for key, value in ACT.items():
                action.put(key, value, at, at)
        mended.append(action)
        mended.values_at.append(at)
    return mended


def _known(data: Any, loc: Iterable[str | int]) -> document.Path:
    """The part of *loc* that is in *data*, up to the first list: a list is left out whole."""
    path: list[str | int] = []
    for step in loc:
        if isinstance(data, document.Mapping) and step in data:
            path.append(step)
            data = data[str(step)]
    return tuple(path)


def _first(detail: ErrorDetails) -> bool:
    """False for the second complaint of a union of a number and a mapping (`routers`)."""
    member = str(detail["loc"][-1]) if detail["loc"] else ""
    if member == "constrained-int":
        return not isinstance(detail["input"], document.Mapping)
    return not (member.startswith("dict[") and detail["type"] == "dict_type")


def _explain(model: type[BaseModel], data: document.Mapping, detail: ErrorDetails) -> Problem:
    """One pydantic error as a problem at its place, with what is allowed or nearest."""
    code, loc = detail["type"], detail["loc"]
    if code == "behaviour":
        finding = wrong_choice(str(data.get("release")), str(loc[-1]), detail["input"])
        assert finding
        return place(data, finding)
    at_key = code == "extra_forbidden" or (bool(loc) and loc[-1] == "[key]")
    _, mark = document.find(data, loc, key=at_key)
    mark = mark or data.mark
    if code == "extra_forbidden":
        key = str(loc[-1])
        allowed = _fields(model, data, loc[:-1])
        if mark.path == key and model is System:
            allowed += [*Experiment.model_fields, "variants", "matrix"]
        message = f"unknown key '{key}'{nearest(key, allowed)}"
    elif code == "missing":
        path = f"{mark.path}.{loc[-1]}" if mark.path else str(loc[-1])
        mark = replace(mark, path=path)
        message = f"'{loc[-1]}' is missing{_meant(data, loc)}"
    elif code in ("model_type", "dict_type", "model_attributes_type"):
        fields = _fields(model, data, loc) if code != "dict_type" else []
        message = _not_a_mapping(detail["input"], mark.path, fields)
    elif code in MESSAGES:
        message = MESSAGES[code](_shown(detail["input"]), detail.get("ctx", {}))
    else:
        message = detail["msg"]
    return mark.problem(code, message)


def _meant(data: document.Mapping, loc: Sequence[str | int]) -> str:
    """Of which group a new one without a kind may be a misspelling."""
    if len(loc) != 3 or (loc[0], loc[2]) != ("hosts", "kind"):
        return ""
    name = str(loc[1])
    others = [group for group in data["hosts"] if group != name]
    return f", and no group '{name}' has one{nearest(name, others)}" if others else ""


def _not_a_mapping(value: object, path: str, fields: Sequence[str]) -> str:
    keys = f"; its keys may be: {', '.join(fields)}" if fields else ""
    if value is not None:
        return f"{_shown(value)} is not a mapping{keys}"
    if path.startswith("variants."):
        return "null takes away what the base has, and the base has nothing here"
    return f"nothing stands here, but a mapping belongs here ({{}} is an empty one){keys}"


def _shown(value: object) -> str:
    """*value* in quotes, as a file has it."""
    if isinstance(value, bool):
        return f"'{str(value).lower()}'"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    return "null" if value is None else f"'{text if len(text) <= 60 else text[:60] + '…'}'"


def _whole_number(value: str, _: Mapping[str, Any]) -> str:
    return f"{value} is not a whole number such as 3"


def _number(value: str, _: Mapping[str, Any]) -> str:
    return f"{value} is not a number such as 0.7"


def _switch(value: str, _: Mapping[str, Any]) -> str:
    return f"{value} is neither true nor false"


def _list(value: str, _: Mapping[str, Any]) -> str:
    return f"{value} is not a list such as [a, b]"


def _literal(value: str, ctx: Mapping[str, Any]) -> str:
    options = re.findall(r"'([^']*)'", ctx["expected"])
    if not options:
        return f"{value} is not allowed; allowed: {ctx['expected']}"
    return f"{value} is not allowed{nearest(value.strip(chr(39)), options)}"


def _limit(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


MESSAGES: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "int_type": _whole_number,
    "int_parsing": _whole_number,
    "int_from_float": _whole_number,
    "float_type": _number,
    "float_parsing": _number,
    "finite_number": _number,
    "bool_type": _switch,
    "bool_parsing": _switch,
    "tuple_type": _list,
    "list_type": _list,
    "literal_error": _literal,
    "string_type": lambda value, _: f"{value} is not text; put it in quotes",
    "string_pattern_mismatch": lambda value, _: (
        f"{value} cannot be a name: use letters, digits and _ . -, 63 at most, "
        "a letter or digit first"
    ),
    "greater_than": lambda value, ctx: (
        f"{value} is too small: it must be more than {_limit(ctx['gt'])}"
    ),
    "greater_than_equal": lambda value, ctx: f"{value} is too small: at least {_limit(ctx['ge'])}",
    "less_than": lambda value, ctx: f"{value} is too large: less than {_limit(ctx['lt'])}",
    "less_than_equal": lambda value, ctx: f"{value} is too large: at most {_limit(ctx['le'])}",
}


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
