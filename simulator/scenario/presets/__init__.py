"""Sets of failure rates, one YAML file each; every value in them says where it comes from."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files

from simulator.errors import InputError
from simulator.scenario import document
from simulator.scenario.quantities import Model
from simulator.scenario.schema import Failures


class Preset(Model):
    """A set of failure rates.

    *sources* maps `<kind>.<value>` to where the value was read, or to `assumption: …`.
    """

    title: str
    failures: dict[str, Failures]
    sources: dict[str, str]


def preset_names() -> list[str]:
    """The names of all presets."""
    names = [path.name for path in files(__name__).iterdir() if path.name.endswith(".yaml")]
    return sorted(name.removesuffix(".yaml") for name in names)


def preset_text(name: str) -> str:
    """The YAML text of the preset *name*; raises InputError if there is none."""
    if name not in preset_names():
        close = difflib.get_close_matches(name, preset_names(), n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"allowed: {', '.join(preset_names())}"
        raise InputError(f"no preset is named '{name}'; {hint}")
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


@cache
def preset(name: str) -> Preset:
    """The preset *name*; raises InputError if there is none."""
    data, problems = document.parse(preset_text(name), f"{name}.yaml")
    assert not problems, problems
    return Preset.model_validate(data)
