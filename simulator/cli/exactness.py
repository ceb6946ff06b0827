"""What exact values are good for: what `netnode run` prints after its result, if asked to.

`--check-exact`: simulated means beside exact ones. `--control-variate`: means corrected by what is
known exactly of the same replications.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.cli.output import emit, note
from simulator.cli.sheets import Sheet, emit_sheets

if TYPE_CHECKING:
    from simulator.analysis.results import ResultSet
    from simulator.exact.check import Comparison
    from simulator.exact.twins import Corrected

BOUND = 4.0
"""Standard errors: a right model is further off once in 16,000 comparisons."""

CORRECTED = ("metric", "variant", "mean", "corrected", "variance")
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


def correct(result: ResultSet, form: str) -> None:
    """Print *result*'s means corrected by a control variate, and what that does to variances.

    As above, on standard error for JSON and CSV.
    """
    from simulator.exact.twins import TWIN, control_variate

    lines = [_corrected(one) for one in control_variate(result)]
    title = f"Corrected by the exact mean of {TWIN} [95 % interval]"
    last = "variance: so many times smaller, for which it takes so many times the replications"
    if not lines:
        last = f"nothing is corrected: {TWIN} has no exact mean here, or too few saw it vary"
    if form in ("json", "csv"):
        for line in lines:
            note(", ".join(filter(None, line)))
        note(last)
    else:
        emit("\n")
        emit_sheets([Sheet(title, CORRECTED, lines)], form, document={}, notes=[last])


def _corrected(one: Corrected) -> tuple[str, ...]:
    from simulator.analysis.notation import cells

    variant = f"{one.variant} - {one.minus}" if one.minus else one.variant
    both = cells(one.metric, [one.plain, one.estimate], signed=bool(one.minus))
    return one.metric, variant, *map(str, both), f"{one.factor:.2g} x"
