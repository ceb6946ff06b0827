"""`netnode agents`: the agent list of one instant."""

from __future__ import annotations

from pathlib import Path

import click

from simulator import units
from simulator.cli.inputs import read_result
from simulator.cli.output import emit, note


def _seconds(_: click.Context, __: click.Parameter, value: str) -> float:
    try:
        return units.duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(short_help="The agent list of one instant, as the client prints it.")
@click.argument("result", type=click.Path(path_type=Path))
@click.option("--at", callback=_seconds, required=True, metavar="TIME",
              help="Simulated time, such as 10d.")  # fmt: skip
@click.option("--variant", metavar="V", help="Variant; needed if several have agents to list.")
@click.option("--json", "as_json", is_flag=True, help="As the client's -f json.")
def command(*, result: Path, at: float, variant: str | None, as_json: bool) -> None:
    """List the agents of RESULT, a folder that `netnode run` wrote, as known to the server then.

    `openstack network agent list` would have printed this table at that instant of the
    replication whose trace was kept.
    """
    found = read_result(result)
    from simulator.analysis.agents import agent_list, as_json_text, table

    agents = agent_list(found, at, variant)
    emit(as_json_text(agents) if as_json else table(agents))
    note(f"replication {found.trace_replication}, {units.format_duration(at)} after its start")
