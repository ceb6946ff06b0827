"""The scenario that `netnode init` begins with."""

from __future__ import annotations

import re
from pathlib import Path

from simulator.errors import InputError, OutputError
from simulator.scenario.presets import preset_text

PRESET = "dc-2013"
SCHEMA_FILE = "scenario.schema.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_TEXT = """\
# yaml-language-server: $schema={schema}
# $schema: {schema}
# Check this file with `netnode validate`, run it with `netnode run`; `netnode explain KEY` tells
# what a key means, where its default comes from, and what may stand there.
version: 1
name: {name}
description: One Folsom network node against three Grizzly network nodes.
seed: 1
horizon: 1y                 # simulated time of one replication
replications: 30            # more of them make the intervals narrower
baseline: folsom            # the variant that the others are compared with

rates: {preset}             # how often things fail and how long they take: `netnode presets`
failures:
  uplink: none              # the provider's line never fails here, or it would hide the rest

hosts:
  controller: {{kind: controller, count: 1}}
  network: {{kind: network, count: 1}}
  compute: {{kind: compute, count: 4}}

workload:
  tenants: 20
  per_tenant: {{networks: 1, routers: 1, floating_ips: 1, vms: 10}}
  traffic:
    per_router: 100Mbps     # north-south load that each router offers

variants:                   # each is the base above with its own keys on top
  folsom:
    release: folsom
  grizzly:
    release: grizzly
    hosts: {{network: {{count: 3}}}}
"""


def starter(name: str, preset: str = PRESET) -> str:
    """A commented scenario called *name* with the rates of *preset*; raises InputError."""
    if not _NAME.fullmatch(name):
        raise InputError(f"'{name}' cannot name a scenario: use letters, digits and _ . -")
    preset_text(preset)  # raises if there is none
    return _TEXT.format(name=name, preset=preset, schema=SCHEMA_FILE)


def write_starter(path: Path, preset: str = PRESET) -> None:
    """Write the starter to the new file *path*; raises InputError if it exists."""
    text = starter(path.stem, preset)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path} exists already; give another name") from None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
