"""JUnit XML: read by a consumer's parser, and within the strictest of the schemas."""

from __future__ import annotations

from xml.etree import ElementTree

import junitparser
import pytest
from checks import checked, finding, one_of_each
from hypothesis import given
from hypothesis import strategies as st

from simulator.analysis.junit import junit
from simulator.analysis.verdicts import Verdict

TOLD = ({"type", "message"}, set())
GRAMMAR = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "file"},
        {"properties", "testcase"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": (
        {"name", "classname", "time"},
        {"failure", "error", "skipped", "system-out"},
    ),
    "failure": TOLD,
    "error": TOLD,
    "skipped": TOLD,
    "system-out": (set(), set()),
}
"""By element the attributes and children that Jenkins' schema (junit-10) allows and that we use."""
REQUIRED = {
    "testsuite": {"name", "tests", "failures", "errors"},
    "testcase": {"name"},
    "property": {"name", "value"},
}


def follows(element):
    """Assert that *element* and all in it are of the grammar."""
    attributes, children = GRAMMAR[element.tag]
    assert set(element.attrib) <= attributes
    assert set(element.attrib) >= REQUIRED.get(element.tag, set())
    for child in element:
        assert child.tag in children
        follows(child)


def parsed(found):
    text = junit(found)
    follows(ElementTree.fromstring(text))
    return junitparser.JUnitXml.fromstring(text.encode())


def test_a_suite_is_a_variant_and_a_case_a_threshold():
    found = parsed(checked(*one_of_each(), finding(Verdict.PASS, 9, variant="b")))
    first, second = found
    assert (first.name, second.name) == ("small.a", "small.b")
    assert (first.tests, first.failures, first.errors, first.skipped) == (5, 1, 1, 2)
    assert (second.tests, second.failures, second.errors, second.skipped) == (1, 0, 0, 0)
    properties = {one.name: one.value for one in first.properties()}
    assert properties.keys() == {
        "netnode", "scenario", "scenario_sha256", "seed", "replications",
    }  # fmt: skip
    assert (properties["seed"], properties["scenario_sha256"]) == ("7", "0" * 64)
    passed, failed, undecided, missing, _ = first
    assert passed.is_passed
    assert isinstance(failed.result[0], junitparser.Failure)
    assert isinstance(missing.result[0], junitparser.Error)
    assert undecided.is_skipped
    assert failed.name == "a: router.outages < 2"
    assert failed.classname == "netnode.small.a"
    assert failed.result[0].message == "6.0 [5.0, 7.0], limit 4, 30 replications"
    assert failed.result[0].text == (
        "scenarios/s.yaml:2: a: router.outages < 2: fail: 6.0 [5.0, 7.0], limit 4, 30 replications"
    )


@pytest.mark.parametrize(
    ("undecided", "counts"),
    [("undecided", (0, 1)), ("pass", (0, 0)), ("fail", (1, 0))],
)
def test_undecided_is_skipped_unless_it_was_chosen(undecided, counts):
    (suite,) = parsed(checked(finding(Verdict.UNDECIDED), undecided=undecided))
    assert (suite.failures, suite.skipped) == counts
    (case,) = suite
    assert "undecided: 6.0" in (case.system_out if undecided == "pass" else case.result[0].text)


def test_what_is_asked_of_the_whole_result_has_a_suite_of_its_own():
    whole = finding(Verdict.MISSING, variant="", place="")
    first, second = parsed(checked(whole, finding()))
    assert (first.name, second.name) == ("small", "small.a")
    (case,) = first
    assert case.classname == "netnode.small"


def test_control_characters_are_written_out():
    odd = finding(name="\x00\x1b[1m\x7f\x85\ufffe\ud800 & <ok> \"'\tü€😀")
    (suite,) = parsed(checked(odd))
    (case,) = suite
    assert case.name == "\\x00\\x1b[1m\\x7f\\x85\\ufffe\\ud800 & <ok> \"'\tü€😀"


@given(st.text(st.characters(exclude_categories=())))
def test_any_words_make_a_document_that_can_be_read(words):
    (suite,) = parsed(checked(finding(name=words, found=words, variant=words), name="s"))
    (case,) = suite
    if words.isprintable():
        assert case.name == words
        assert case.result[0].message == words


def test_equal_thresholds_have_names_of_their_own():
    (suite,) = parsed(checked(*(finding(Verdict.PASS, 1) for _ in range(3))))
    names = [case.name for case in suite]
    assert len(set(names)) == 3
    assert names[1:] == [f"{names[0]} (2)", f"{names[0]} (3)"]
