"""Fingerprints tell what moved and where; they depend on what happened and on nothing else."""

from __future__ import annotations

import dataclasses
import struct
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab import down_share, run_one, scenario
from swarm import random_keys

from simulator.analysis.fingerprint import (
    SLICES,
    Moved,
    event_lines,
    fingerprint,
    fingerprint_of,
    first_difference,
)
from simulator.analysis.machine import differences, machine
from simulator.analysis.reading import load_result
from simulator.analysis.tables import trace_frame
from simulator.errors import InputError
from simulator.experiment.runner import run

COLUMNS = ("time", "kind", "subject", "object", "value")


@pytest.fixture(scope="module")
def trace():
    return run_one(
        scenario(
            start="equilibrium",
            horizon="32d",
            failures={"host": down_share(0.05)},
            workload={"tenants": 3, "changes": {"vms": {"arrivals": "30/d", "lifetime": "2h"}}},
        )
    ).trace


def changed(trace, **columns):
    return dataclasses.replace(trace, **columns)


def with_value(column, place, value):
    """*column* with another value in one place."""
    copy = column.copy()
    copy[place] = value
    return copy


def digest(*events, size=8):
    return blake2b(b"".join(struct.pack("<5d", *e) for e in events), digest_size=size).hexdigest()


def test_the_fingerprint_of_three_events_is_known_for_ever(trace):
    """Baselines are committed: what is hashed, and how, is a format, the same on every machine."""
    three = changed(
        trace,
        horizon=32.0,
        time=np.array([0.0, 1.5, 1.5]),
        kind=np.array([17, 1, 0]),
        subject=np.array([-1, 2, 2]),
        object=np.array([0, -1, -1]),
        value=np.zeros(3),
    )
    found = fingerprint(three)
    first, fail, repair = (0, 17, -1, 0, 0), (1.5, 1, 2, -1, 0), (1.5, 0, 2, -1, 0)
    assert (found.events, found.ordered) == (3, digest(first, fail, repair))
    assert found.unordered == digest(first, repair, fail)
    slices = [digest(first, size=2), digest(fail, repair, size=2), *[digest(size=2)] * 30]
    assert found.slices == "".join(slices)
    big = {name: getattr(three, name).astype(getattr(three, name).dtype.newbyteorder(">"))
           for name in COLUMNS}  # fmt: skip
    assert fingerprint(changed(three, **big)) == found
    small = {name: getattr(three, name).astype(np.int8) for name in COLUMNS if name != "time"}
    assert fingerprint(changed(three, **small)) == found


@given(st.data())
def test_only_the_order_within_an_instant_may_move_and_leave_the_events_equal(trace, data):
    """Events of few instants in random order: one digest sees the order, the other does not."""
    size = data.draw(st.integers(2, 12))
    rows = data.draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)),
            min_size=size, max_size=size,
        )
    )  # fmt: skip
    other = sorted(data.draw(st.permutations(rows)), key=lambda row: row[0])
    rows = sorted(rows, key=lambda row: row[0])

    def of(events):
        time, kind, subject = (np.array(column) for column in zip(*events, strict=True))
        return changed(trace, time=time.astype(float), kind=kind, subject=subject,
                       object=np.full(size, -1), value=np.zeros(size))  # fmt: skip

    before, after = fingerprint(of(rows)), fingerprint(of(other))
    assert after.moved(before) == (Moved.NOTHING if rows == other else Moved.ORDER)
    assert (after.parts(before) is None) == (rows == other)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_number_that_moves_is_found_in_its_slice(trace, column):
    """The horizon has 32 days, and so 32 slices: what moves at day 9.x is in the tenth."""
    before = fingerprint(trace)
    place = int(np.searchsorted(trace.time, 9.5 * 86400))
    value = getattr(trace, column)[place] + 2.0**-20 if column == "time" else 7
    after = fingerprint(
        changed(trace, **{column: with_value(getattr(trace, column), place, value)})
    )
    assert SLICES == 32
    assert 9 * 86400 < trace.time[place] < 10 * 86400
    assert after.moved(before) == Moved.NUMBERS
    assert after.parts(before) == 9
    assert after.tables == before.tables


