"""The command line: parse, call one public function, print.

Commands are loaded when they are asked for, and load what they need when they run, so that help
comes at once. Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TextIO, cast

import click

from simulator.cli.output import drop, note
from simulator.errors import NetnodeError, ScenarioError

COMMANDS = (
    "run", "check", "compare", "baseline", "rare", "validate", "init", "explain", "presets",
    "releases", "agents", "schema", "exact", "validate-model", "conformance", "import",
    "completion",
)  # fmt: skip
MODULES = {"import": "importing", "validate-model": "validate_model"}
"""The modules of commands whose own name is none of a module's."""
COMPLETION = "_NETNODE_COMPLETE"
USAGE, INTERNAL, OUTPUT, INTERRUPTED = 2, 70, 74, 130
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE, errno.EBADF)
HINT = "this is a fault of netnode, please report it; --verbose shows where it happened"


@dataclass
class Session:
    """What holds for one call of the command."""

    verbose: bool = False


def _be_verbose(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    session = ctx.find_object(Session)
    if value and session:
        session.verbose = True


VERBOSE = click.Option(
    ["-v", "--verbose"],
    is_flag=True,
    expose_value=False,
    callback=_be_verbose,
    help="Show the traceback of an internal error.",
)


class Closed(io.TextIOBase):
    """Stands for a standard output that was closed before we began: writing to it fails."""

    def write(self, text: str, /) -> int:
        """Fail."""
        raise OSError(errno.EBADF, "it is closed")


class Commands(click.Group):
    """The commands by name; each is the `command` of its own module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command *cmd_name*, from its module; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = MODULES.get(cmd_name, cmd_name)
        command: click.Command = import_module(f"simulator.cli.{module}").command
        if VERBOSE not in command.params:
            _name_variables(cmd_name, command)
            command.params.append(VERBOSE)
        return command


def _name_variables(name: str, command: click.Command) -> None:
    """Let each option be set by the environment under its long name, as help says."""
    for option in command.params:
        if isinstance(option, click.Option):
            long = max(option.opts, key=len).lstrip("-").replace("-", "_")
            option.envvar = f"NETNODE_{name.replace('-', '_')}_{long}".upper()


@click.group(
    cls=Commands,
    params=[VERBOSE],
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "NETNODE",
        "max_content_width": 100,
    },
    epilog="Exit codes: 0 done, 1 a check failed, 2 bad input, 3 undecided, 4 not in the result, "
    "70 internal error, 74 output not written, 130 interrupted. Every option can be set by the "
    "environment, as in NETNODE_RUN_JOBS=4.",
)
@click.version_option(package_name="netnode", message="%(prog)s %(version)s")
def netnode() -> None:
    """Simulate OpenStack network nodes: availability, blast radius and bandwidth, with intervals.

    Start with `netnode init`, then `netnode run scenario.yaml`.
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and "utf" not in (stream.encoding or "").lower():
            stream.reconfigure(errors="replace")
    if sys.stdout is None:
        sys.stdout = cast(TextIO, Closed())
    session = Session(verbose=os.environ.get("NETNODE_TRACEBACK", "") not in ("", "0"))
    try:
        code = _call(args, session)
        sys.stdout.flush()
    except BrokenPipeError:
        code = OUTPUT
    except OSError as error:
        if error.errno not in FULL:
            return _internal(error, session)
        _complain(f"cannot write to standard output: {error.strerror}")
        code = OUTPUT
    if code == OUTPUT:
        drop(sys.stdout)
    return code


def _call(args: Sequence[str] | None, session: Session) -> int:
    """Run the command; any error a user can meet becomes a line and a code."""
    try:
        returned: Any = netnode.main(
            args=args, prog_name="netnode", standalone_mode=False, obj=session
        )
    except click.ClickException as error:
        try:
            error.show()
        except OSError:
            drop(sys.stderr)
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted")
        return INTERRUPTED
    except ScenarioError as error:
        _complain_of_scenario(error)
        return error.exit_code
    except NetnodeError as error:
        if session.verbose and error.__cause__:
            _show_traceback(error)
        _complain(str(error))
        return error.exit_code
    except SystemExit as error:
        if COMPLETION in os.environ:
            return error.code if isinstance(error.code, int) else INTERNAL
        return OUTPUT  # click's answer to a closed pipe
    except OSError:
        raise
    except Exception as error:
        return _internal(error, session)
    return returned if isinstance(returned, int) else 0


def _show_traceback(error: Exception) -> None:
    note("".join(traceback.format_exception(error)).rstrip())


def _internal(error: Exception, session: Session) -> int:
    if session.verbose:
        _show_traceback(error)
    if isinstance(error, MemoryError):
        _complain("out of memory; fewer jobs (-j 1), replications or routers need less")
    else:
        what = str(error).strip().splitlines()
        name = type(error).__name__
        _complain(f"internal error: {name}{': ' + what[0] if what else ''}; {HINT}")
    return INTERNAL


def _complain(message: str) -> None:
    note(f"Error: {message}")


def _complain_of_scenario(error: ScenarioError) -> None:
    note(str(error))
    count = sum(not problem.warning for problem in error.problems)
    _complain(f"the scenario has {count} problem{'s' if count != 1 else ''}; nothing was run")
