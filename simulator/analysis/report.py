"""Results as tables: for terminals and pipes, Markdown, CSV and notebooks.

A report has metrics as rows and variants as columns, then the differences. Rows that say nothing
(undefined everywhere, or the same everywhere) are left out unless asked for, and counted.
"""

from __future__ import annotations

import csv as csv_module
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

from simulator.analysis.notation import DOWNTIME_A_YEAR, Cell, cells, downtime_cells
from simulator.analysis.sections import (
    Section,
    Source,
    entries_of,
    notes_of,
    sections_of,
    title_of,
)
from simulator.analysis.statistics import COLUMNS, DOUBTFUL, ONE, SOUND, Estimate

COLUMN_GAP = "  "
SECOND_LINE = "  as downtime"
CLEAR = "* the 95 % interval of the difference leaves zero out"


@dataclass(frozen=True)
class Table:
    """A section in words. A row is its label and a cell a column."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, list[Cell]]]


@dataclass
class Report:
    """Everything to be shown: a title, tables, and notes, some of them numbered."""

    title: str
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


def text(source: Source, *, width: int | None = None, everything: bool = False) -> str:
    """*source* in aligned columns; tables wider than *width* go in blocks below one another."""
    report = report_of(source, everything=everything)
    blocks = [report.title]
    blocks += ["\n".join(_lines(t)) for table in report.tables for t in narrowed(table, width)]
    return "\n\n".join([*blocks, "\n".join(report.notes)]).rstrip() + "\n"


def markdown(source: Source, *, everything: bool = False) -> str:
    """*source* as Markdown tables."""
    report = report_of(source, everything=everything)
    blocks = [f"**{_marked(report.title)}**"]
    for table in report.tables:
        rows = [("", *table.columns), ("---",) * (len(table.columns) + 1)]
        rows += [(f"`{label}`" if label[0] != " " else label.strip(), *map(str, row))
                 for label, row in table.rows]  # fmt: skip
        lines = ("| " + " | ".join(_marked(cell) for cell in row) + " |" for row in rows)
        blocks.append("\n".join([_marked(table.title), "", *lines]))
    blocks.append("\n".join(f"- {_marked(note)}" for note in report.notes))
    return "\n\n".join(blocks).rstrip() + "\n"


def html(source: Source, *, everything: bool = False) -> str:
    """*source* as HTML tables, for notebooks."""
    report = report_of(source, everything=everything)
    parts = [f"<p><b>{escape(report.title)}</b></p>"]
    for table in report.tables:
        head = "".join(f"<th style='text-align:left'>{escape(c)}</th>" for c in table.columns)
        parts.append(f"<table><caption>{escape(table.title)}</caption><tr><th></th>{head}</tr>")
        for label, row in table.rows:
            data = "".join(f"<td style='text-align:left'>{escape(str(cell))}</td>" for cell in row)
            indent = "padding-left:2em;" if label.startswith(" ") else ""
            name = f"<th style='{indent}text-align:left'>{escape(label.strip())}</th>"
            parts.append(f"<tr>{name}{data}</tr>")
        parts.append("</table>")
    parts += [f"<div>{escape(note)}</div>" for note in report.notes]
    return "\n".join(parts)


def csv(source: Source) -> str:
    """Every estimate in full, one a line; *minus* names what a difference was taken to."""
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow(("variant", "minus", "metric", *COLUMNS))
    for entry in entries_of(source):
        numbers = entry.estimate.columns().values()
        writer.writerow((entry.variant, entry.minus, entry.metric, *numbers))
    return out.getvalue()


def report_of(source: Source, *, everything: bool = False) -> Report:
    """The report of a result or comparison; *everything*: with the rows that say nothing."""
    report = Report(title_of(source), notes=notes_of(source))
    remarks: dict[str, int] = {}
    for section in sections_of(source):
        silent = [] if everything else [m for m, row in section.rows.items() if _is_silent(m, row)]
        report.tables.append(_table(section, silent, remarks))
        report.silent = report.silent if section.signed else silent
        estimates = [estimate for row in section.rows.values() for estimate in row]
        if not section.signed and any(estimate.note == ONE for estimate in estimates):
            report.notes.append(f"{ONE}, and a 0 no bound: it was not seen this once")
        most = max((e.n for e in estimates), default=0)  # others say in how few they are defined
        if not section.signed and most < SOUND and any(e.doubtful for e in estimates):
            report.notes.append(DOUBTFUL)
    report.notes += _notes(report, remarks)
    return report


def narrowed(table: Table, width: int | None) -> Iterator[Table]:
    """*table*, or tables with some of its columns each that fit into *width*."""
    widths = [len(line) for line in _columns(table)]
    label = max((len(name) for name, _ in table.rows), default=0)
    first = 0
    while first < len(table.columns):
        last, used = first + 1, label + len(COLUMN_GAP) + widths[first]
        while last < len(widths) and width and used + len(COLUMN_GAP) + widths[last] <= width:
            used += len(COLUMN_GAP) + widths[last]
            last += 1
        last = last if width else len(widths)
        rows = [(name, row[first:last]) for name, row in table.rows]
        yield Table(table.title, table.columns[first:last], rows)
        first = last


def aligned(row_cells: list[Cell]) -> list[str]:
    """The cells of one column, means flush right and intervals below one another."""
    width = max((len(cell.value) for cell in row_cells), default=0)
    lines = []
    for cell in row_cells:
        rest = str(cell)[len(cell.value) :]
        lines.append(f"{cell.value:>{width}}{rest}")
    return lines


# -- words -----------------------------------------------------------------------------------


def _table(section: Section, silent: Collection[str], remarks: dict[str, int]) -> Table:
    """All rows but the *silent*; what is to be remarked gets a number in *remarks*."""
    most = [max(e.n for e in column) for column in zip(*section.rows.values(), strict=True)]
    rows = []
    for metric, estimates in section.rows.items():
        if metric in silent:
            continue
        found = cells(metric, estimates, signed=section.signed)
        rows.append((metric, [
            _remarked(cell, estimate, n, remarks)
            for cell, estimate, n in zip(found, estimates, most, strict=True)
        ]))  # fmt: skip
        if metric in DOWNTIME_A_YEAR and any(estimate.mean is not None for estimate in estimates):
            rows.append((SECOND_LINE, downtime_cells(estimates, signed=section.signed)))
    return Table(section.title, section.columns, rows)


def _remarked(cell: Cell, estimate: Estimate, most: int, remarks: dict[str, int]) -> Cell:
    """*cell* with the number of its remark, if it needs one."""
    remark = cell.remark
    if estimate.mean is not None and estimate.n < most:
        remark = f"defined in {estimate.n} of {most} replications only"
    if not remark:
        return cell
    mark = f"({remarks.setdefault(remark, len(remarks) + 1)})"
    interval = f"{cell.interval} {mark}".strip()
    return Cell(cell.value, interval, remark, cell.clear)


def _notes(report: Report, remarks: Mapping[str, int]) -> list[str]:
    every = [cell for table in report.tables for _, row in table.rows for cell in row]
    notes = [f"({number}) {remark}" for remark, number in remarks.items()]
    if any(cell.clear for cell in every):
        notes.append(CLEAR)
    if any(cell.interval.startswith("(at ") for cell in every):
        notes.append(
            "(at most, at least): the same in all replications; bound by the rule of three"
        )
    if any(cell.interval.startswith("(in at most") for cell in every):
        notes.append("(in at most): 0 in all replications; in so many of them it may differ")
    if report.silent:
        why = "undefined, or 0 in all replications, and left out (--all shows them)"
        notes.append(f"{len(report.silent)} metrics are {why}: {', '.join(report.silent)}")
    return notes


def _is_silent(metric: str, row: list[Estimate]) -> bool:
    """Whether *row* tells nothing: what never happened anywhere, or is not defined."""
    tells = "availability" in metric or metric.startswith("load.")
    zero = not tells and all(e.mean is None or (e.mean == 0 and e.unseen) for e in row)
    return zero or all(e.mean is None for e in row)


def _columns(table: Table) -> list[str]:
    """One line as wide as each column."""
    return [
        max([head, *aligned([row[i] for _, row in table.rows])], key=len)
        for i, head in enumerate(table.columns)
    ]


def _lines(table: Table) -> Iterator[str]:
    """*table* in aligned columns."""
    labels = [label for label, _ in table.rows]
    stub = max(map(len, ["", *labels]))
    columns = [
        [head, *aligned([row[i] for _, row in table.rows])]
        for i, head in enumerate(table.columns)
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in columns]
    yield table.title
    for number, label in enumerate(["", *labels]):
        line = [f"{label:<{stub}}"]
        line += [f"{c[number]:<{w}}" for c, w in zip(columns, widths, strict=True)]
        yield COLUMN_GAP.join(line).rstrip()


def _marked(words: str) -> str:
    """*words* with what Markdown would take for its own made plain."""
    return words.replace("|", "\\|").replace("*", "\\*").replace("\n", "<br>")
