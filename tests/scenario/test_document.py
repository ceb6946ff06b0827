"""YAML text to data with marks: YAML 1.2's rules, and nothing that hangs, blows up or is lost."""

from __future__ import annotations

import math
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario import document
from simulator.scenario.document import (
    DEPTH_LIMIT,
    NODE_LIMIT,
    Mapping,
    Mark,
    find,
    merge,
    nest,
    one_line,
    parse,
    without,
)


def good(text):
    data, problems = parse(text, "a.yaml")
    assert problems == []
    return data


def only_problem(text):
    _, problems = parse(text, "a.yaml")
    assert len(problems) == 1, problems
    return problems[0]


def bomb(levels, width=10):
    """Aliases of aliases: width ** levels values in a few lines."""
    lines = [f"a0: &a0 [{', '.join('x' * width)}]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]" for i in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e6", 1_000_000.0),
        ("1.5e-3", 0.0015),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("1:30", "1:30"),
        ("12:30:45", "12:30:45"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("n", "n"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("2013-04-04", "2013-04-04"),
        ("'true'", "true"),
        ("'1'", "1"),
        ("4s", "4s"),
        ("-.inf", -math.inf),
        ("9" * 41, "9" * 41),  # no number has so many digits: it would not even print
        ("!!str 5", "5"),
        ("!!int five", "five"),
    ],
)
def test_scalars_by_yaml_1_2(text, value):
    read = good(f"key: {text}\n")["key"]
    assert (read, type(read)) == (value, type(value))


def test_nan_is_a_number():
    assert math.isnan(good("key: .nan\n")["key"])


def test_keys_are_text_whatever_they_look_like():
    assert list(good("on: 1\n'1e6': 2\n'~': 3\nyes: 4\n1:30: 5\n")) == [
        "on", "1e6", "~", "yes", "1:30"
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["on", "1:30", "010"])
def test_asking_for_yaml_1_1_brings_no_surprise_back(value):
    """YAML 1.1 has True, 90 and 8 for these."""
    version_1_1 = good(f"%YAML 1.1\n---\nkey: {value}\n")
    assert version_1_1 == good(f"%YAML 1.2\n---\nkey: {value}\n") == good(f"key: {value}\n")


def test_every_key_and_value_has_its_line_and_column():
    data = good("a: 1\nb:\n  - x\n  - {c:   2}\n")
    assert data.keys_at["a"] == Mark("a.yaml", 1, 1, "a")
    assert data.values_at["a"] == Mark("a.yaml", 1, 4, "a")
    assert data["b"].values_at[0] == Mark("a.yaml", 3, 5, "b[0]")
    assert data["b"][1].keys_at["c"] == Mark("a.yaml", 4, 6, "b[1].c")
    assert data["b"][1].values_at["c"] == Mark("a.yaml", 4, 11, "b[1].c")
    assert find(data, ("b", 1, "c"))[0] == 2


def test_find_stops_where_the_path_leaves_the_data():
    data = good("a: {b: 1}\n")
    assert find(data, ("a", "x", "y")) == ({"b": 1}, data.values_at["a"])
    assert find(data, ("a", "union member", "b")) == (1, data["a"].values_at["b"])
    assert find(data, ("a",), key=True)[1] == data.keys_at["a"]
    assert find(data, (), key=True)[1] == data.mark
    assert find(5, ("a",)) == (5, None)


def test_a_duplicate_key_is_told_with_both_places_and_the_first_stays():
    data, (problem,) = parse("a: {x: 1,\n    x: 2}\n", "f")
    assert str(problem) == "f:2:5: duplicate_key a.x: duplicate key 'x', first given in line 1"
    assert data == {"a": {"x": 1}}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a:\n\tb: 1\n", 2, 1), ("a:\tb: 1\n", 1, 3), ("a: 1\n\tb: 2\n", 2, 1), ("\ta: 1\n", 1, 1)],
)
def test_a_tab_is_named_as_such(text, line, column):
    problem = only_problem(text)
    assert (problem.line, problem.column, problem.code) == (line, column, "yaml")
    assert "tab" in problem.message or "mapping values are not allowed" in problem.message


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("a: [1, 2\n", 2, 1, "expected ',' or ']'"),
        ("a: 'x\n", 2, 1, "quoted scalar"),
        ("a: b: c\n", 1, 5, "mapping values are not allowed"),
        ("a: *nowhere\n", 1, 4, "undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, 1, "single document"),
        ("%YAML 9.9\n---\na: 1\n", 1, 1, "incompatible YAML"),
        ("a: 1\nb: @x\n", 2, 4, "'@'"),
    ],
)
def test_broken_yaml_has_its_place(text, line, column, word):
    problem = only_problem(text)
    assert (problem.line, problem.column, problem.code) == (line, column, "yaml")
    assert word in problem.message


