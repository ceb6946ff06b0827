"""Findings for GitHub Actions: annotations of a step's log, and its summary, within their limits.

A step may make 10 annotations of each kind, of which any more are dropped, and a summary of 1 MiB,
which is dropped whole if it is larger.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from simulator.analysis.findings import Checked, markdown
from simulator.analysis.verdicts import EXIT_CODES, Finding, Verdict

KINDS: Mapping[Verdict, str] = {
    Verdict.FAIL: "error",
    Verdict.MISSING: "error",
    Verdict.UNDECIDED: "warning",
    Verdict.NOT_COMPARABLE: "notice",
}
"""The kind of annotation that a finding makes; one that passed makes none."""
ANNOTATION_LIMIT = 10
SUMMARY_LIMIT = 1024 * 1024
MARGIN = 16 * 1024
"""Left of the summary's limit for what else a step may write, and for the line that says more."""


def workflow_commands(checked: Checked) -> str:
    """A workflow command for each finding that did not pass, the worst first."""
    lines: list[str] = []
    for kind in dict.fromkeys(KINDS.values()):
        mine = [one for one in checked.findings if KINDS.get(checked.counts_as(one)) == kind]
        lines += _of_kind(kind, sorted(mine, key=_rank))
    return "".join(f"{line}\n" for line in lines)


def summary(checked: Checked, written: int = 0) -> str:
    """The findings in Markdown, the worst first.

    They are cut at a line where there is no room left in a step that has written so many bytes.
    """
    room = SUMMARY_LIMIT - MARGIN - written
    worst_first = replace(checked, findings=tuple(sorted(checked.findings, key=_rank)))
    lines = markdown(worst_first).splitlines(keepends=True)
    kept = 0
    for line in lines:
        room -= len(line.encode())
        if room < 0:
            break
        kept += 1
    if kept < len(lines):
        lines[kept:] = [f"\nCut here: {len(lines) - kept} more lines do not fit.\n"]
    return "".join(lines)


def _of_kind(kind: str, findings: Sequence[Finding]) -> list[str]:
    if len(findings) <= ANNOTATION_LIMIT:
        return [_command(kind, finding) for finding in findings]
    shown = ANNOTATION_LIMIT - 1
    more = f"and {len(findings) - shown} more; the log has all of them"
    return [*(_command(kind, finding) for finding in findings[:shown]), f"::{kind}::{more}"]


def _command(kind: str, finding: Finding) -> str:
    file, _, line = finding.place.rpartition(":")
    given = {"file": file, "line": line if file else "", "title": finding.name}
    properties = ",".join(f"{key}={_property(value)}" for key, value in given.items() if value)
    return f"::{kind} {properties}::{_data(f'{finding.verdict}: {finding.found}')}"


def _data(words: str) -> str:
    return words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(words: str) -> str:
    return _data(words).replace(":", "%3A").replace(",", "%2C")


def _rank(finding: Finding) -> tuple[int, float]:
    """By verdict, then by how far off the limit: the worst has the least."""
    worst = list(EXIT_CODES)
    return worst.index(finding.verdict) if finding.verdict in worst else len(worst), -_off(finding)


def _off(finding: Finding) -> float:
    """How many times the half width of its interval a value is off its limit."""
    value, limit, low, high = map(finding.numbers.get, ("value", "limit", "ci_low", "ci_high"))
    if value is None or limit is None:
        return 0.0
    half = (high - low) / 2 if low is not None and high is not None else 0.0
    return abs(value - limit) / half if half else math.inf
