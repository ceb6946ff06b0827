"""Plain tables of words, in every format that commands print."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.cli.output import emit, emit_json, rows


@dataclass(frozen=True)
class Sheet:
    """A table: a title, the names of its columns, and its lines of words."""

    title: str
    columns: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]


def emit_sheets(
    sheets: Sequence[Sheet], form: str, *, document: dict[str, Any], notes: Sequence[str] = ()
) -> None:
    """Print *sheets* and *notes* in one of FORMATS; JSON is *document*, CSV one table of all."""
    if form == "json":
        emit_json(document)
    elif form == "csv":
        emit(_csv(sheets))
    else:
        draw = _markdown if form == "md" else _text
        emit("\n".join([draw(sheet) for sheet in sheets if sheet.lines]))
        if notes:
            lead = "- " if form == "md" else ""
            emit("\n" + "".join(f"{lead}{note}\n" for note in notes))


def _text(sheet: Sheet) -> str:
    return f"{sheet.title}\n\n{rows([sheet.columns, *sheet.lines])}"


def _markdown(sheet: Sheet) -> str:
    lines = [sheet.columns, ("---",) * len(sheet.columns), *sheet.lines]
    words = ("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return f"**{sheet.title}**\n\n" + "\n".join(words) + "\n"


def _csv(sheets: Sequence[Sheet]) -> str:
    """One table: the columns of all sheets, and which sheet each line is of."""
    columns = list(dict.fromkeys(name for sheet in sheets for name in sheet.columns))
    text = io.StringIO()
    writer = csv.DictWriter(text, ["table", *columns], lineterminator="\n")
    writer.writeheader()
    for sheet in sheets:
        for line in sheet.lines:
            writer.writerow({"table": sheet.title, **dict(zip(sheet.columns, line, strict=True))})
    return text.getvalue()
