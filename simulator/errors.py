"""The errors a user can meet, and the exit code each one leaves.

    NetnodeError            anything a user can mend
    |-- InputError          2    unreadable file, wrong use
    |   `-- ScenarioError   2    an invalid scenario: carries every Problem of the file
    |-- MissingError        4    a result lacks what was asked for
    |-- OutputError        74    results could not be written
    `-- PartialRunError    70    a worker died: what finished is kept, marked partial

Programmer errors are assertions; the command line turns those into exit code 70.
An interrupted run is Python's own KeyboardInterrupt, exit code 130.
"""

from __future__ import annotations

from dataclasses import dataclass


class NetnodeError(Exception):
    """Anything that a user can mend; the message is one or more plain lines."""

    exit_code = 70


class InputError(NetnodeError):
    """A file that cannot be read, or a call that makes no sense."""

    exit_code = 2


class MissingError(NetnodeError):
    """A result that does not hold what was asked of it."""

    exit_code = 4


class OutputError(NetnodeError):
    """Results that could not be written."""

    exit_code = 74


class PartialRunError(NetnodeError):
    """A run that stopped early; *result* holds the replications that finished, if any."""

    exit_code = 70

    def __init__(self, message: str, result: object = None):
        self.result = result
        super().__init__(message)


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong (or unwise) in a scenario file.

    *line* and *column* count from 1; *path* is dotted; *code* is stable, so that it can be
    searched for. A warning does not stop a run.
    """

    file: str
    line: int
    column: int
    code: str
    path: str
    message: str
    warning: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        kind = "warning: " if self.warning else ""
        return f"{where}: {self.code} {self.path or '(file)'}: {kind}{self.message}"


class ScenarioError(InputError):
    """An invalid scenario; *problems* holds every fault of the file, in file order."""

    def __init__(self, problems: list[Problem]):
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))
