"""Findings as people and programs read them: text, Markdown, CSV and JSON.

For CI services' own forms see `junit` and `github`.
"""

from __future__ import annotations

import csv as csv_module
import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from simulator.analysis.verdicts import Finding, Undecided, Verdict, exit_code
from simulator.scenario.document import one_line
from simulator.scenario.load import resolved_yaml

if TYPE_CHECKING:
    from simulator.analysis.results import ResultSet

SCHEMA_VERSION = 1
NUMBERS = ("value", "ci_low", "ci_high", "limit", "n")
COLUMNS = ("verdict", "name", "variant", "metric", *NUMBERS, "found", "place")


@dataclass(frozen=True)
class Checked:
    """Findings, and the result they are of: its scenario and that one's SHA-256, seed, size.

    *undecided* is what an undecided finding counts as.
    """

    findings: tuple[Finding, ...]
    scenario: str
    sha256: str
    seed: int
    replications: int
    undecided: Undecided = "undecided"

    @property
    def exit_code(self) -> int:
        """The code that the worst finding leaves."""
        return exit_code(self.findings, self.undecided)

    @property
    def title(self) -> str:
        """How many findings there are of each verdict, in a line."""
        counts = Counter(finding.verdict for finding in self.findings)
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
        return f"{self.scenario}, checked: {told}"

    def counts_as(self, finding: Finding) -> Verdict:
        """The verdict of *finding*, where undecided ones pass or fail their last one."""
        if finding.verdict is Verdict.UNDECIDED:
            return Verdict(self.undecided)
        return finding.verdict

    def origin(self) -> dict[str, str | int]:
        """Where the findings come from."""
        return {
            "netnode": version("netnode"),
            "scenario": self.scenario,
            "scenario_sha256": self.sha256,
            "seed": self.seed,
            "replications": self.replications,
        }

    def document(self) -> dict[str, Any]:
        """Everything as one document."""
        return {
            "schema_version": SCHEMA_VERSION,
            **self.origin(),
            "undecided": self.undecided,
            "exit_code": self.exit_code,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def checked_of(
    result: ResultSet, findings: Sequence[Finding], undecided: Undecided = "undecided"
) -> Checked:
    """*findings* of *result*."""
    scenario = result.scenario
    sha256 = hashlib.sha256(resolved_yaml(scenario).encode()).hexdigest()
    count = len(result.replications)
    return Checked(tuple(findings), scenario.name, sha256, scenario.seed, count, undecided)


def text(checked: Checked) -> str:
    """A line a finding, in aligned columns, below a title."""
    rows = [
        (one.verdict.upper(), one_line(one.name), one_line(one.found)) for one in checked.findings
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:2]
    lines = (f"{v:<{widths[0]}}  {name:<{widths[1]}}  {found}" for v, name, found in rows)
    return "\n".join([checked.title, "", *lines]) + "\n"


def markdown(checked: Checked) -> str:
    """A table with a row a finding, below a title."""
    lines = [f"**{marked(checked.title)}**", "", "| verdict | asked | found |", "|---|---|---|"]
    for one in checked.findings:
        cells = (f"**{one.verdict}**", marked(one.name), marked(one.found))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def marked(words: str) -> str:
    """*words* in one line in which Markdown and HTML find nothing to format."""
    plain = "".join(f"\\{sign}" if sign in "\\`*_[]<>|#~$@&" else sign for sign in words)
    return "<br>".join(plain.splitlines())


def csv(checked: Checked) -> str:
    """A row a finding, numbers in full."""
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in checked.findings:
        row = {"verdict": one.verdict, **{c: getattr(one, c, "") for c in COLUMNS}, **one.numbers}
        writer.writerow([row[column] for column in COLUMNS])
    return out.getvalue()
