"""Recordings of real Neutron code, replayed into the rules of `simulator.neutron`."""
