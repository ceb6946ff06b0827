"""How estimates are written, and tables of them."""

from __future__ import annotations

import csv as csv_module
import io
import math

import numpy as np
import pytest
from lab import scenario

from simulator.analysis.comparison import Comparison
from simulator.analysis.metrics import METRICS
from simulator.analysis.notation import cells, downtime, downtime_cells
from simulator.analysis.report import csv, html, markdown, narrowed, report_of, text
from simulator.analysis.results import ResultSet, Sample
from simulator.analysis.statistics import Estimate, estimate

NAN = math.nan
NINES = Estimate(0.9999975, 0.999996, 0.999999, 20, "1")


def shown(metric, *estimates, signed=False):
    return [str(cell) for cell in cells(metric, estimates, signed=signed)]


def about(mean, low, high, unit="1", n=20):
    return Estimate(mean, low, high, n, unit)


@pytest.mark.parametrize(
    ("metric", "found", "words"),
    [
        ("router.availability", about(0.9998463, 0.99966, 1.0), "99.985 % [99.966, 100]"),
        ("tenant.availability", NINES, "99.99975 % [99.99960, 99.99990]"),
        ("router.blast_radius_mean", about(0.331581, 0.32387, 0.33929), "33.16 % [32.39, 33.93]"),
        ("router.outages", about(374.0, 308.8, 439.2), "374 [309, 439]"),
        ("router.outages", about(123456.0, 115566.0, 131346.0), "123500 [115600, 131300]"),
        ("router.all_down_time", about(4740.0, 0.0, 10601.3, "s"), "79 min [0, 177]"),
        ("agent.detection_mean", about(2.9941, 2.9757, 3.0122, "s"), "2.994 s [2.976, 3.012]"),
        ("load.carried", about(9.01e9, 8.53e9, 9.49e9, "bit/s"), "9.01 Gbps [8.53, 9.49]"),
        ("vm.hours_without_address", about(511.4, 0.0, 1160.1, "h"), "510 h [0, 1160]"),
        ("router.downtime_host", about(1e-4, 0.0, 3e-4), "53 min/y [0, 158]"),
        ("dhcp.servers_per_node_mean", about(39.99697, 39.99267, 40.00127), "40.00 [39.99, 40.00]"),
        ("load.imbalance", about(1.0, 1.0, 1.0), "1 in all 20"),
        ("router.availability", about(1 - 2e-12, 1 - 3e-12, 1 - 1e-12), "100 % [100, 100]"),
        ("router.availability", Estimate(1 - 2e-12, None, None, 1, "1"), "100 %"),
    ],
)  # fmt: skip
def test_digits_follow_the_interval_and_units_the_size(metric, found, words):
    assert shown(metric, found) == [words]


def test_a_row_has_one_unit_unless_a_value_would_vanish_in_it():
    day, hour, second = (about(x, 0.9 * x, 1.1 * x, "s") for x in (86400.0, 14400.0, 1.0))
    assert shown("router.outage_median", day, hour) == [
        "24.0 h [21.6, 26.4]",
        "4.00 h [3.60, 4.40]",
    ]
    assert shown("router.outage_median", day, second)[1] == "1.00 s [0.90, 1.10]"


def test_what_was_never_seen_is_a_bound():
    never = estimate(np.zeros(20), unit="1", high=1.0)
    always = estimate(np.ones(20), unit="1", high=1.0)
    count = estimate(np.zeros(20), unit="1", high=None, counts=True)
    unbounded = estimate(np.zeros(20), unit="s", high=None)
    once = estimate(np.zeros(1), unit="s", high=None)
    assert shown("router.all_down_probability", never) == ["0 (at most 14 %)"]
    assert shown("router.all_down_probability", always) == ["100 % (at least 86 %)"]
    assert shown("failover.moves", count) == ["0 (at most 0.15)"]  # -ln(0.05) / 20
    assert shown("router.conflicted_time", unbounded) == ["0 (in at most 14 %)"]
    assert shown("router.conflicted_time", once) == ["0"]


def test_a_report_says_what_stands_for_a_bound():
    zeros = {"router.conflicted_time": [0] * 20, "router.outages": [0] * 20}
    found = text(result({"one": zeros}), everything=True)
    assert "router.conflicted_time                0 (in at most 14 %)" in found
    assert "(in at most): 0 in all replications; in so many of them it may differ" in found
    once = text(result({"one": {"router.conflicted_time": [0]}}), everything=True)
    assert "one replication gives no interval, and a 0 no bound: it was not seen this once" in once


def test_undefined_is_a_dash_and_one_replication_has_no_interval():
    assert shown("router.outages", Estimate(None, None, None, 0, "1", reason="why")) == ["-"]
    assert shown("router.outages", estimate(np.array([12.0]), unit="1", high=None)) == ["12"]


def test_differences_carry_signs_points_and_a_mark():
    clear, open_ = about(-0.031, -0.062, -0.001), about(0.5, -0.1, 1.1)
    assert shown("router.availability", clear, signed=True) == ["-3.1 pp [-6.2, -0.1] *"]
    assert shown("router.outages", open_, signed=True) == ["+0.50 [-0.10, +1.10]"]
    tiny = about(9.3e-8, 7.6e-8, 1.1e-7)
    assert shown("load.imbalance", tiny, signed=True) == ["+9.3e-08 [+7.6e-08, +1.1e-07] *"]


