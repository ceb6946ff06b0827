"""`netnode schema`: the JSON Schema of scenario files."""

from __future__ import annotations

import click

from simulator.cli.output import emit_json


@click.command(short_help="Print the JSON Schema of scenario files, for editors.")
def command() -> None:
    """Print the JSON Schema (draft 7) of a scenario file.

    Editors with yaml-language-server read it through the first line of a scenario,
    `# yaml-language-server: $schema=scenario.schema.json`.

    \b
    netnode schema > scenario.schema.json
    """
    from simulator.scenario.json_schema import json_schema

    emit_json(json_schema())
