"""Runs to a target: where they end, what they say, and that they are the same bits as others."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
from lab import down_share, network_nodes, scenario

from simulator import run
from simulator.analysis.reading import load_result
from simulator.analysis.stopping import half_width, wanting
from simulator.errors import InputError
from simulator.experiment import workers

METRIC = "router.availability"
LIMIT = {"metric": METRIC, "op": ">=", "value": "90%"}


def given(**keys):
    return scenario(
        **{
            "start": "equilibrium",
            "horizon": "20d",
            "hosts": network_nodes(2),
            "failures": {"host.network": down_share(0.05)},
            "replications": 20,
            **keys,
        }
    )


def narrow(width, **keys):
    return {"targets": [{"metric": METRIC, "half_width": width}], **keys}


@pytest.fixture(scope="module")
def reached():
    return run(given(), until=narrow(0.01), most=640, jobs=1)


def test_a_run_ends_at_the_first_look_at_which_its_target_is_reached(reached):
    count = len(reached.replications)
    assert count in (40, 80, 160, 320)
    assert reached.stopped == f"target reached after {count} of at most 640"
    assert half_width(reached.estimate(METRIC, "base")) <= 0.01
    before = run(given(), until=narrow(0.01), most=640, jobs=1, replications=count // 2)
    assert reached.replications == list(range(count))
    assert not reached.partial
    earlier = run(given(until=narrow(0.01, most=640)), replications=count // 2, jobs=1)
    assert before.stopped == earlier.stopped  # a key of the scenario and an argument are one thing


def test_it_has_the_bits_of_a_run_of_that_many_at_once(reached):
    count = len(reached.replications)
    whole = run(given(), replications=count, jobs=1)
    for metric, values in whole.samples["base"].values.items():
        np.testing.assert_array_equal(reached.samples["base"].values[metric], values)
    assert set(reached.objects_rows) == set(whole.objects_rows)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_it_ends_at_the_same_look_whoever_computes_it(reached, method):
    """Processes are ahead of the look at which it ends; what they did is left out."""
    other = run(given(), until=narrow(0.01), most=640, jobs=2, start_method=method)
    assert other.document() == reached.document()
    assert set(other.objects_rows) == set(reached.objects_rows)


def test_intervals_are_so_wide_that_looking_often_costs_nothing(reached):
    """Six looks: 20, 40, 80, 160, 320, 640, each at 1 - 0.05 / 6."""
    assert reached.confidence == pytest.approx(1 - 0.05 / 6)
    once = run(given(), replications=len(reached.replications), jobs=1)
    assert once.confidence == 0.95
    mine, theirs = (half_width(r.estimate(METRIC, "base")) for r in (reached, once))
    assert 1.25 < mine / theirs < 1.6
    assert "intervals hold 95 % in spite of up to 6 looks, for each is one of 99.17 %" in str(
        reached
    )
    assert "looks" not in str(once)


def test_what_was_not_reached_is_said():
    result = run(given(), until=narrow(1e-5), most=50, jobs=1)
    assert len(result.replications) == 50
    assert result.stopped.startswith(
        "most reached, 50 replications: base: router.availability: half-"
    )
    assert result.stopped.endswith(" % of 0.001% wanted") or "of 0.001% wanted" in result.stopped
    assert not result.partial
    assert str(result).splitlines()[0].endswith(result.stopped)


def test_a_run_can_go_on_until_thresholds_are_decided():
    far = run(given(thresholds=[LIMIT]), until={"decided": True}, most=640, jobs=1)
    assert far.stopped == "target reached after 20 of at most 640"
    mean = 0.95
    near = run(
        given(thresholds=[{**LIMIT, "value": mean}]), until={"decided": True}, most=40, jobs=1
    )
    assert near.stopped == (
        "most reached, 40 replications: base: router.availability >= 95% undecided"
    )


def test_every_target_in_every_variant_must_be_reached():
    """A width between those of two variants is still wanting in the wider one."""
    variants = {"a": {}, "b": {"failures": {"host.network": down_share(0.3)}}}
    first = run(given(variants=variants), until=narrow(1e-6), most=40, jobs=1)
    widths = [half_width(first.estimate(METRIC, variant)) for variant in "ab"]
    between = sum(widths) / 2
    assert widths[0] < between
    second = run(given(variants=variants), until=narrow(between), most=40, jobs=1)
    assert [words.split(":")[0] for words in wanting(second)] == ["b"]
    assert second.stopped.startswith("most reached, 40 replications: b: ")


def test_doubtful_intervals_end_no_run():
    """Of three replications no interval is sure; of the 24 of the fourth look it is."""
    result = run(given(), replications=3, until=narrow(0.5), most=48, jobs=1)
    assert len(result.replications) == 24


def test_a_saved_result_says_why_it_ended(reached, tmp_path):
    folder = reached.save(tmp_path / "result", pictures=False)
    again = load_result(folder)
    assert again.stopped == reached.stopped
    assert again.document() == reached.document()
    assert json.loads((folder / "manifest.json").read_text())["stopped"] == reached.stopped
    assert json.loads((folder / "summary.json").read_text())["stopped"] == reached.stopped


def test_a_manifest_whose_reason_is_no_text_is_damaged(reached, tmp_path):
    folder = reached.save(tmp_path / "result", pictures=False)
    head = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**head, "stopped": 3}))
    with pytest.raises(InputError, match="damaged: 'stopped' is odd"):
        load_result(folder)


def test_an_interrupt_between_looks_keeps_what_finished():
    def interrupt(done, total):
        if done == 30:
            raise KeyboardInterrupt
        told.append((done, total))

    told = []
    result = run(given(), until=narrow(1e-6), most=80, jobs=1, progress=interrupt)
    assert (result.partial, len(result.replications), result.stopped) == (True, 30, None)
    assert told[0] == (0, 20)
    assert told[20:22] == [(20, 20), (21, 40)]
    assert "PARTIAL, 30 of 80 replications" in str(result)


def test_an_interrupt_when_the_target_is_reached_takes_nothing_away(monkeypatch):
    """It comes while the processes end."""
    close = workers.Crew.close

    def slowly(self):
        os.kill(os.getpid(), signal.SIGINT)
        close(self)

    monkeypatch.setattr(workers.Crew, "close", slowly)
    result = run(given(), until=narrow(0.5), most=80, jobs=2)
    assert (result.partial, len(result.replications)) == (False, 20)
    assert result.stopped == "target reached after 20 of at most 80"


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"until": {}}, "until: nothing is to be reached"),
        ({"until": {"decided": True}}, "until.decided: there are no thresholds"),
        ({"until": narrow(0.1), "most": 10}, "until.most: at most 10 are less than the 20 of"),
        ({"until": narrow(0.0)}, "until.targets.0.half_width: no number of replications"),
        ({"until": narrow("1s")}, "until.targets.0.half_width"),
        ({"until": {"targets": [{"metric": "router.nonsense", "half_width": 1}]}}, "until.targets"),
        ({"most": 100}, "most: nothing is to be reached before"),
        ({"until": narrow(0.1), "most": 1.5}, "most: 1.5 is not a whole number"),
    ],
)
def test_targets_that_make_no_sense_are_refused(keys, why):
    with pytest.raises(InputError, match=why):
        run(given(), jobs=1, **keys)
