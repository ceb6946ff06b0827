"""What is wrong or unwise in a scenario, and the nearest word to a mistaken one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing wrong or unwise at *path* of a system or scenario; *at_key*: with the key."""

    path: tuple[str | int, ...]
    code: str
    message: str
    warning: bool = False
    at_key: bool = False


def nearest(word: str, allowed: Iterable[str]) -> str:
    """What *word* may have been meant to be, or what is allowed."""
    options = sorted(allowed)
    close = difflib.get_close_matches(word, options, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    shown = ", ".join(options[:12]) + (", …" if len(options) > 12 else "")
    return f"allowed: {shown}"
