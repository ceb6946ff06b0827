"""`netnode check`, and the thresholds of `netnode run`: verdicts, exit codes, forms, bad input."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from simulator import load_scenario, run
from simulator.analysis.reading import load_result
from simulator.errors import PartialRunError
from simulator.experiment import runner, workers

QUICK = ("-j", "1", "-q")
PASSES = '{metric: router.availability, op: ">=", value: 50%}'
FAILS = '{metric: router.outages, op: ">", value: 1e6, variant: grizzly}'
UNDECIDED = '{metric: router.conflicted_time, op: "<", value: 1s}'
MISSING = '{metric: load.carried, op: ">", value: 1bps, variant: folsom}'
CODES = [
    ((PASSES,), 0),
    ((PASSES, UNDECIDED), 3),
    ((PASSES, MISSING), 4),
    ((MISSING, UNDECIDED), 4),
    ((PASSES, FAILS, UNDECIDED, MISSING), 1),
]


@pytest.fixture
def limited(small):
    """Writes the small scenario with thresholds; returns its path."""

    def write(*thresholds, name="limited"):
        path = small.with_name(f"{name}.yaml")
        lines = "".join(f"  - {threshold}\n" for threshold in thresholds)
        path.write_text(f"{small.read_text()}thresholds:\n{lines}")
        return Path(path.name)

    return write


@pytest.fixture
def done(limited):
    """Runs the small scenario with thresholds into the folder `done`."""

    def write(*thresholds):
        result = run(load_scenario(limited(*thresholds)), replications=20, jobs=1)
        return result.save("done", pictures=False)

    return write


def verdicts(called):
    return [finding["verdict"] for finding in json.loads(called.out)["findings"]]


@pytest.mark.parametrize(("thresholds", "code"), CODES)
def test_the_exit_code_is_that_of_the_worst(netnode, limited, thresholds, code):
    path = limited(*thresholds)
    ran = netnode("run", path, "-n", 20, "-o", "out", *QUICK)
    checked = netnode("check", path, "-n", 20, *QUICK)
    again = netnode("check", "out")
    assert [called.code for called in (ran, checked, again)] == [code] * 3
    assert ran.out.endswith(f"\n\n{checked.out}")
    assert checked.out == again.out
    assert checked.out.startswith("small, checked: ")
    assert json.loads(Path("out/checks.json").read_text())["exit_code"] == code


@pytest.mark.parametrize(("choice", "code"), [("pass", 0), ("fail", 1)])
def test_undecided_counts_as_chosen(netnode, limited, done, choice, code):
    folder = done(PASSES, UNDECIDED)
    given = ("--undecided", choice)
    assert netnode("check", folder, *given).code == code
    assert netnode("run", "limited.yaml", "-n", 20, "--no-save", *QUICK, *given).code == code


def test_a_scenario_without_thresholds_runs_as_ever(netnode, small):
    called = netnode("run", small, "-n", 1, "-o", "out", *QUICK)
    assert (called.code, "checked" in called.out) == (0, False)
    assert not Path("out/checks.json").exists()


def never(*_, **__):
    raise AssertionError("simulated although there is nothing to check")


def test_nothing_to_check_is_no_pass(netnode, small, folder, monkeypatch):
    monkeypatch.setattr(runner, "run", never)
    for args in ((small,), (folder,), (folder, "--thresholds", small)):
        called = netnode("check", *args)
        assert (called.code, called.out) == (4, "")
        line = called.err.splitlines()[-1]
        assert "has no thresholds, and to check nothing is no pass" in line


def test_json_csv_and_md(netnode, done):
    folder = done(PASSES, FAILS)
    document = json.loads(netnode("check", folder, "--json").out)
    assert document == json.loads(netnode("check", folder, "--format", "json").out)
    assert (document["scenario"], document["replications"], document["exit_code"]) == (
        "small", 20, 1,
    )  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert document["scenario_sha256"] == manifest["scenario_sha256"]
    rows = list(csv.DictReader(io.StringIO(netnode("check", folder, "--format", "csv").out)))
    assert [row["verdict"] for row in rows] == ["pass", "pass", "fail"]
    assert float(rows[2]["limit"]) == 1e6
    out = netnode("check", folder, "--format", "md").out
    assert out.startswith("**small, checked: 2 pass, 1 fail**\n\n| verdict |")


def test_run_has_the_findings_inside_its_json(netnode, limited):
    called = netnode("run", limited(PASSES, FAILS), "--json", "-n", 20, "-o", "out", *QUICK)
    document = json.loads(called.out)
    assert called.code == 1
    assert [found["verdict"] for found in document["thresholds"]] == ["pass", "pass", "fail"]
    assert load_result("out").document() == document
    kept = json.loads(Path("out/checks.json").read_text())["findings"]
    assert kept == document["thresholds"]


def test_run_in_md_and_csv(netnode, limited):
    path = limited(PASSES, FAILS)
    out = netnode("run", path, "--format", "md", "-n", 20, "--no-save", *QUICK).out
    assert "\n\n**small, checked: 2 pass, 1 fail**\n\n| verdict | asked | found |\n" in out
    called = netnode("run", path, "--format", "csv", "-n", 20, "--no-save", "-j", "1")
    assert called.code == 1
    assert len({len(row) for row in csv.reader(io.StringIO(called.out))}) == 1
    assert called.err.splitlines()[-1] == "small, checked: 2 pass, 1 fail"


def test_junit_goes_to_stdout_or_beside_it(netnode, done):
    folder = done(PASSES, FAILS)
    called = netnode("check", folder, "--junit", "netnode.xml")
    assert called.out.startswith("small, checked")
    written = Path("netnode.xml").read_text(encoding="utf-8")
    assert netnode("check", folder, "--format", "junit").out == written
    suites = ElementTree.fromstring(written).findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["small.folsom", "small.grizzly"]
    assert suites[1].get("failures") == "1"
    lost = netnode("check", folder, "--junit", "nowhere/netnode.xml")
    assert (lost.code, lost.out) == (74, "")
    assert "cannot write nowhere/netnode.xml: No such file or directory" in lost.err


def test_github_has_log_annotations_and_summary(netnode, limited, monkeypatch):
    path = limited(PASSES, FAILS)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_text("# Before\n")
    called = netnode("check", path, "-n", 20, "--format", "github", *QUICK)
    assert called.code == 1
    assert called.out.startswith("small, checked: 2 pass, 1 fail\n")
    (command,) = [line for line in called.out.splitlines() if line.startswith("::")]
    line = path.read_text().splitlines().index(f"  - {FAILS}") + 1
    assert command.startswith(
        f"::error file=limited.yaml,line={line},title=grizzly%3A router.outages > 1000000::fail: "
    )
    assert Path("summary.md").read_text().startswith("# Before\n**small, checked: 2 pass, 1 fail")
    Path("summary.md").write_text("x" * (1024 * 1024 - 16 * 1024 - 30))
    netnode("check", path, "-n", 20, "--format", "github", *QUICK)
    assert Path("summary.md").read_text().endswith("x\nCut here: 7 more lines do not fit.\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "nowhere/summary.md")
    called = netnode("check", path, "-n", 20, "--format", "github", "-j", "1")
    assert called.code == 1
    assert "no summary, for nowhere/summary.md cannot be written" in called.err


def test_thresholds_of_another_file(netnode, limited, done):
    folder = done(PASSES)
    path = limited(PASSES, FAILS.replace("grizzly", "folsom"), name="other")
    called = netnode("check", folder, "--thresholds", path, "--json")
    document = json.loads(called.out)
    assert [found["place"].partition(":")[0] for found in document["findings"]] == [
        "other.yaml"
    ] * 3
    assert called.code == 1
    renamed = path.read_text().replace("  folsom: {r", "  essex: {r").replace(
        "variant: folsom", "variant: essex"
    ).replace("baseline: folsom", "baseline: essex")  # fmt: skip
    path.write_text(renamed)
    called = netnode("check", folder, "--thresholds", path, "--json")
    assert called.code == 4
    assert verdicts(called) == ["pass", "pass", "missing"]
    assert "no variant 'essex' in this result; it has: folsom, grizzly" in called.out
    path.write_text(renamed.replace("router.outages", "router.outage"))
    called = netnode("check", folder, "--thresholds", path)
    assert (called.code, called.out) == (2, "")
    assert "'router.outage' is not allowed; did you mean 'router.outages'?" in called.err


def test_a_result_of_an_older_version_lacks_new_metrics(netnode, done):
    folder = done(PASSES, UNDECIDED)
    frame = pd.read_parquet(folder / "replications.parquet")
    frame[frame["metric"] != "router.conflicted_time"].to_parquet(
        folder / "replications.parquet", index=False
    )
    summary = json.loads((folder / "summary.json").read_text())
    for metrics in summary["variants"].values():
        del metrics["router.conflicted_time"]
    (folder / "summary.json").write_text(json.dumps(summary))
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["replications_sha256"]  # older ones had none
    (folder / "manifest.json").write_text(json.dumps(manifest))
    called = netnode("check", folder, "--undecided", "pass")
    assert called.code == 4
    assert "no metric 'router.conflicted_time' in this result" in called.out


def test_options_of_a_run_need_a_scenario(netnode, folder, limited):
    called = netnode("check", folder, "-n", 3)
    assert (called.code, called.out) == (2, "")
    assert f"--replications: {folder} is a result, so nothing is run" in called.err
    document = json.loads(netnode("check", limited(PASSES), "-n", 3, "--seed", 9, "--json",
                                  *QUICK).out)  # fmt: skip
    assert (document["replications"], document["seed"]) == (3, 9)


# -- damaged and partial results -------------------------------------------------------------


def raised(path):
    """Every value of one metric a bit higher: an edit to pass a threshold."""
    frame = pd.read_parquet(path)
    mine = (frame["metric"] == "router.availability") & (frame["variant"] == "grizzly")
    frame.loc[mine, "value"] += 1e-4
    frame.to_parquet(path, index=False)


def swapped(path):
    """A bit more here, a bit less there: the mean stays."""
    frame = pd.read_parquet(path)
    mine = (frame["metric"] == "router.availability") & (frame["variant"] == "grizzly")
    frame.loc[mine, "value"] += [1e-4, -1e-4] * 10
    frame.to_parquet(path, index=False)


def undefined(path):
    frame = pd.read_parquet(path)
    mine = (frame["metric"] == "router.availability") & (frame["replication"] == 1)
    frame.loc[mine, "value"] = float("nan")
    frame.to_parquet(path, index=False)


def edited(**changes):
    def damage(path):
        summary = json.loads(path.read_text())
        summary["variants"]["grizzly"]["router.availability"].update(changes)
        path.write_text(json.dumps(summary))

    return damage


def key(name, value):
    def damage(path):
        path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))

    return damage


def half(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def replaced(before, after):
    def damage(path):
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))

    return damage


CHANGED = "the mean of router.availability of variant"


@pytest.mark.parametrize(
    ("name", "damage", "why"),
    [
        ("replications.parquet", half, "damaged: "),
        ("replications.parquet", raised, f"damaged: {CHANGED} 'grizzly' is"),
        ("replications.parquet", swapped, "damaged: not the table that was written: its SHA-256"),
        ("replications.parquet", undefined, f"damaged: {CHANGED} 'folsom' is"),
        ("replications.parquet", Path.unlink, "replications.parquet is missing"),
        ("summary.json", half, "damaged: not JSON"),
        ("summary.json", Path.unlink, "summary.json is missing"),
        ("summary.json", edited(mean=0.99999), "and in summary.json it is 0.99999"),
        ("summary.json", edited(mean=None), "and in summary.json it is None"),
        ("summary.json", edited(mean=True), "and in summary.json it is True"),
        ("summary.json", edited(n=200), f"{CHANGED} 'grizzly'"),
        ("manifest.json", key("schema_version", 2), "schema version 2; this is 1"),
        ("manifest.json", key("schema_version", None), "schema version None; this is 1"),
        ("manifest.json", key("replications_sha256", "0"), "not the table that was written"),
        ("manifest.json", key("replication_numbers", "0-5"), "does not hold the manifest's"),
        ("scenario.resolved.yaml", replaced("value: 0.5", "value: 0.1"), "not the scenario that"),
        ("scenario.resolved.yaml", replaced("router.avail", "router.awail"), "not a scenario: "),
    ],
)
def test_a_damaged_result_is_never_judged(netnode, done, name, damage, why):
    folder = done(PASSES)
    damage(folder / name)
    called = netnode("check", folder)
    assert (called.code, called.out) == (2, "")
    (line,) = called.err.splitlines()
    assert line.startswith("Error: done")
    assert why in line


def test_a_partial_result_is_judged_and_lacks_replications(netnode, limited, monkeypatch):
    """A replication fails in its run; what had finished is kept."""
    replicate = workers.Worker.replicate

    def fail(self, number):
        if number == 20:
            raise ZeroDivisionError("on purpose")
        return replicate(self, number)

    monkeypatch.setattr(workers.Worker, "replicate", fail)
    path = limited(PASSES)
    ran = netnode("run", path, "-n", 24, "-o", "half", *QUICK)
    assert ran.code == PartialRunError.exit_code
    called = netnode("check", "half", "--undecided", "pass")
    assert called.code == 4
    first = called.out.splitlines()[2]
    assert re.fullmatch("MISSING  all replications +a partial result: 20 of 24 replications", first)
    assert called.out.count(", of a partial result\n") == 2
    assert json.loads(Path("half/checks.json").read_text())["exit_code"] == 4
    checked = netnode("check", path, "-n", 24, *QUICK)
    assert (checked.code, checked.out) == (PartialRunError.exit_code, "")


def test_an_interrupted_check_prints_nothing(netnode, limited, monkeypatch):
    def stop(self, number):
        raise KeyboardInterrupt

    monkeypatch.setattr(workers.Worker, "replicate", stop)
    called = netnode("check", limited(PASSES), *QUICK)
    assert (called.code, called.out) == (130, "")


def test_an_interrupted_run_judges_what_had_finished(netnode, limited, monkeypatch):
    replicate = workers.Worker.replicate

    def stop(self, number):
        if number == 20:
            raise KeyboardInterrupt
        return replicate(self, number)

    monkeypatch.setattr(workers.Worker, "replicate", stop)
    called = netnode("run", limited(PASSES), "-n", 24, "-o", "half", *QUICK)
    assert called.code == 130
    assert "small, checked: 2 pass, 1 missing" in called.out
    assert Path("half/checks.json").exists()


def test_what_is_neither_result_nor_scenario(netnode):
    assert netnode("check", "nowhere").code == 2
    Path("empty").mkdir()
    called = netnode("check", "empty")
    assert called.code == 2
    assert "empty is not a result folder" in called.err
