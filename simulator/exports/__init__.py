"""Exports of a real cloud, as OpenStack's REST API, client and SDK write them, read into a `Cloud`.

    from simulator.exports.reading import read_cloud
    from simulator.exports.state import server_state

    cloud = read_cloud([Path("exports")])
    state = server_state(cloud, NEUTRON_29, draws=draws)

A binding that no export tells is unknown, which is not the same as unbound.
"""