@pytest.mark.parametrize(
    ("text", "line", "column", "code"),
    [
        ("\0\1\2", 1, 1, "U+0000"),
        ("a: 1\nb: \x1b[31m\n", 2, 4, "U+001B"),
        ("a\x07", 1, 2, "U+0007"),
    ],
)
def test_a_character_that_no_text_has_is_placed(text, line, column, code):
    problem = only_problem(text)
    assert (problem.line, problem.column) == (line, column)
    assert problem.message == f"character {code} is not allowed; is this a text file?"


def test_half_a_surrogate_pair_is_told_and_replaced():
    """It could be neither printed nor hashed later."""
    data, problems = parse('a: "ä\\ud800"\n"\\udfff": 1\n', "f")
    assert [(p.line, p.column, p.code) for p in problems] == [(1, 4, "yaml"), (2, 1, "yaml")]
    assert data == {"a": "ä?", "?": 1}


@pytest.mark.parametrize("text", ["", "\n\n", "# only words\n", "   ", "\ufeff"])
def test_an_empty_file_says_so(text):
    assert str(only_problem(text)) == "a.yaml:1:1: empty (file): the file is empty"


@pytest.mark.parametrize(
    "text", ["a: !!python/object:os.system x\n", "a: !x 1\n", "a: !!set {b}\n"]
)
def test_tags_are_not_allowed(text):
    problem = only_problem(text)
    assert (problem.code, problem.path, problem.line, problem.column) == ("yaml", "a", 1, 4)
    assert problem.message.startswith("tag '")


def test_a_key_must_be_a_word():
    data, (problem,) = parse("? [a, b]\n: 1\nc: 2\n", "f")
    assert (problem.line, problem.column, problem.message) == (1, 3, "a key must be a plain word")
    assert data == {"c": 2}


def test_aliases_are_written_out():
    assert good("a: &x {b: 1}\nc: *x\nd: [*x, *x]\n")["d"] == [{"b": 1}, {"b": 1}]


def test_an_anchor_may_be_given_anew():
    """YAML allows it; a warning of the library would go astray on stderr."""
    assert good("a: &x 1\nb: *x\nc: &x 2\nd: *x\n") == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_there_is_no_merge_key():
    """YAML 1.2 has none: `<<` is a key like any other, so it ends as an unknown key."""
    assert good("a: &x {b: 1}\nc: {<<: *x}\n")["c"] == {"<<": {"b": 1}}


@pytest.mark.parametrize("levels", [6, 200])
def test_an_anchor_bomb_fails_fast_and_small(levels):
    """10**6 and 10**200 values; 10**5 are allowed."""
    text = bomb(levels)
    tracemalloc.start()
    started = time.process_time()
    problem = only_problem(text)
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(problem) == (
        f"a.yaml:1:1: too_large (file): more than {NODE_LIMIT} values once aliases are written out"
    )
    assert seconds < 10
    assert peak < 100e6


def test_values_are_counted_while_they_are_read(monkeypatch):
    """A large file fails at the limit, before the fault at its end is seen."""
    monkeypatch.setattr(document, "NODE_LIMIT", 1000)
    problem = only_problem("[" + "a," * 999 + "a, @")
    assert str(problem) == "a.yaml:1:1: too_large (file): more than 1000 values"
    assert only_problem("[" + "a," * 900 + "a, @").code == "yaml"


@pytest.mark.parametrize(
    ("text", "path"),
    [("a: &a [1, *a]\n", "a[1]"), ("a: &a {b: {c: *a}}\n", "a.b.c"), ("&a [*a]\n", "[0]")],
)
def test_an_alias_that_holds_itself(text, path):
    problem = only_problem(text)
    assert (problem.code, problem.path) == ("yaml", path)
    assert problem.message == "an alias that holds itself"


