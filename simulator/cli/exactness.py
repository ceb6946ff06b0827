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
    from simulator.analysis.verdicts import Undecided
    from simulator.exact.check import Comparison
    from simulator.exact.twins import Corrected

BOUND = 4.0
"""Standard errors: a right model is further off once in 16,000 comparisons."""
HIGHEST = 7.0
"""Further off it is once in 400 billion; beyond, chances are too small to be told from none."""

CORRECTED = ("metric", "variant", "mean", "corrected", "variance")
COLUMNS = ("metric", "variant", "simulated", "exact", "z", "verdict", "why")


def judge(result: ResultSet, bound: float, form: str, undecided: Undecided) -> int:
    """Print every comparison of *result* with exact answers; the exit code.

    1 if any is beyond *bound*, 4 if no metric has an exact answer; 3 if none of those that have
    could be judged, or some are beyond it and only what is too rare to be seen may explain that, or
    what *undecided* makes of it. Others that could not be judged are no failure.

    JSON and CSV of the result go to standard output alone; the comparison then goes to standard
    error, a line for each metric.
    """
    from simulator.analysis.verdicts import EXIT_CODES, Verdict, exit_code
    from simulator.exact.answers import answers
    from simulator.exact.check import comparisons, meaning

    exact = [answers(result.scenario, variant) for variant in result.variants]
    found = comparisons(result, exact, bound)
    findings = [one.finding(bound) for one in found]
    sheet = Sheet("Simulated beside exact", COLUMNS, [_line(one) for one in found])
    judged = sum(finding.verdict != Verdict.UNDECIDED for finding in findings)
    if judged:
        last = meaning(judged, bound)
    else:
        last = "nothing could be judged" if found else "no metric here has an exact answer"
    if form in ("json", "csv"):
        for finding in findings:
            note(f"{finding.verdict}: {finding.name}: {finding.found}")
        note(last)
    else:
        emit("\n")
        emit_sheets([sheet], form, document={}, notes=[last])
    if not found:
        return EXIT_CODES[Verdict.MISSING]
    excused = any(one.is_excused(bound) for one in found)
    return exit_code(findings, undecided="pass" if judged and not excused else undecided)


def _line(one: Comparison) -> tuple[str, ...]:
    z = "" if one.z is None else f"{one.z:+.2f}"
    simulated = f"{one.mean:.6g} ± {one.error:.2g}"
    return (
        one.metric, one.variant, simulated, f"{one.exact.value:.6g}", z, one.verdict.value, one.why
    )  # fmt: skip


def document(found: list[Corrected]) -> dict[str, object]:
    """Means corrected by a control variate, for JSON."""
    return {
        "control_variate": [
            {
                "variant": one.variant, **({"minus": one.minus} if one.minus else {}),
                "metric": one.metric, **one.estimate.as_dict(), "factor": one.factor,
            }
            for one in found
        ]
    }  # fmt: skip


def print_corrected(result: ResultSet, found: list[Corrected], form: str) -> None:
    """Print means of *result* corrected by a control variate, and what that does to their variance.

    JSON has them inside; with CSV they go to standard error, a line for each metric.
    """
    from simulator.exact.twins import TWIN, hindrance

    lines = [_corrected(one) for one in found]
    title = f"Corrected by the exact mean of {TWIN} [95 % interval]"
    last = "variance: so many times smaller, for which it takes so many times the replications"
    if not lines:
        last = f"nothing is corrected: {hindrance(result)}"
    if form == "json":
        note(last)
    elif form == "csv":
        for line in lines:
            note(", ".join(filter(None, line)))
        note(last)
    else:
        notes = dict.fromkeys(one.estimate.note for one in found if one.estimate.note)
        emit("\n")
        emit_sheets([Sheet(title, CORRECTED, lines)], form, document={}, notes=[last, *notes])


def _corrected(one: Corrected) -> tuple[str, ...]:
    from simulator.analysis.notation import cells

    variant = f"{one.variant} - {one.minus}" if one.minus else one.variant
    both = cells(one.metric, [one.plain, one.estimate], signed=bool(one.minus))
    factor = f"{one.factor:.2g} x" if one.factor < 10_000 else "over 10,000 x"
    return one.metric, variant, *map(str, both), factor + " (harms)" * (one.factor < 1)
