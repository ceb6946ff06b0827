"""`netnode explain`: what a metric or a key of a scenario means."""

from __future__ import annotations

import difflib
import textwrap
from typing import TYPE_CHECKING

import click

from simulator.cli.output import emit, note, rows
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.scenario.keys import Key

WIDTH = 96


def _ids(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from simulator.analysis.metrics import METRICS
    from simulator.scenario.keys import key_paths

    return [name for name in (*METRICS, *key_paths()) if name.startswith(begun)]


@click.command(short_help="What a metric or a key of a scenario means.")
@click.argument("what", required=False, metavar="[ID]", shell_complete=_ids)
def command(*, what: str | None) -> None:
    """Explain ID: a metric such as router.availability, or a key such as neutron.agent_down_time.

    Without ID, list all metrics and their units.
    """
    from simulator.analysis.metrics import METRICS
    from simulator.metric_units import METRIC_UNITS

    if what is None:
        emit(rows([(name, metric.unit) for name, metric in METRICS.items()]))
        note("keys of scenarios are explained too: netnode explain neutron.agent_down_time")
    elif what in METRICS:
        metric = METRICS[what]
        emit(f"{what}\n\n{textwrap.fill(metric.definition, WIDTH)}\n\n")
        limit = METRIC_UNITS[what].words
        emit(rows([("unit", metric.unit), ("range", _range(metric.high)), ("limit", limit)]))
    else:
        _explain_key(what)


def _range(high: float | str | None) -> str:
    if high is None:
        return "0 or more"
    return f"from 0 to {'the length of the run' if high == 'window' else f'{high:g}'}"


def _explain_key(what: str) -> None:
    from simulator.analysis.metrics import METRICS
    from simulator.scenario.keys import key, key_paths

    found = key(what)
    if found is None:
        close = difflib.get_close_matches(what, [*METRICS, *key_paths()], n=1)
        hint = f"did you mean '{close[0]}'?" if close else "see `netnode explain`"
        raise InputError(f"neither a metric nor a key of a scenario: '{what}'; {hint}")
    emit(_described(found))


def _described(found: Key) -> str:
    blocks = [found.path, found.about]
    facts = [("allowed", found.allowed), ("default", found.default)]
    blocks.append(rows(facts).rstrip())
    if found.by_release:
        lines = [(value.owner, value.value, value.source) for value in found.by_release]
        blocks.append(rows(lines).rstrip())
    return "\n\n".join(blocks) + "\n"
