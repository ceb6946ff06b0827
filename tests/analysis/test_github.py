"""GitHub's annotations and step summary: escapes, and each of the limits."""

from __future__ import annotations

import pytest
from checks import NUMBERS, checked, finding, one_of_each

from simulator.analysis.github import (
    ANNOTATION_LIMIT,
    SUMMARY_LIMIT,
    summary,
    workflow_commands,
)
from simulator.analysis.verdicts import Verdict


def lines(*findings, **keys):
    return workflow_commands(checked(*findings, **keys)).splitlines()


def test_what_passes_makes_no_annotation_and_each_other_verdict_its_kind():
    assert [line.split(" ")[0] for line in lines(*one_of_each())] == [
        "::error", "::error", "::warning", "::notice",
    ]  # fmt: skip
    assert lines(finding(Verdict.PASS)) == []
    assert lines(finding(Verdict.UNDECIDED), undecided="pass") == []
    assert lines(finding(Verdict.UNDECIDED), undecided="fail")[0].startswith("::error ")


def test_an_annotation_names_file_and_line():
    assert lines(finding(number=12)) == [
        "::error file=scenarios/s.yaml,line=12,title=a%3A router.outages < 12::fail: "
        "6.0 [5.0, 7.0], limit 4, 30 replications"
    ]
    assert lines(finding(place=""))[0].startswith("::error title=a%3A router")


def test_escapes_are_those_of_workflow_commands():
    odd = finding(
        name="100%, a: b\r\nc", found="50%, 3: x\r\n::error::y", place="C:\\a,b%\n:7"
    )  # fmt: skip
    assert lines(odd) == [
        "::error file=C%3A\\a%2Cb%25%0A,line=7,title=100%25%2C a%3A b%0D%0Ac"
        "::fail: 50%25, 3: x%0D%0A::error::y"
    ]


@pytest.mark.parametrize("count", [ANNOTATION_LIMIT, ANNOTATION_LIMIT + 1, 50])
def test_a_kind_has_ten_at_most_and_says_how_many_more(count):
    found = lines(*(finding(number=n) for n in range(count)),
                  *(finding(Verdict.UNDECIDED, n) for n in range(count)))  # fmt: skip
    for kind in ("error", "warning"):
        mine = [line for line in found if line.startswith(f"::{kind}")]
        assert len(mine) == 10
        told = f"::{kind}::and {count - 9} more; the log has all of them"
        assert (mine[-1] == told) == (count > 10)


def test_the_worst_come_first():
    """Failures by their distance from the limit in half widths, then what is missing."""
    off = [3, 11, 7]
    found = lines(
        *(finding(Verdict.MISSING, 100 + n, numbers={}) for n in range(9)),
        *(finding(number=n, numbers={**NUMBERS, "value": 4.0 + n}) for n in off),
    )
    assert [line.partition("line=")[2].partition(",")[0] for line in found] == [
        "11", "7", "3", "100", "101", "102", "103", "104", "105", "",
    ]  # fmt: skip
    assert found[-1].startswith("::error::and 3 more")


def test_a_value_without_spread_is_the_farthest_off():
    flat = {"value": 5.0, "ci_low": 5.0, "ci_high": 5.0, "limit": 4.0}
    first, _ = lines(finding(number=1), finding(number=2, numbers=flat))
    assert "line=2," in first


# -- the summary -----------------------------------------------------------------------------


def test_a_summary_that_fits_is_whole():
    found = checked(*one_of_each())
    assert summary(found).count("\n") == 4 + 5
    assert "Cut here" not in summary(found)


@pytest.mark.parametrize("written", [0, 500_000])
@pytest.mark.parametrize("letter", ["x", "ü", "😀"])
def test_a_summary_is_cut_at_a_line_by_its_bytes(letter, written):
    found = checked(*(finding(number=n, found=letter * 700) for n in range(2000)))
    text = summary(found, written)
    size = len(text.encode())
    assert SUMMARY_LIMIT - 32 * 1024 < written + size < SUMMARY_LIMIT - 15 * 1024
    *rows, blank, last = text.splitlines()
    assert blank == ""
    assert all(row.endswith(" |") for row in rows[4:])
    assert last == f"Cut here: {2000 - len(rows[4:])} more lines do not fit."


def test_the_worst_are_not_cut():
    found = [finding(Verdict.PASS, n, found="x" * 700) for n in range(2000)]
    text = summary(checked(*found, finding(Verdict.UNDECIDED, 3000), finding(number=4000)))
    assert [row.split("**")[1] for row in text.splitlines()[4:7]] == ["fail", "undecided", "pass"]


def test_a_summary_without_any_room_says_so():
    text = summary(checked(finding()), SUMMARY_LIMIT)
    assert text == "\nCut here: 5 more lines do not fit.\n"