@pytest.mark.parametrize("depth", [DEPTH_LIMIT + 1, 500, 20_000])
@pytest.mark.parametrize("text", ["[", "{", "- ", "? ", "{a: ", "!x [", "[[", "a:\n "])
def test_deep_nesting_is_no_recursion_error(text, depth):
    if text == "a:\n ":
        text = "\n".join(" " * i + "a:" for i in range(min(depth, 500)))
    else:
        text *= depth
    problem = only_problem(text)
    assert problem.code == "yaml"
    assert problem.message == f"nested more than {DEPTH_LIMIT} levels deep"


def test_nesting_up_to_the_limit_is_fine():
    depth = DEPTH_LIMIT - 1
    assert good("[" * depth + "a" + "]" * depth) is not None


def test_aliases_do_not_get_round_the_limit_of_depth():
    """Each of 20 anchors is 40 levels deep and ends in the one before: 800 in all."""
    lines = ["a0: &a0 x"]
    lines += [f"a{i}: &a{i} {'[' * 40}*a{i - 1}{']' * 40}" for i in range(1, 21)]
    _, problems = parse("\n".join(lines) + "\n", "f")
    assert {p.message for p in problems} == {f"nested more than {DEPTH_LIMIT} levels deep"}


def test_merge_replaces_lists_merges_mappings_and_null_takes_away():
    base = good("a: {x: 1, y: 2, z: 3}\nl: [1, 2]\nk: 1\n")
    over = good("a: {y: 20, z: null}\nl: [3]\nk: null\nn: null\n")
    merged = merge(base, over)
    assert merged == {"a": {"x": 1, "y": 20}, "l": [3], "n": None}
    assert base == {"a": {"x": 1, "y": 2, "z": 3}, "l": [1, 2], "k": 1}


def test_merged_entries_keep_the_mark_of_their_own_file():
    base, _ = parse("a: {x: 1, y: 2}\n", "base")
    over, _ = parse("\na: {y: 3}\n", "over")
    marks = merge(base, over)["a"].values_at
    assert (marks["x"].file, marks["x"].line) == ("base", 1)
    assert (marks["y"].file, marks["y"].line) == ("over", 2)


@pytest.mark.parametrize(("base", "over"), [("a: 1", "a: {b: 1}"), ("a: {b: 1}", "a: [1]")])
def test_merge_of_unlike_things_replaces(base, over):
    assert merge(good(base), good(over)) == good(over)


def test_nest_and_without():
    mark = Mark("f", 1, 1, "")
    assert nest(["a", "b"], 5, mark) == {"a": {"b": 5}}
    assert nest([], 5, mark) == 5
    data = good("a: {b: 1, c: {d: 2, e: 3}}\nf: 4\n")
    assert without(data, [("a", "b"), ("a", "c", "d"), ("x",), ("f", "g")]) == {
        "a": {"c": {"e": 3}},
        "f": 4,
    }
    assert without(data, [("a",), ("a", "b")]) == {"f": 4}
    assert data["a"]["b"] == 1


def test_a_message_is_one_printable_line():
    mark = Mark("f", 1, 2, "a\nb")
    assert str(mark.problem("code", "no\x1b[31m\n'x'")) == r"f:1:2: code a\nb: no\x1b[31m\n'x'"
    assert one_line("ä 東") == "ä 東"
    assert len(one_line("x" * 10_000)) < 1000


@given(st.text(max_size=200))
def test_any_text_gives_data_or_problems(text):
    data, problems = parse(text, "f")
    assert isinstance(problems, list)
    assert all(p.line >= 1 and p.column >= 1 and str(p).isprintable() for p in problems)
    assert data is not None or problems or text.strip()


@given(st.text("[]{},:-&*!|>'\"%@`#?ab01 \n\t", max_size=120))
def test_any_punctuation_gives_data_or_problems(text):
    _, problems = parse(text, "f")
    assert all(p.line >= 1 and str(p).isprintable() for p in problems)


def test_mapping_is_a_dict_with_marks():
    data = Mapping(Mark("f", 1, 1, ""))
    data.put("a", 1, Mark("f", 2, 1, "a"), Mark("f", 2, 4, "a"))
    assert data == {"a": 1}
    assert data.keys_at["a"].line == 2
