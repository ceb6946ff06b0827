"""`netnode compare`: what changes from A to B."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.inputs import output_options, read_result, read_scenario, run_options
from simulator.cli.output import emit_source, note
from simulator.cli.progress import progress

if TYPE_CHECKING:
    from simulator.analysis.results import ResultSet
    from simulator.scenario.schema import Scenario

RUNNING = ("replications", "seed", "jobs")
COMMAND_LINE = click.core.ParameterSource.COMMANDLINE


@click.command(short_help="Compare two scenarios or results: B minus A.")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@run_options
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    *,
    a: Path,
    b: Path,
    replications: int | None,
    seed: int | None,
    jobs: int,
    quiet: bool,
    everything: bool,
    as_json: bool,
    form: str,
) -> None:
    """Compare A with B, each a scenario file (which is run) or a result folder: B minus A.

    Variants are matched by name. Where both sides used the same random numbers (same seed and
    replications, horizon, warm-up and start) differences are paired, and their intervals narrow.

    \b
    netnode compare results/before results/after
    netnode compare before.yaml after.yaml -n 100
    """
    given = [f"--{name}" for name in RUNNING if ctx.get_parameter_source(name) == COMMAND_LINE]
    saved = [path for path in (a, b) if os.path.isdir(path)]
    if given and len(saved) == 2:
        raise click.UsageError(f"{', '.join(given)}: both are results, so nothing is run")
    sides = [_read(path, quiet=quiet) for path in (a, b)]
    if given and saved and not quiet:
        note(f"{', '.join(given)}: for the scenario only; {saved[0]} stays as it was run")
    options = {"replications": replications, "seed": seed, "jobs": jobs}
    from simulator.experiment.compare import compare

    with progress("comparing", quiet=quiet) as tell:
        found = compare(
            sides[0],
            sides[1],
            names=(str(a), str(b)),
            progress=tell,
            **({} if len(saved) == 2 else options),
        )
    emit_source(found, "json" if as_json else form, everything=everything)


def _read(path: Path, *, quiet: bool) -> Scenario | ResultSet:
    if os.path.isdir(path):
        return read_result(path)
    return read_scenario(path, quiet=quiet)
