"""What the draws of a run depend on besides its seed: versions, and the machine's arithmetic.

The random words are the same everywhere. What is made of them (logarithms, quantiles) may differ
in the last bit between libraries and between processors, for NumPy chooses its code by what the
processor can do.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version

import numpy as np

LIBRARIES = ("numpy", "scipy", "simpy")


def machine() -> dict[str, str]:
    """Versions, processor and instruction sets in use, by name."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        "system": platform.system(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "processor": platform.machine(),
        "simd": " ".join(_instruction_sets()),
    }


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is not the same, in words."""
    return [
        f"{name} {now.get(name) or 'none'}, was {before.get(name) or 'none'}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def _instruction_sets() -> list[str]:
    """The instruction sets that NumPy has code for and uses here."""
    config = np.show_config(mode="dicts")
    sets = (config or {}).get("SIMD Extensions", {})
    return [*sets.get("baseline", []), *sets.get("found", [])]
