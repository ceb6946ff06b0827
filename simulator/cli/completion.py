"""`netnode completion`: the script that lets a shell complete commands and options."""

from __future__ import annotations

import click

from simulator.cli import COMPLETION
from simulator.cli.output import emit

SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, *, shell: str) -> None:
    """Print the script that lets SHELL complete netnode's commands and options.

    \b
    bash: netnode completion bash > ~/.local/share/bash-completion/completions/netnode
    zsh:  netnode completion zsh > a folder of $fpath, as _netnode
    fish: netnode completion fish > ~/.config/fish/completions/netnode.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    emit(kind(ctx.find_root().command, {}, "netnode", COMPLETION).source() + "\n")
