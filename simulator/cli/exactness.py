"""Simulated means beside exact ones: what `netnode run --check-exact` prints after its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.cli.output import emit, note
from simulator.cli.sheets import Sheet, emit_sheets

if TYPE_CHECKING:
    from simulator.analysis.results import ResultSet
    from simulator.exact.check import Comparison

BOUND = 4.0
"""Standard errors: a right model is further off once in 16,000 comparisons."""

COLUMNS = ("metric", "variant", "simulated", "exact", "z", "verdict", "why")


def judge(result: ResultSet, bound: float, form: str) -> int:
    """Print every comparison of *result* with exact answers; 1 if any is beyond *bound*.

    JSON and CSV of the result go to standard output alone; the comparison then goes to standard
    error, a line for each metric.
    """
    from simulator.analysis.verdicts import exit_code
    from simulator.exact.answers import answers
    from simulator.exact.check import comparisons, meaning

    exact = [answers(result.scenario, variant) for variant in result.variants]
    found = comparisons(result, exact, bound)
    findings = [one.finding(bound) for one in found]
    sheet = Sheet("Simulated beside exact", COLUMNS, [_line(one) for one in found])
    last = meaning(len(found), bound) if found else "no metric of this scenario has an exact answer"
    if form in ("json", "csv"):
        for finding in findings:
            note(f"{finding.verdict}: {finding.name}: {finding.found}")
        note(last)
    else:
        emit("\n")
        emit_sheets([sheet], form, document={}, notes=[last])
    return exit_code(findings, undecided="pass")


def _line(one: Comparison) -> tuple[str, ...]:
    z = "" if one.z is None else f"{one.z:+.2f}"
    simulated = f"{one.mean:.6g} ± {one.error:.2g}"
    return (
        one.metric, one.variant, simulated, f"{one.exact.value:.6g}", z, one.verdict.value, one.why
    )  # fmt: skip
