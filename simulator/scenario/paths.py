"""Dotted paths of keys, as `-S`, `matrix`, `explain` and every message write them."""

from __future__ import annotations

import re

from simulator.scenario.schema import Failures

INDEX = re.compile(r"\[(\d+)\]")


def steps_of(dotted: str) -> list[str]:
    """The keys of *dotted*, an index in brackets being one, too; an empty one where one lacks.

    A key of `failures` has dots of its own, as in `failures.host.network.time_to_repair`: it ends
    where a key of a component's failures begins.
    """
    steps = INDEX.sub(r".\1", dotted).split(".")
    if steps[0] != "failures" or len(steps) < 3:
        return steps
    ends = (i for i, step in enumerate(steps) if i > 1 and step in Failures.model_fields)
    end = next(ends, len(steps))
    return ["failures", ".".join(steps[1:end]), *steps[end:]]
