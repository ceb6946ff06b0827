"""`netnode init`: begin a scenario."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.output import note


@click.command(short_help="Write a commented scenario to start from.")
@click.argument("name", default="scenario")
@click.option("--preset", metavar="P", help="Set of failure rates; see `netnode presets`.")
def command(*, name: str, preset: str | None) -> None:
    """Write a commented scenario to the new file NAME.yaml, ready to run and to be edited."""
    from simulator.scenario.starter import PRESET, SCHEMA_FILE, write_starter

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    write_starter(path, preset or PRESET)
    note(f"written: {path}; next: netnode run {path}")
    schema = path.parent / SCHEMA_FILE
    if not schema.exists():
        note(f"for completion in editors: netnode schema > {schema}")
