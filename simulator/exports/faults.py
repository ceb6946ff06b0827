"""What is wrong with an export, and the error that carries all of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.errors import InputError

LONGEST = 60


@dataclass(frozen=True)
class Fault:
    """One thing wrong in *file*, at *place* in it (empty: all of it)."""

    file: str
    place: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.place, self.message) if part)


class ExportError(InputError):
    """Exports that cannot be read; *faults* holds everything that is wrong with all of them."""

    def __init__(self, faults: Iterable[Fault]):
        self.faults = tuple(faults)
        count = len(self.faults)
        head = f"the exports have {count} fault{'s' if count != 1 else ''}"
        super().__init__("\n".join([head, *map(str, self.faults)]))


def shown(value: object) -> str:
    """A value of an export, short enough for a message and safe to print."""
    text = ascii(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
