"""YAML text to plain data that remembers where every key and value stood.

YAML 1.2 rules: `1e6` is a number, `1:30`, `on` and `010` hold no surprises, a duplicate key is
an error. Aliases are allowed, but not to blow a file up or to loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from simulator.errors import Problem

NODE_LIMIT = 100_000
TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Mark:
    """A place in a file, and the dotted path of what stands there."""

    file: str
    line: int
    column: int
    path: str

    def problem(self, code: str, message: str, *, warning: bool = False) -> Problem:
        return Problem(self.file, self.line, self.column, code, self.path, message, warning)


Path: TypeAlias = tuple[str | int, ...]


class Mapping(dict[str, Any]):
    """A YAML mapping; *keys_at* and *values_at* hold the marks of each entry."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.keys_at: dict[str, Mark] = {}
        self.values_at: dict[str, Mark] = {}

    def put(self, key: str, value: Any, key_at: Mark, value_at: Mark) -> None:
        self[key] = value
        self.keys_at[key], self.values_at[key] = key_at, value_at


class Sequence(list[Any]):
    """A YAML sequence; *values_at* holds the mark of each item."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.values_at: list[Mark] = []


def find(data: Any, path: Path, *, key: bool = False) -> tuple[Any, Mark | None]:
    """What stands at *path*, or at the longest part of it that exists, and its mark.

    Path elements that are not in the data (pydantic names union members so) are skipped.
    With *key*, the mark is that of the last key instead of its value.
    """
    mark = getattr(data, "mark", None)
    for step in path:
        if isinstance(data, Mapping) and step in data:
            marks = data.keys_at if key else data.values_at
            mark, data = marks[str(step)], data[str(step)]
        elif isinstance(data, Sequence) and isinstance(step, int) and step < len(data):
            mark, data = data.values_at[step], data[step]
    return data, mark


def merge(base: Any, over: Any) -> Any:
    """*base* with *over* on top: mappings merge, all else is replaced, null removes a key."""
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return over
    merged = Mapping(over.mark if not base else base.mark)
    for key, value in base.items():
        merged.put(key, value, base.keys_at[key], base.values_at[key])
    for key, value in over.items():
        if value is None and key in merged:
            del merged[key]
            continue
        value = merge(merged[key], value) if key in merged else value
        merged.put(key, value, over.keys_at[key], over.values_at[key])
    return merged


def parse(text: str, file: str, path: str = "") -> tuple[Any, list[Problem]]:
    """The data of one YAML document, and every problem of its form."""
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        line, column = (place.line + 1, place.column + 1) if place else (1, 1)
        what = " ".join(part for part in (error.context, error.problem) if part)
        if "found character '\\t'" in what:
            what = "a tab cannot indent or separate; use spaces"
        return None, [Problem(file, line, column, "yaml", path, what)]
    except (YAMLError, ValueError, RecursionError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else "nested too deeply"
        return None, [Problem(file, 1, 1, "yaml", path, first)]
    if node is None:
        return None, [Problem(file, 1, 1, "empty", path, "the file is empty")]
    reader = _Reader(file)
    try:
        data = reader.read(node, path)
    except _TooLarge:
        why = f"more than {NODE_LIMIT} values once aliases are written out"
        return None, [*reader.problems, Problem(file, 1, 1, "too_large", path, why)]
    except RecursionError:
        return None, [Problem(file, 1, 1, "yaml", path, "nested too deeply")]
    return data, reader.problems


class _TooLarge(Exception):
    pass


class _Reader:
    """Turns composed nodes into data, gathering problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._count = 0
        self._open: set[int] = set()

    def read(self, node: Node, path: str) -> Any:
        self._count += 1
        if self._count > NODE_LIMIT:
            raise _TooLarge
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self._report(node, path, "yaml", "an alias that holds itself")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, path)
            assert isinstance(node, SequenceNode)
            return self._sequence(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: str) -> Mapping:
        data = Mapping(self._mark(node, path))
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._report(key_node, path, "yaml", "a key must be a plain word")
                continue
            key = str(key_node.value)
            below = f"{path}.{key}" if path else key
            if key in data:
                first = data.keys_at[key].line
                why = f"duplicate key '{key}', first given in line {first}"
                self._report(key_node, below, "duplicate_key", why)
                continue
            value = self.read(value_node, below)
            data.put(key, value, self._mark(key_node, below), self._mark(value_node, below))
        return data

    def _sequence(self, node: SequenceNode, path: str) -> Sequence:
        data = Sequence(self._mark(node, path))
        for index, item in enumerate(node.value):
            below = f"{path}[{index}]"
            data.append(self.read(item, below))
            data.values_at.append(self._mark(item, below))
        return data

    def _scalar(self, node: ScalarNode, path: str) -> Any:
        tag, text = str(node.tag), str(node.value)
        try:
            if tag == TAG + "int":
                return int(text.replace("_", ""), _base(text))
            if tag == TAG + "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            return text
        if tag == TAG + "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if tag == TAG + "null":
            return None
        if tag not in (TAG + "str", TAG + "timestamp", TAG + "bool"):
            self._report(node, path, "yaml", f"tag '{tag}' is not allowed")
        return text

    def _mark(self, node: Node, path: str) -> Mark:
        return Mark(self.file, node.start_mark.line + 1, node.start_mark.column + 1, path)

    def _report(self, node: Node, path: str, code: str, why: str) -> None:
        self.problems.append(self._mark(node, path).problem(code, why))


def _base(text: str) -> int:
    digits = text.lstrip("+-")[:2].lower()
    return {"0x": 16, "0o": 8, "0b": 2}.get(digits, 10)
