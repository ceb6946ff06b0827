"""What commands print, and where: results to standard output, notes to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

    from simulator.analysis.findings import Checked
    from simulator.analysis.report import Table
    from simulator.analysis.sections import Source

FORMATS = ("table", "json", "csv", "md")
CHECK_FORMATS = (*FORMATS, "junit", "github")
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def emit(text: str, *, color: bool | None = None) -> None:
    """Print a result."""
    click.echo(text, nl=False, color=color)


def emit_json(document: Any) -> None:
    """Print *document* as JSON."""
    emit(json.dumps(document, indent=2, allow_nan=False) + "\n")


def note(text: str) -> None:
    """Say something that is not a result; what cannot be said is no reason to stop."""
    try:
        click.echo(text, err=True)
    except OSError:
        drop(sys.stderr)


def drop(stream: TextIO) -> None:
    """Let what is left in *stream* go nowhere, quietly, when Python flushes it at its end."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
    except (AttributeError, OSError, ValueError):  # closed before, or not a real file
        return


def emit_source(
    source: Source, form: str, *, everything: bool = False, more: Mapping[str, object] | None = None
) -> None:
    """Print a result or comparison in one of FORMATS; *more* is added to JSON."""
    from simulator.analysis import report

    if form == "json":
        emit_json({**source.document(), **(more or {})})
    elif form == "csv":
        emit(report.csv(source))
    elif form == "md":
        emit(report.markdown(source, everything=everything))
    elif _decorated():
        _emit_rich(source, everything=everything)
    else:
        emit(report.text(source, everything=everything))


def emit_checked(checked: Checked, form: str) -> None:
    """Print findings in one of CHECK_FORMATS; github's also go into the summary of the step."""
    from simulator.analysis import findings, github, junit

    if form == "json":
        emit_json(checked.document())
    elif form == "csv":
        emit(findings.csv(checked))
    elif form == "md":
        emit(findings.markdown(checked))
    elif form == "junit":
        emit(junit.junit(checked))
    else:
        emit(findings.text(checked))
    if form == "github":
        emit(github.workflow_commands(checked))
        _summarise(checked)


def _summarise(checked: Checked) -> None:
    """Add *checked* to the summary of the step, where there is one."""
    from simulator.analysis.github import summary

    path = os.environ.get(STEP_SUMMARY)
    if not path:
        return
    try:
        with open(path, "ab") as file:
            file.write(summary(checked, file.tell()).encode())
    except OSError as error:
        note(f"no summary, for {path} cannot be written: {error.strerror}")


def rows(lines: Sequence[tuple[str, ...]], gap: str = "   ") -> str:
    """*lines* in aligned columns; the last column may be as long as it likes."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        gap.join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )


def _decorated() -> bool:
    """Whether standard output is a terminal that can show more than plain text."""
    if os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def _emit_rich(source: Source, *, everything: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from simulator.analysis.report import narrowed, report_of

    console = Console()
    found = report_of(source, everything=everything)
    with console.capture() as captured:
        console.print(Text(found.title, style="bold"))
        for table in found.tables:
            for block in narrowed(table, console.width):
                console.print()
                console.print(_rich_table(block, console))
        console.print()
        for line in found.notes:
            console.print(Text(line, style="dim"))
    emit(captured.get(), color=True)


def _rich_table(table: Table, console: Console) -> RichTable:
    from rich.table import Table as RichTable
    from rich.text import Text

    from simulator.analysis.report import aligned

    drawn = RichTable(title=table.title, title_justify="left", title_style="italic", box=None,
                      padding=(0, 2, 0, 0), pad_edge=False)  # fmt: skip
    drawn.add_column("", no_wrap=console.width > 60, overflow="fold")
    for head in table.columns:
        drawn.add_column(head, header_style="bold", no_wrap=console.width > 60, overflow="fold")
    columns = [aligned([row[i] for _, row in table.rows]) for i in range(len(table.columns))]
    for number, (label, row) in enumerate(table.rows):
        cells = []
        for cell, column in zip(row, columns, strict=True):
            words = Text(column[number])
            start = len(words) - len(str(cell)) + len(cell.value)
            words.stylize("dim", start, len(words) - cell.clear)
            if cell.clear:
                words.stylize("bold", 0, start)
                words.stylize("bold yellow", len(words) - 1)
            cells.append(words)
        drawn.add_row(Text(label, style="dim" if label.startswith(" ") else "cyan"), *cells)
    return drawn
