"""`netnode compare`: what changes from A to B."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.inputs import output_options, read_result, read_scenario, run_options
from simulator.cli.output import emit_source
from simulator.cli.progress import progress

if TYPE_CHECKING:
    from simulator.analysis.results import ResultSet
    from simulator.scenario.schema import Scenario


@click.command(short_help="Compare two scenarios or results: B minus A.")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@run_options
@output_options
def command(
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
    sides = [_read(path, quiet=quiet) for path in (a, b)]
    from simulator.experiment.compare import compare

    with progress("comparing", quiet=quiet) as tell:
        found = compare(
            sides[0],
            sides[1],
            names=(str(a), str(b)),
            replications=replications,
            seed=seed,
            jobs=jobs,
            progress=tell,
        )
    emit_source(found, "json" if as_json else form, everything=everything)


def _read(path: Path, *, quiet: bool) -> Scenario | ResultSet:
    if os.path.isdir(path):
        return read_result(path)
    return read_scenario(path, quiet=quiet)