def test_an_event_that_is_gone_or_new_moves_the_numbers(trace):
    fewer = changed(trace, **{name: getattr(trace, name)[:-1] for name in COLUMNS})
    before, after = fingerprint(trace), fingerprint(fewer)
    assert (after.moved(before), before.moved(after)) == (Moved.NUMBERS, Moved.NUMBERS)
    assert before.events == after.events + 1
    assert after.parts(before) == SLICES - 1


def test_names_and_loads_that_move_are_tables(trace):
    before = fingerprint(trace)
    names = ("other", *trace.components.names[1:])
    renamed = changed(trace, components=dataclasses.replace(trace.components, names=names))
    load = with_value(trace.objects.load_bps, 0, 5.0)
    loaded = changed(trace, objects=dataclasses.replace(trace.objects, load_bps=load))
    for after in map(fingerprint, (renamed, loaded)):
        assert after.moved(before) == Moved.TABLES
        assert after.parts(before) is None


@pytest.mark.parametrize("seed", range(6))
def test_heartbeats_one_by_one_leave_the_fingerprint_of_computed_ones(seed):
    keys = random_keys(seed)
    one, other = (
        fingerprint(run_one(scenario(**keys, heartbeats=how)).trace)
        for how in ("elided", "explicit")
    )
    assert one == other


def test_the_first_event_that_differs_is_named(trace):
    lines = event_lines(trace_frame(trace))
    assert first_difference(lines, list(lines)) is None
    assert first_difference(lines, lines[:-1]) == (lines[-1], "")
    other = [*lines[:5], "0.0\tfail\tnetwork-1\t\t0.0", *lines[5:]]
    assert first_difference(lines, other) == (lines[5], other[5])
    time, event, subject, thing, value = lines[0].split("\t")
    assert (float(time), float(value)) == (trace.time[0], trace.value[0])
    assert (event, subject + thing) == ("started", "network-1/l3")


def test_a_run_has_one_of_every_trace_and_a_saved_result_gives_them_back(tmp_path):
    given = scenario(variants={"f": {"release": "folsom"}, "g": {}})
    result = run(given, replications=3, jobs=1)
    assert set(result.fingerprints) == {(v, k) for v in ("f", "g") for k in range(3)}
    assert result.fingerprints["g", 0] == fingerprint(result.traces["g"])
    assert result.fingerprints["g", 0] != result.fingerprints["f", 0]
    back = load_result(result.save(tmp_path / "x", pictures=False))
    assert back.fingerprints == result.fingerprints
    assert back.machine == result.machine == machine()
    (tmp_path / "x" / "fingerprints.json").unlink()  # as in results of earlier versions
    old = load_result(tmp_path / "x")
    assert (old.fingerprints, old.machine) == ({}, {})


@pytest.mark.parametrize("key", ["events", "slices", "ordered"])
def test_what_is_no_fingerprint_is_refused(trace, key):
    document = fingerprint(trace).as_dict()
    assert fingerprint_of(document) == fingerprint(trace)
    with pytest.raises(ValueError, match=f"not a fingerprint: {key}"):
        fingerprint_of({**document, key: None})
    with pytest.raises(ValueError, match="its keys"):
        fingerprint_of({**document, "more": 1})


def test_machines_that_differ_are_told_by_what_differs():
    here = machine()
    assert differences(here, here) == []
    other = {**here, "numpy": "1.0", "gpu": "x"}
    assert differences(other, here) == ["gpu none, was x", f"numpy {here['numpy']}, was 1.0"]


def test_a_saved_result_of_other_traces_is_damaged(tmp_path):
    folder = run(scenario(), replications=2, jobs=1).save(tmp_path / "x", pictures=False)
    path = folder / "fingerprints.json"
    path.write_text(path.read_text().replace('"1": {', '"2": {'))
    with pytest.raises(InputError, match=r"fingerprints\.json: damaged: its traces are not those"):
        load_result(folder)