def test_an_availability_is_told_as_downtime_too():
    """1e-4 of 8760 h is 52.56 min; the ends of the interval change places."""
    found = downtime(about(0.9999, 0.9998, 1.0))
    assert found.mean == pytest.approx(0.876 * 3600)
    assert (found.ci_low, found.ci_high) == (0.0, pytest.approx(2 * 0.876 * 3600))
    assert str(downtime_cells([about(0.9999, 0.9998, 1.0)])[0]) == "53 min/y [0, 105]"
    assert (
        str(downtime_cells([about(-1e-4, -3e-4, 1e-4)], signed=True)[0]) == "+50 min/y [-50, +160]"
    )


# -- tables ----------------------------------------------------------------------------------


def result(values, *, partial=False):
    """A result by hand: *values* by variant and metric; all other metrics are undefined."""
    names = list(values)
    variants = {name: {} for name in names}
    count = max(len(v) for columns in values.values() for v in columns.values())
    given = scenario(variants=variants, baseline=names[0], replications=count)
    samples = {
        name: Sample(
            {m: np.array(columns.get(m, [NAN] * count), dtype=float) for m in METRICS},
            {m: "not in this test" for m in METRICS if m not in columns},
        )
        for name, columns in values.items()
    }
    return ResultSet(given, list(range(count)), samples, partial=partial)


@pytest.fixture
def two():
    return result(
        {
            "one": {
                "router.availability": [0.99, 0.98, 0.97],
                "router.outages": [5, 6, 9],
                "router.conflicted_time": [0, 0, 0],
                "failover.time_median": [2, NAN, 4],
                "load.carried": [0, 0, 0],
            },
            "two": {
                "router.availability": [0.999, 0.989, 0.979],
                "router.conflicted_time": [0, 0, 0],
                "load.carried": [1e9, 2e9, 3e9],
            },
        }
    )


def test_the_table_folds_what_says_nothing_and_counts_it(two):
    lines = text(two).splitlines()
    labels = [line.split("  ")[0] for line in lines]
    assert lines[0] == "lab: 3 replications of 24 h, seed 1"
    assert "router.conflicted_time" not in labels
    assert "load.carried" in labels
    folded = len(METRICS) - 4
    assert f"{folded} metrics are undefined, or 0 in all replications, and left out" in lines[-1]
    everything = text(two, everything=True)
    assert "left out" not in everything
    assert all(metric in everything for metric in METRICS)


def test_an_outage_of_everything_is_never_folded():
    assert "router.availability " in text(result({"one": {"router.availability": [0, 0, 0]}}))


def test_reasons_are_numbered_footnotes(two):
    found = text(two)
    row = next(line for line in found.splitlines() if line.startswith("router.outages"))
    assert row.endswith("- (1)")
    assert "\n(1) not in this test\n" in found
    row = next(line for line in found.splitlines() if line.startswith("failover.time_median"))
    assert "(2)" in row
    assert "\n(2) defined in 2 of 3 replications only\n" in found


def test_differences_follow_with_a_mark(two):
    found = text(two).partition("Difference to one, paired [95 % interval]\n")[2]
    head, row, line = found.splitlines()[:3]
    assert head.split() == ["two"]
    assert row.split() == ["router.availability", "+0.9", "pp", "in", "all", "3", "*"]
    assert line.split()[:2] == ["as", "downtime"]


def test_columns_stand_below_one_another(two):
    block = text(two).split("\n\n")[1].splitlines()
    starts = {line.index("[") for line in block[2:] if "[" in line}
    assert len(starts) <= 2


def test_a_partial_result_says_so(two):
    two.partial = True
    two.scenario = two.scenario.model_copy(update={"replications": 50})
    assert text(two).startswith("lab: PARTIAL, 3 of 50 replications of 24 h")


def test_wide_tables_go_in_blocks(two):
    table = report_of(two).tables[0]
    assert len(list(narrowed(table, None))) == 1
    assert [block.columns for block in narrowed(table, 60)] == [("one",), ("two",)]
    assert [block.columns for block in narrowed(table, 5)] == [("one",), ("two",)]
    assert max(map(len, text(two, width=60).split("\n\n")[1].splitlines())) <= 60


def test_markdown_is_a_table_with_nothing_to_misread(two):
    lines = markdown(two).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert rows[0] == "|  | one | two |"
    assert {row.count("|") for row in rows[: rows.index("|  | two |")]} == {4}
    assert any(row.endswith("\\* |") for row in rows)


def test_csv_has_every_number_in_full(two):
    rows = list(csv_module.DictReader(io.StringIO(csv(two))))
    assert len(rows) == 3 * len(METRICS)
    first = rows[0]
    assert (first["variant"], first["minus"], first["metric"]) == ("one", "", "router.availability")
    assert float(first["mean"]) == two.estimate("router.availability", "one").mean
    last = next(row for row in rows if row["minus"] and row["metric"] == "router.availability")
    assert (last["variant"], last["minus"]) == ("two", "one")
    assert float(last["mean"]) == pytest.approx(0.009)


def test_html_is_escaped_and_the_notebook_shows_it(two):
    two.samples["one"].reasons["router.outages"] = "<script>"
    two.samples["two"].reasons["router.outages"] = "<script>"
    found = html(two)
    assert "<script>" not in found
    assert "&lt;script&gt;" in found
    assert found == two._repr_html_()
    assert found.count("<table>") == found.count("</table>") == 2


def test_comparisons_are_reported_too(two):
    found = Comparison(two, two, ("before", "after"))
    assert str(found).startswith("A = before (lab: 3 replications")
    assert "A: one" in str(found)
    assert "B - A, paired [95 % interval]" in str(found)
    assert "<td" in found._repr_html_()
    assert "A: one" in markdown(found)
    minus = {row["minus"] for row in csv_module.DictReader(io.StringIO(csv(found)))}
    assert minus == {"", "A: one", "A: two"}
