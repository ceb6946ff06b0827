"""Whatever becomes of an export, the command says what it found or what is wrong."""

from __future__ import annotations

import copy
import json
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from exports.demo import CLOUD, state_of
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.cli import main
from simulator.errors import InputError
from simulator.exports.reading import read_cloud

FILES = sorted(CLOUD.iterdir())
JSON_FILES = [file for file in FILES if file.suffix == ".json"]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just([]), st.just({}),
    st.just("None"), st.just([None]), st.just({"id": []}), st.just("\ud800"), st.floats(),
    st.just("9999-12-31T23:59:59-23:59"), st.just("a\nb"), st.just("{" * 300), st.just("(" * 300),
)  # fmt: skip


def called(*args):
    """Exit code and what went to standard error."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["import", "openstack", *map(str, args)])
    return code, out.getvalue(), err.getvalue()


def check(content, name):
    """Alone, and in a folder beside whole files and the record of requests."""
    with tempfile.TemporaryDirectory() as folder:
        for whole in ("rest_agents.json", "rest_routers.json", "COMMANDS.txt", "sdk_export.json"):
            (Path(folder) / whole).write_bytes((CLOUD / whole).read_bytes())
        (Path(folder) / name).write_bytes(content)
        for args in ([folder], [Path(folder) / name, "--json"]):
            code, out, err = called(*args)
            assert code in (0, 2), err
            assert "Traceback" not in err
            assert "internal error" not in err
            assert bool(out) == (code == 0)
            assert err or code == 0
        try:
            cloud = read_cloud([Path(folder)])
        except InputError:
            return
        state_of(cloud)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, held in items if isinstance(value, dict | list) else ():
        yield (*path, key)
        if isinstance(held, dict | list):
            yield from places(held, (*path, key))


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_a_value_that_is_another(data):
    file = data.draw(st.sampled_from(JSON_FILES))
    value = copy.deepcopy(json.loads(file.read_text()))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(value))))
        act = data.draw(st.sampled_from(["set", "drop", "rename"]))
        if not path:
            value = copy.deepcopy(data.draw(VALUES)) if act == "set" else value
            if not isinstance(value, dict | list):
                break
            continue
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        if act == "set" or isinstance(holder, list):
            holder[path[-1]] = copy.deepcopy(data.draw(VALUES))
        else:
            held = holder.pop(path[-1])
            if act == "rename":
                holder[data.draw(st.text(max_size=5))] = held
    check(json.dumps(value).encode(), file.name)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_bytes_that_are_others(data):
    file = data.draw(st.sampled_from(FILES))
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, max(len(content) - 1, 0)))
        end = begin + data.draw(st.integers(0, 40))
        content[begin:end] = data.draw(st.binary(max_size=6))
    check(bytes(content), file.name)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["a.json", "b.csv", "c.table", "d"]))
def test_any_text(text, name):
    check(text.encode("utf-8", "surrogatepass"), name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_alone(file):
    code, _, err = called(file)
    assert (code, "Error" in err) == ((2, True) if file.suffix == ".txt" else (0, False)), err
