"""The tests of neutron/tests/unit/db/test_agents_db.py, master, under their names."""

from __future__ import annotations

from upstream_cloud import Cloud


def test_create_or_update_agent_new_entry():
    cloud = Cloud()
    status = cloud.server.report_state(
        cloud.now, "l3", "l3", "host", zone="z1", configurations={"k": 1}
    )
    (agent,) = cloud.server.agents.values()
    assert status == "new"
    assert (agent.type, agent.host, agent.zone) == ("l3", "host", "z1")
    assert agent.configurations == {"k": 1}
    assert agent.admin_state_up


def test_create_or_update_agent_existing_entry():
    cloud = Cloud()
    for later in (0, 30, 60):
        cloud.server.report_state(cloud.now + later, "l3", "l3", "host")
    (agent,) = cloud.server.agents.values()
    assert agent.heartbeat_timestamp == cloud.now + 60
    assert agent.started_at == cloud.now


def test_create_or_update_agent_disable_new_agents():
    cloud = Cloud(enable_new_agents=False)
    (name,) = cloud.l3("host")
    assert not cloud.server.agents[name].admin_state_up


def test_get_enabled_agent_on_host_found():
    """Asked by a sync, which gives the enabled agent of the host what lacks agents."""
    cloud = Cloud()
    cloud.router()
    cloud.l3("foo_host", "bar_host")
    assert cloud.sync("l3-foo_host") == ["r1"]
    assert cloud.hosts("r1") == ["l3-foo_host"]


def test_get_enabled_agent_on_host_not_found():
    cloud = Cloud()
    cloud.router()
    cloud.l3("foo_host", enabled=False)
    assert cloud.sync("l3-foo_host") == cloud.sync("l3-foo_agent") == []
    assert cloud.hosts("r1") == []
