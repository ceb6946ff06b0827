"""Files that are not what they should be: all that is wrong, where, and what is wanted."""

from __future__ import annotations

import json

import pytest
from exports.demo import CLOUD

from simulator.errors import InputError
from simulator.exports.faults import ExportError
from simulator.exports.reading import read_cloud

ROW = {"id": "a1", "agent_type": "L3 agent", "host": "h", "alive": True, "admin_state_up": True}


def fault_of(tmp_path, content, name="x.json"):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ExportError) as caught:
        read_cloud([file])
    (fault,) = caught.value.faults
    assert fault.file == str(file)
    return fault.place, fault.message


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        ({"alive": "yes"}, "agents[0].alive", "true or false is wanted, not 'yes'"),
        ({"alive": "True"}, "agents[0].alive", "true or false is wanted, not 'True'"),
        ({"host": 5}, "agents[0].host", "a text is wanted, not 5"),
        ({"id": ""}, "agents[0].id", "a text is wanted, not ''"),
        ({"host": "a\ud800"}, "agents[0].host", r"a text is wanted, not 'a\ud800'"),
        ({"started_at": "soon"}, "agents[0].started_at",
         "a time such as 2026-11-22 10:16:55 is wanted, not 'soon'"),
        ({"created_at": "0001-01-01T00:00:00+23:00"}, "agents[0].created_at",
         "a time such as 2026-11-22 10:16:55 is wanted, not '0001-01-01T00:00:00+23:00'"),
        ({"configurations": []}, "agents[0].configurations", "a mapping is wanted, not []"),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_type(tmp_path, change, place, message):
    text = json.dumps({"agents": [{**ROW, **change}]})
    assert fault_of(tmp_path, text) == (place, message)


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        ('{"agents": [', "line 1, column 13", "not JSON: Expecting value"),
        ('{"agents": [], "agents": []}', "", "not JSON: the key 'agents' stands twice"),
        ('{"agents": NaN}', "", "not JSON: NaN is no number"),
        ("[" * 100_000, "", "not an export: nested too deep"),
        ('{"agents": {}}', "agents", "a list is wanted, not {}"),
        ('{"agents": [1]}', "agents[0]", "a mapping is wanted, not 1"),
        ('"agents"', "line 1", "JSON as the client writes it is wanted, not '\"agents\"'"),
        ("", "line 1", "JSON as the client writes it is wanted, not ''"),
        (b"\xff\xfe", "byte 0", "UTF-8 is wanted"),
        ('{"floatingips": []}', "", "not an export: agents, networks, routers or subnets of "
         "OpenStack are wanted; nothing else is read"),
    ],
)  # fmt: skip
def test_json_that_is_broken(tmp_path, content, place, message):
    assert fault_of(tmp_path, content) == (place, message)


def test_a_missing_column_names_what_is_there(tmp_path):
    text = (CLOUD / "cli_agent_list.csv").read_text().replace('"Host"', '"Server"')
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ExportError) as caught:
        read_cloud([tmp_path])
    assert len(caught.value.faults) == 9
    assert str(caught.value.faults[0]) == (
        f"{tmp_path}/a.csv: line 2, Host: it is missing; there are: 'ID', 'Agent Type', 'Server', "
        "'Availability Zone', 'Alive', 'State', 'Binary'"
    )


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ('"az1","True","False",', '"az1","True",', "line 10", "7 columns are wanted, not 6"),
        ('"ID","Agent Type"', '"ID","ID"', "line 1", "the column 'ID' stands twice"),
        ('"Host"', '"Host"x', "line 1", "not CSV: ',' expected after '\"'"),
    ],
)
def test_csv_that_is_broken(tmp_path, old, new, place, message):
    text = (CLOUD / "cli_agent_list.csv").read_text().replace(old, new)
    assert fault_of(tmp_path, text, "a.csv") == (place, message)


def test_tables_that_are_broken(tmp_path):
    lines = (CLOUD / "cli_agent_list.table").read_text().splitlines()
    place, message = fault_of(tmp_path, "\n".join(lines[:-1]), "a")
    assert (place, message) == ("line 12", "the table does not end, or has no head")
    place, message = fault_of(tmp_path, "\n".join([*lines[:4], lines[4][5:], *lines[5:]]), "a")
    assert place == "line 5"
    assert message.startswith("a row of 7 cells is wanted, not ")
    wrapped = "|" + " " * 38 + lines[4][39:]
    place, message = fault_of(tmp_path, "\n".join([*lines[:4], wrapped, *lines[5:]]), "a")
    assert message.startswith("a row goes on here")


def test_all_faults_of_all_files_come_at_once(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"agents": [{**ROW, "host": 1, "alive": 2}]}))
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "c.json").write_text(json.dumps({"routers": [{"id": "r", "name": "r"}]}))
    (tmp_path / "d.txt").write_text("notes of mine")
    with pytest.raises(ExportError) as caught:
        read_cloud([tmp_path])
    assert [(fault.file[-6:], fault.place) for fault in caught.value.faults] == [
        ("a.json", "agents[0].host"), ("a.json", "agents[0].alive"),
        ("b.json", "line 1, column 2"), ("c.json", "routers[0].admin_state_up"),
    ]  # fmt: skip
    assert str(caught.value).startswith("the exports have 4 faults\n")


def test_a_record_that_does_not_fit_its_file(tmp_path):
    (tmp_path / "a.json").write_text('{"routers": []}')
    (tmp_path / "asked.txt").write_text("GET /v2.0/routers/r1/l3-agents -> a.json\n")
    with pytest.raises(ExportError, match="says that it lists agents, but it holds routers"):
        read_cloud([tmp_path])


def test_nothing_to_read(tmp_path):
    with pytest.raises(InputError, match="there are no exports in"):
        read_cloud([tmp_path])
    with pytest.raises(ExportError, match="nowhere: No such file or directory"):
        read_cloud([tmp_path / "nowhere"])
    (tmp_path / "a.json").write_text('{"agents": []}')
    assert read_cloud([tmp_path]).agents == {}
    with pytest.raises(InputError, match="not among the exports"):
        read_cloud([tmp_path], of={tmp_path / "b.json": "r1"})


def test_other_files_of_a_folder_are_left_out_and_told(tmp_path):
    (tmp_path / "a.json").write_text('{"agents": []}')
    (tmp_path / "b.json").write_text('{"servers": []}')
    (tmp_path / "c.txt").write_text("")
    (tmp_path / "d.png").write_bytes(b"\x89PNG\xff")
    warnings = read_cloud([tmp_path]).warnings
    assert [warning.partition(":")[0][-5:] for warning in warnings] == [
        "b.json"[-5:],
        "c.txt",
        "d.png",
    ]
