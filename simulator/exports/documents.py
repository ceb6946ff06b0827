"""Files of exports as data: JSON, CSV and tables, told apart by what is in them."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.exports.faults import Fault, shown

EXPECTED = (".json", ".csv")
"""Files of these names must be what they are called; others may hold anything else."""
RULE = re.compile(r"\+(-+\+)+")


@dataclass(frozen=True)
class Document:
    """What one file holds. *form*: `json`, `csv`, `table`, or `text` for anything else.

    *value*: the JSON, or the rows of a table as mappings from column to text, or the text.
    *columns* and *lines*: of a CSV file or a table of rows, its head and where each row stands.
    """

    file: Path
    form: str
    value: Any
    columns: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()


class FormError(Exception):
    """A file is not what it looks like: *place* in it, and why."""

    def __init__(self, place: str, why: str):
        self.place, self.why = place, why


def read_document(file: Path) -> Document | Fault:
    """The data of *file*, or what is wrong with it."""
    try:
        content = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return Fault(str(file), "", error.strerror or "it cannot be read")
    except UnicodeDecodeError as error:
        if file.suffix in EXPECTED:
            return Fault(str(file), f"byte {error.start}", "UTF-8 is wanted")
        return Document(file, "text", "")
    try:
        return _parsed(file, content)
    except FormError as error:
        return Fault(str(file), error.place, error.why)


def _parsed(file: Path, content: str) -> Document:
    start = content.lstrip()[:1]
    if start in ("{", "["):
        return Document(file, "json", _json(content))
    if content.startswith("+-"):
        return _table(file, content)
    head = next(iter(content.splitlines()), "")
    if re.search(r'(^|,)"?(ID|id)"?(,|$)', head) and "," in head:
        return _csv(file, content)
    if file.suffix in EXPECTED:
        kind = file.suffix[1:].upper()
        raise FormError("line 1", f"{kind} as the client writes it is wanted, not {shown(head)}")
    return Document(file, "text", content)


def _json(content: str) -> Any:
    try:
        return json.loads(content, object_pairs_hook=_without_doubles, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise FormError(place, f"not JSON: {error.msg}") from None
    except RecursionError:
        raise FormError("", "not an export: nested too deep") from None
    except ValueError as error:
        raise FormError("", f"not JSON: {error}") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, of which no key may stand twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {shown(key)} stands twice")
        found[key] = value
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _csv(file: Path, content: str) -> Document:
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    try:
        head = next(reader)
        _check_head(head, 1)
        for row in reader:
            if not row:
                continue
            if len(row) != len(head):
                place = f"line {reader.line_num}"
                raise FormError(place, f"{len(head)} columns are wanted, not {len(row)}")
            rows.append(dict(zip(head, row, strict=True)))
            lines.append(reader.line_num)
    except csv.Error as error:
        raise FormError(f"line {reader.line_num}", f"not CSV: {error}") from None
    return Document(file, "csv", rows, tuple(head), tuple(lines))


def _check_head(head: list[str], line: int) -> None:
    double = next((name for name in head if head.count(name) > 1), None)
    if double is not None:
        raise FormError(f"line {line}", f"the column {shown(double)} stands twice")


def _table(file: Path, content: str) -> Document:
    """A table of the client; one of Field and Value (its `show`) becomes a mapping."""
    lines = content.rstrip().split("\n")
    rule = lines[0].rstrip()
    if not RULE.fullmatch(rule):
        raise FormError("line 1", f"the rule of a table is wanted, not {shown(rule)}")
    if len(lines) < 4 or lines[2].rstrip() != rule or lines[-1].rstrip() != rule:
        raise FormError(f"line {len(lines)}", "the table does not end, or has no head")
    head = _cells(lines[1], 2, rule)
    _check_head(head, 2)
    numbers = range(4, len(lines))
    cells = [_cells(lines[number - 1], number, rule) for number in numbers]
    if head == ["Field", "Value"]:
        return Document(file, "table", _fields(cells))
    for number, row in zip(numbers, cells, strict=True):
        if not row[0]:
            why = "a row goes on here; print the table in full width, or better as -f json"
            raise FormError(f"line {number}", why)
    rows = [dict(zip(head, row, strict=True)) for row in cells]
    return Document(file, "table", rows, tuple(head), tuple(numbers))


def _cells(line: str, number: int, rule: str) -> list[str]:
    """The cells of a line; wide letters may shift its bars, so that they are no measure."""
    found = line.rstrip().split(" | ")
    wanted = rule.count("+") - 1
    if not (line.startswith("|") and line.rstrip().endswith("|")) or len(found) != wanted:
        raise FormError(f"line {number}", f"a row of {wanted} cells is wanted, not {shown(line)}")
    found[0], found[-1] = found[0][1:], found[-1].rstrip("|")
    return [cell.strip() for cell in found]


def _fields(cells: list[list[str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for name, value in cells:
        last = name or last
        found[last] = f"{found[last]} {value}" if last in found else value
    return found
