"""Every failure rate that ships says where it comes from, and says what its source says."""

from __future__ import annotations

import math

import pytest

from simulator.errors import InputError
from simulator.scenario import document
from simulator.scenario.check import check_system
from simulator.scenario.components import components, failures_of
from simulator.scenario.presets import preset, preset_names, preset_text
from simulator.scenario.schema import System
from simulator.scenario.series import RELEASES

every_preset = pytest.mark.parametrize("name", preset_names())


def leaves(data, path=""):
    """The dotted path of every value in *data*, with [i] for items of lists."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from leaves(value, f"{path}[{index}]")
    else:
        yield path


def test_the_presets_that_ship():
    assert preset_names() == ["dc-2013", "g5k", "lanl", "paper"]


@every_preset
def test_a_preset_is_sound_and_names_itself(name):
    data, problems = document.parse(preset_text(name), name)
    assert problems == []
    assert preset(name).title == data["title"] != ""
    assert preset(name) is preset(name)


@every_preset
def test_every_value_has_a_source_and_every_source_a_value(name):
    data, _ = document.parse(preset_text(name), name)
    values = list(leaves(data["failures"]))
    assert len(values) >= 4
    assert sorted(values) == sorted(data["sources"])
    assert all(len(source.strip()) >= 10 for source in data["sources"].values())


def test_the_walk_over_the_leaves_sees_them_all():
    data, _ = document.parse("a: {b: 1h, c: [{d: 2}, 3]}\ne: none\n", "f")
    assert list(leaves(data)) == ["a.b", "a.c[0].d", "a.c[1]", "e"]


@every_preset
@pytest.mark.parametrize("release", RELEASES)
def test_a_preset_fits_every_release(name, release):
    kind = "compute" if release == "nova-network" else "network"
    hosts = {"c": {"kind": "controller", "count": 1}, "n": {"kind": kind, "count": 1}}
    system = System.model_validate({"release": release, "rates": name, "hosts": hosts})
    assert [finding for finding in check_system(system) if not finding.warning] == []
    failing = [part for part in components(system) if failures_of(system, part) is not None]
    assert {part.kind for part in failing} == {
        key.partition(".")[0] for key in preset(name).failures
    }


@every_preset
def test_repairs_are_shorter_than_the_times_between_failures(name):
    for failures in preset(name).failures.values():
        up, down = failures.time_to_failure.build().mean, failures.time_to_repair.build().mean
        assert 0 < down < up < math.inf


def availability(name, kind):
    failures = preset(name).failures[kind]
    up, down = failures.time_to_failure.build().mean, failures.time_to_repair.build().mean
    return up / (up + down)


def test_the_numbers_that_the_sources_quote():
    """1000 / 1004; exp(-2) h; exp(0.05) h; 16384 NICs for 54 days and 7 faults; 99.6 to 99.7 %."""
    assert availability("paper", "host") == pytest.approx(0.996015936, abs=1e-9)
    hour = 3600.0
    repair = preset("g5k").failures["host"].time_to_repair.lognormal
    assert repair.median == pytest.approx(math.exp(-2) * hour, rel=1e-7)
    repair = preset("lanl").failures["host"].time_to_repair.lognormal
    assert repair.median == pytest.approx(math.exp(0.05) * hour, rel=1e-7)
    nic = preset("dc-2013").failures["nic"].time_to_failure.build().mean
    assert nic == pytest.approx(16384 * 54 * 24 * hour / 7, rel=0.02)
    assert 0.996 < availability("dc-2013", "uplink") < 0.997
    parts = preset("dc-2013").failures["host"].time_to_repair.mixture
    assert sum(part.weight for part in parts) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("papr", "did you mean 'paper'?"),
        ("g5K", "did you mean 'g5k'?"),
        ("x", "allowed: dc-2013, g5k, lanl, paper"),
        ("", "allowed: dc-2013, g5k, lanl, paper"),
        ("../presets/paper", "allowed: dc-2013, g5k, lanl, paper"),
    ],
)
def test_an_unknown_preset_names_the_nearest(name, hint):
    with pytest.raises(InputError) as caught:
        preset(name)
    assert str(caught.value) == f"no preset is named '{name}'; {hint}"
    assert caught.value.exit_code == 2
