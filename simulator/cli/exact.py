"""`netnode exact`: what of a scenario has an exact answer, and what has not and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.inputs import read_scenario
from simulator.cli.output import FORMATS
from simulator.cli.sheets import Sheet, emit_sheets
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.exact.answer import Answer, Answers
    from simulator.scenario.schema import Scenario

COLUMNS = ("metric", "variant", "exact", "unit", "method", "source", "assumptions")
SHORT = COLUMNS[:-2]
"""What fits on a line; sources and assumptions of methods are listed below."""


@click.command(short_help="Exact answers: closed forms and Markov chains, without a run.")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("-S", "--set", "overrides", multiple=True, metavar="PATH=VALUE",
              help="Set a value of the scenario. Repeatable.")  # fmt: skip
@click.option("--variant", metavar="NAME", help="Only this variant.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True,
              help="How to print the answers.")  # fmt: skip
def command(*, scenario: Path, overrides: tuple[str, ...], variant: str | None, form: str) -> None:
    """Answer what SCENARIO's metrics are exactly, where they have a closed form or a Markov chain.

    An exact value is the mean that infinitely many replications would have, over the scenario's
    own window. Every metric is either answered or listed with the reason why not.

    \b
    netnode exact scenarios/folsom-l3-split.yaml
    netnode run scenarios/folsom-l3-split.yaml --check-exact
    """
    loaded = read_scenario(scenario, overrides)
    from simulator.exact.answers import answers

    found = [answers(loaded, name) for name in _chosen(loaded, variant)]
    sheets = _sheets(found)
    if form in ("table", "md"):
        sheets = [Sheet(s.title, SHORT if s.columns == COLUMNS else s.columns,
                        [line[: len(SHORT)] for line in s.lines]) for s in sheets]  # fmt: skip
    emit_sheets(sheets, form, document=_document(loaded, found), notes=_notes(found))


def _notes(found: list[Answers]) -> list[str]:
    """Each method with its source and what it takes for granted, once."""
    given = [x for one in found for x in (*one.parts.values(), *one.found.values())]
    lines = (f"{x.method}: {'; '.join((x.source, *x.assumptions))}" for x in given)
    return list(dict.fromkeys(lines))


def _chosen(scenario: Scenario, variant: str | None) -> list[str]:
    if variant is None:
        return list(scenario.variants)
    if variant not in scenario.variants:
        known = ", ".join(scenario.variants)
        raise InputError(f"no variant '{variant}' in this scenario; it has: {known}")
    return [variant]


def _sheets(found: list[Answers]) -> list[Sheet]:
    parts = [_line(name, a.variant, x, "1") for a in found for name, x in a.parts.items()]
    lines = [_line(name, a.variant, x, _unit(name)) for a in found for name, x in a.found.items()]
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in found:
        for metric, reason in one.refused.items():
            reasons.setdefault((metric, reason), []).append(one.variant)
    refused = [(metric, _variants(names, len(found)), why)
               for (metric, why), names in reasons.items()]  # fmt: skip
    return [
        Sheet("Components, in the long run", COLUMNS, parts),
        Sheet("Exact answers", COLUMNS, lines),
        Sheet("Not answered", ("metric", "variant", "reason"), refused),
    ]


def _variants(names: list[str], count: int) -> str:
    return "all" if len(names) == count > 1 else ", ".join(names)


def _line(name: str, variant: str, answer: Answer, unit: str) -> tuple[str, ...]:
    value = f"{answer.value:.10g}" if answer.exact else f"about {answer.value:.6g}"
    return (
        name, variant, value, unit, answer.method, answer.source, "; ".join(answer.assumptions)
    )  # fmt: skip


def _unit(metric: str) -> str:
    from simulator.analysis.metrics import METRICS

    return METRICS[metric].unit


def _document(scenario: Scenario, found: list[Answers]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "scenario": scenario.name,
        "variants": {
            one.variant: {
                "components": {name: _as_dict(answer) for name, answer in one.parts.items()},
                "answers": {name: _as_dict(answer) for name, answer in one.found.items()},
                "not_answered": one.refused,
            }
            for one in found
        },
    }


def _as_dict(answer: Answer) -> dict[str, object]:
    return {
        "value": answer.value,
        "exact": answer.exact,
        "method": answer.method,
        "source": answer.source,
        "assumptions": list(answer.assumptions),
    }
