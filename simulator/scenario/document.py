"""YAML text to plain data that remembers where every key and value stood.

YAML 1.2 rules: `1e6` is a number, `1:30`, `on` and `010` hold no surprises, a duplicate key is
an error. Aliases are allowed, but not to blow a file up or to loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from simulator.errors import Problem

NODE_LIMIT = 100_000
DEPTH_LIMIT = 50
DIGIT_LIMIT = 40
MESSAGE_LIMIT = 600
TAG = "tag:yaml.org,2002:"
NOT_TEXT = {TAG + kind for kind in ("int", "float", "bool", "null")}


@dataclass(frozen=True)
class Mark:
    """A place in a file, and the dotted path of what stands there."""

    file: str
    line: int
    column: int
    path: str

    def problem(self, code: str, message: str, *, warning: bool = False) -> Problem:
        """A problem at this place."""
        path, message = one_line(self.path), one_line(message)
        return Problem(self.file, self.line, self.column, code, path, message, warning)


def one_line(text: str) -> str:
    """*text* fit for one line of a terminal: control characters escaped, and not too long."""
    text = text if len(text) <= MESSAGE_LIMIT else f"{text[:MESSAGE_LIMIT]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


Path: TypeAlias = tuple[str | int, ...]


class Mapping(dict[str, Any]):
    """A YAML mapping; *keys_at* and *values_at* hold the marks of each entry."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.keys_at: dict[str, Mark] = {}
        self.values_at: dict[str, Mark] = {}

    def put(self, key: str, value: Any, key_at: Mark, value_at: Mark) -> None:
        """Add or replace an entry with its marks."""
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


def nest(path: Iterable[str], value: Any, mark: Mark) -> Any:
    """Mappings one in another down *path*, with *value* at its end; all stand at *mark*."""
    for key in reversed(list(path)):
        outer = Mapping(mark)
        outer.put(key, value, mark, mark)
        value = outer
    return value


def without(data: Mapping, paths: Iterable[Path]) -> Mapping:
    """A copy of *data* that lacks what stands at *paths*; none of them leads through a list."""
    below: dict[str | int, list[Path]] = {}
    for path in paths:
        below.setdefault(path[0], []).append(path[1:])
    rest = Mapping(data.mark)
    for key, value in data.items():
        deeper = below.get(key, [])
        if () not in deeper:
            if deeper and isinstance(value, Mapping):
                value = without(value, deeper)
            rest.put(key, value, data.keys_at[key], data.values_at[key])
    return rest


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
    start = Mark(file, 1, 1, path)
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _Composer
    try:
        node = yaml.compose(text)
        if node is None:
            return None, [start.problem("empty", "the file is empty")]
        reader = _Reader(file)
        return reader.read(node, path), reader.problems
    except _TooLargeError as error:
        return None, [start.problem("too_large", str(error))]
    except MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        at = Mark(file, place.line + 1, place.column + 1, path) if place else start
        what = ", ".join(part for part in (error.context, error.problem) if part)
        if "found character '\\t'" in what:
            what = "a tab cannot indent or separate; use spaces"
        return None, [at.problem("yaml", what)]
    except ReaderError as error:
        before = text[: error.position]
        column = len(before) - (before.rfind("\n") + 1) + 1
        at = Mark(file, before.count("\n") + 1, column, path)
        why = f"character U+{ord(text[error.position]):04X} is not allowed; is this a text file?"
        return None, [at.problem("yaml", why)]
    except (YAMLError, ValueError) as error:
        return None, [start.problem("yaml", str(error) or "not YAML")]


class _TooLargeError(Exception):
    """More values than a scenario can need."""


class _Composer(Composer):
    """Stops at the first value or level too many, before they fill the memory or the stack."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False  # YAML allows an anchor to be given anew
        self._count = self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._count += 1
        if self._count > NODE_LIMIT:
            raise _TooLargeError(f"more than {NODE_LIMIT} values")
        if self._depth == DEPTH_LIMIT:
            mark = self.parser.peek_event().start_mark
            raise MarkedYAMLError(None, None, f"nested more than {DEPTH_LIMIT} levels deep", mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


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
            raise _TooLargeError(f"more than {NODE_LIMIT} values once aliases are written out")
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self._report(node, path, "yaml", "an alias that holds itself")
            return None
        if len(self._open) == DEPTH_LIMIT:
            self._report(node, path, "yaml", f"nested more than {DEPTH_LIMIT} levels deep")
            return None
        if str(node.tag) not in (TAG + "map", TAG + "seq"):
            self._report(node, path, "yaml", f"tag '{node.tag}' is not allowed")
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
            key = self._text(key_node, path)
            below = f"{path}.{key}" if path else key
            if str(key_node.tag) in NOT_TEXT:
                why = f"the key '{key}' is no text; put it in quotes"
                self._report(key_node, below, "name", why)
            if key in data:
                first = data.keys_at[key].line
                why = f"duplicate key '{key}', first given in line {first}"
                self._report(key_node, below, "duplicate_key", why)
                both = merge(self.read(value_node, below), data[key])  # so that both are checked
                if isinstance(both, Mapping):
                    data.put(key, both, data.keys_at[key], data.values_at[key])
                continue
            value = self.read(value_node, below)
            nothing = value is None and not value_node.value  # it would stand at the next word
            at = key_node if nothing else value_node
            data.put(key, value, self._mark(key_node, below), self._mark(at, below))
        return data

    def _sequence(self, node: SequenceNode, path: str) -> Sequence:
        data = Sequence(self._mark(node, path))
        for index, item in enumerate(node.value):
            below = f"{path}[{index}]"
            data.append(self.read(item, below))
            data.values_at.append(self._mark(item, below))
        return data

    def _scalar(self, node: ScalarNode, path: str) -> Any:
        tag, text = str(node.tag), self._text(node, path)
        try:
            if tag == TAG + "int" and len(text) <= DIGIT_LIMIT:
                return int(text.replace("_", ""), _base(text))
            if tag == TAG + "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            return text
        if tag == TAG + "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if tag == TAG + "null":
            return None
        if tag not in (TAG + "str", TAG + "timestamp", TAG + "bool", TAG + "int"):
            self._report(node, path, "yaml", f"tag '{tag}' is not allowed")
        return text

    def _text(self, node: ScalarNode, path: str) -> str:
        text = str(node.value)
        if text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text):
            return text
        self._report(node, path, "yaml", "half a surrogate pair is not a character")
        return text.encode("utf-8", "replace").decode("utf-8")

    def _mark(self, node: Node, path: str) -> Mark:
        return Mark(self.file, node.start_mark.line + 1, node.start_mark.column + 1, path)

    def _report(self, node: Node, path: str, code: str, why: str) -> None:
        self.problems.append(self._mark(node, path).problem(code, why))


def _base(text: str) -> int:
    digits = text.lstrip("+-")[:2].lower()
    return {"0x": 16, "0o": 8, "0b": 2}.get(digits, 10)
