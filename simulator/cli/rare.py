"""`netnode rare`: what hardly ever happens, with its relative error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.inputs import read_scenario, run_options
from simulator.cli.output import emit, emit_json, note, rows
from simulator.cli.progress import progress

if TYPE_CHECKING:
    from simulator.experiment.rare import Rare

UNDECIDED, INTERRUPTED = 3, 130
SHOWN = 4
"""Names of components that are listed."""


@click.command(short_help="Estimate what hardly ever happens, as all nodes down.")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.argument("metric", default="router.all_down_time")
@click.option("--variant", metavar="NAME", help="The variant, instead of the baseline.")
@click.option("--hold", multiple=True, metavar="PATTERN",
              help="Components to hold down, as in --hold 'network-*'; by default all that fail at "
              "random but compute hosts. Repeatable.")  # fmt: skip
@click.option("-S", "--set", "overrides", multiple=True, metavar="PATH=VALUE",
              help="Set a value, as in -S hosts.network.count=3. Repeatable.")  # fmt: skip
@run_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def command(
    *,
    scenario: Path,
    metric: str,
    variant: str | None,
    hold: tuple[str, ...],
    overrides: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    jobs: int,
    quiet: bool,
    as_json: bool,
) -> int:
    """Estimate METRIC (router.all_down_time) of SCENARIO where runs would hardly ever see it.

    In each replication some components are down at one random instant, and its value is weighted
    by how unlikely that is: the mean is that of natural runs, at any failure rates. Exit code 3
    where the estimate is not to be trusted; it says why.

    \b
    netnode rare scenarios/folsom-vs-grizzly.yaml --variant grizzly -n 2000
    netnode rare scenario.yaml router.all_down_probability --hold 'network-*'
    """
    loaded = read_scenario(scenario, overrides, quiet=quiet)
    from simulator.experiment.rare import rare

    with progress(loaded.name, quiet=quiet) as tell:
        found = rare(
            loaded,
            metric,
            variant=variant,
            hold=hold,
            replications=replications,
            seed=seed,
            jobs=jobs,
            progress=tell,
        )
    if as_json:
        emit_json(_document(found, loaded.window))
    else:
        _print(found, loaded.name, loaded.window)
    for doubt in found.estimate.doubts:
        note(f"not to be trusted: {doubt}")
    if found.partial:
        note(f"interrupted: {found.estimate.n} of {found.planned} replications had finished")
        return INTERRUPTED
    return UNDECIDED if found.estimate.doubts else 0


def _print(found: Rare, name: str, window: float) -> None:
    estimate = found.estimate
    low, high = estimate.interval
    unit = "" if estimate.unit == "1" else f" {estimate.unit}"
    lines = [("mean", f"{estimate.mean:.4g}{unit}  [{low:.4g}, {high:.4g}]")]
    if not estimate.hits:
        lines = [("mean", "not seen")]
    if estimate.unit == "s" and estimate.hits:
        lines.append(("share of time", f"{estimate.mean / window:.4g}"))
    lines += [
        *([("relative error", f"{estimate.relative_error:.2%}")] if estimate.hits else []),
        ("seen in", f"{estimate.hits:,} of {estimate.n:,} replications"),
        *([("natural runs for one", f"{estimate.gain:,.3g}")] if estimate.hits else []),
        ("held", _some(found.held)),
        *([("not held", _some(found.free))] if found.free else []),
    ]
    emit(f"{name}, {found.variant}: {found.metric}\n{rows(lines)}")


def _some(names: tuple[str, ...]) -> str:
    """The first names, and how many more."""
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def _document(found: Rare, window: float) -> dict[str, Any]:
    estimate = found.estimate
    low, high = estimate.interval
    seen = estimate.hits > 0
    return {
        "schema_version": 1,
        "metric": found.metric,
        "variant": found.variant,
        "unit": estimate.unit,
        "mean": estimate.mean,
        "ci_low": low,
        "ci_high": high if seen else None,
        "relative_error": estimate.relative_error if seen else None,
        "share_of_time": estimate.mean / window if estimate.unit == "s" else None,
        "replications": estimate.n,
        "partial": found.partial,
        "hits": estimate.hits,
        "largest_share": estimate.largest,
        "mean_weight": estimate.weight,
        "natural_replications_for_one": estimate.gain if seen else None,
        "held": list(found.held),
        "not_held": list(found.free),
        "trusted": not estimate.doubts,
        "doubts": estimate.doubts,
    }
