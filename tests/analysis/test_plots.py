"""Pictures: they come out for every shape of result, without display, and say what they show."""

from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from lab import FREE, down_share, network_nodes, scenario

from simulator.analysis.plots import downtime_distribution, overview
from simulator.experiment.runner import run

VARIANTS = {
    "folsom": {"release": "folsom"},
    "grizzly-with-a-rather-long-name": {"hosts": {"network": {"count": 2}}},
    "nova": {
        "release": "nova-network",
        "hosts": {"network": None, "vm": {"kind": "compute", "count": 2}},
    },
}


def found(count=3, *, objects="auto", **keys):
    given = {
        "start": "equilibrium",
        "horizon": "10d",
        "failures": {"host.network": down_share(0.05)},
        "workload": {"tenants": 3, "traffic": {"per_router": "3Gbps"}},
        **keys,
    }
    return run(scenario(**given), replications=count, jobs=1, objects=objects)


@pytest.fixture(scope="module")
def three():
    return found(variants=VARIANTS)


def words(figure):
    """All text of a figure."""
    figure.draw_without_rendering()
    parts = [figure.get_suptitle()]
    for axis in figure.axes:
        parts += [axis.get_title(loc="left"), axis.get_xlabel(), axis.get_ylabel()]
        parts += [text.get_text() for text in axis.texts]
        parts += [label.get_text() for label in axis.get_yticklabels()]
        legend = axis.get_legend()
        parts += [text.get_text() for text in legend.get_texts()] if legend else []
    return " ".join(" ".join(parts).split())


def drawn(figure):
    """The picture; a warning, of a missing glyph or of no room, fails the test."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=60)
    return out.getvalue()


def test_the_overview_names_what_it_shows(three):
    text = words(overview(three))
    for part in ("lab: 3 replications of 10 d", "Downtime a year", "All routers down at once",
                 "Blast radius of one failure", "North-south load", "a year", "% of replications",
                 "% of routers", "Gbps, mean over time", "folsom", "nova"):  # fmt: skip
        assert part in text


def test_what_is_not_defined_is_said(three):
    assert words(overview(three)).count("not defined") == 3  # nova has no routers: three panels
    assert "nova (not defined)" in words(downtime_distribution(three))
    nova = found(variants={"nova": VARIANTS["nova"]}, workload={"tenants": 2})
    text = words(overview(nova))
    assert "nova-network has no routers" in text
    assert "no north-south load" in text
    assert "no variant has routers" in words(downtime_distribution(nova))


def test_a_bound_is_told_as_one():
    calm = found(failures={}, release="grizzly")
    text = words(overview(calm))
    assert "never seen: at most 63 %" in text  # 1 - 0.05 ** (1 / 3) = 0.632
    assert drawn(overview(calm))


def test_the_distribution_is_the_share_with_more():
    """Two outages, of 1 h and of 2 h in 10 days: 36.5 h and 73 h a year."""
    outages = {
        "network-1": {"outages": [{"at": "1d", "for": "1h"}]},
        "network-2": {"outages": [{"at": "1d", "for": "2h"}]},
    }
    result = found(
        1, hosts=network_nodes(2), failures=outages, costs=FREE, workload={"tenants": 20}
    )
    axis = downtime_distribution(result).axes[0]
    line = next(line for line in axis.lines if line.get_label() == "base")
    x, y = line.get_data()
    assert sorted(set((x[1:] / 3600).round())) == [37, 73]  # and some seconds to come back
    assert y[0] == 100
    assert y[-1] == pytest.approx(0)
    longer = sum(result.objects.query("kind == 'router'")["downtime_s"] > 5400)
    assert 0 < longer < 20
    assert y[x < 50 * 3600][-1] == pytest.approx(100 * longer / 20)


def test_a_result_without_objects_says_so():
    assert "no table of objects" in words(downtime_distribution(found(2, objects="none")))


@pytest.mark.parametrize("count", [1, 8])
def test_one_variant_or_eight(count):
    release = {"release": ["grizzly"], "hosts.network.count": list(range(1, count + 1))}
    result = found(2, matrix=release, horizon="3d")
    for figure in (result.plot(), result.plot_outages()):
        assert drawn(figure)[:4] == b"\x89PNG"


def test_nothing_overlaps(three):
    """No text of a panel reaches into another panel, or out of the picture."""
    figure = overview(three)
    figure.draw_without_rendering()
    page = figure.bbox
    boxes = [axis.get_tightbbox() for axis in figure.axes]
    for number, box in enumerate(boxes):
        assert box.x0 >= page.x0 - 1
        assert box.x1 <= page.x1 + 1
        for other in boxes[number + 1 :]:
            overlap = min(box.x1, other.x1) - max(box.x0, other.x0)
            assert overlap <= 1 or min(box.y1, other.y1) - max(box.y0, other.y0) <= 1


def test_pictures_need_no_pyplot_and_no_main_thread(three):
    with ThreadPoolExecutor(2) as pool:
        pictures = list(pool.map(lambda draw: drawn(draw(three)), [overview, overview]))
    assert pictures[0] == pictures[1] == drawn(overview(three))
    assert "matplotlib.pyplot" not in sys.modules
