"""Findings as text, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json

import pytest
from checks import checked, finding, one_of_each

from simulator.analysis import findings
from simulator.analysis.verdicts import Finding, Verdict


def test_text_has_a_line_a_finding_below_the_counts():
    title, blank, *lines = findings.text(checked(*one_of_each())).splitlines()
    assert title == "small, checked: 1 pass, 1 fail, 1 undecided, 1 missing, 1 not comparable"
    assert blank == ""
    assert [line.split("  ")[0] for line in lines] == [v.upper() for v in Verdict]
    assert len({line.index("6.0 [5.0") for line in lines}) == 1
    assert lines[1].startswith("FAIL            a: router.outages < 2  6.0 [5.0, 7.0], limit 4,")


def test_a_finding_stays_in_its_line():
    """A log line that begins with :: would be a command to GitHub."""
    odd = finding(Verdict.MISSING, found="undefined: x\n::stop-commands::y\x1b[2J")
    *_, last = findings.text(checked(odd)).splitlines()
    assert last.endswith("undefined: x\\n::stop-commands::y\\x1b[2J")


def test_json_has_everything_and_the_exit_code():
    document = checked(*one_of_each()).document()
    assert json.loads(json.dumps(document)) == document
    assert [found["verdict"] for found in document["findings"]] == list(Verdict)
    assert (document["exit_code"], document["seed"], document["replications"]) == (1, 7, 30)
    assert document["findings"][0]["numbers"]["limit"] == 4.0
    assert "variant" not in Finding("x", Verdict.PASS, "y").as_dict()


@pytest.mark.parametrize(("undecided", "code"), [("undecided", 3), ("pass", 0), ("fail", 1)])
def test_undecided_findings_count_as_chosen(undecided, code):
    found = checked(finding(Verdict.UNDECIDED), finding(Verdict.PASS), undecided=undecided)
    assert found.document()["exit_code"] == code
    assert found.counts_as(found.findings[0]) == Verdict(undecided)
    assert found.counts_as(found.findings[1]) == Verdict.PASS
    assert findings.text(found).splitlines()[2].startswith("UNDECIDED")


def test_csv_has_numbers_in_full():
    odd = finding(Verdict.MISSING, 2, numbers={"value": None, "limit": 0.1 + 0.2}, found="a, b")
    first, second = csv.DictReader(io.StringIO(findings.csv(checked(finding(), odd))))
    assert (first["verdict"], first["value"], first["ci_high"], first["n"]) == (
        "fail", "6.0", "7.0", "30",
    )  # fmt: skip
    assert (second["value"], second["limit"], second["ci_low"], second["found"]) == (
        "", "0.30000000000000004", "", "a, b",
    )  # fmt: skip


def test_markdown_is_a_table_in_which_nothing_else_is_formatted():
    odd = finding(name="a|b *c* `d` <e> [f](g) #1 @you\nnext")
    lines = findings.markdown(checked(odd)).splitlines()
    assert lines[:4] == [
        "**small, checked: 1 fail**", "", "| verdict | asked | found |", "|---|---|---|",
    ]  # fmt: skip
    (row,) = lines[4:]
    assert row.startswith(
        r"| **fail** | a\|b \*c\* \`d\` \<e\> \[f\](g) \#1 \@you<br>next | 6.0 \[5.0, 7.0\], limit"
    )
