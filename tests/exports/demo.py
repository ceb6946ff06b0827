"""The exports of the demo cloud: its ids, and ways to read it."""

from __future__ import annotations

import random
from pathlib import Path

from simulator.exports.reading import read_cloud
from simulator.exports.state import server_state
from simulator.neutron.rules import NEUTRON_29

CLOUD = Path(__file__).parent / "cloud"

L3_1 = "9d06ba91-12e0-47f5-9775-c06db8eae67a"
L3_2 = "f9d65d70-8d73-4e37-a9f9-00e11dac4e23"
L3_3 = "29cb54b0-d6c2-42f4-a7f0-f330b7e2e6ed"
DHCP_1 = "378cf1fa-d3c2-49d8-8e43-fd16cc5635c0"
DHCP_2 = "bee79b36-33f2-44ea-9862-c18fedbc7483"
DHCP_3 = "de62ab74-ebd0-4191-84e9-e6a15e0a41cb"
OVS_1 = "201f4cd8-90e7-4f03-b1bc-7e1a111fd819"
ROUTER_0 = "6d4b2cd8-6c82-4641-b7af-a764fccee0c3"
ROUTER_1 = "e2a37937-8052-4ae9-94e1-6ef55fc2c52a"
ROUTER_2 = "41786031-9f0e-4491-a5f2-f7a39705b0b6"
ROUTER_3 = "0a65f0c6-e568-4fe2-9446-634a2280679c"
PUBLIC = "ff315bf4-0f75-46a4-91ed-786c337a6e9e"
TENANT_0 = "60c4da7b-bdca-4691-848b-af2304162583"
TENANT_1 = "d952237a-13cb-41e8-bcf4-303870293a3d"
TENANT_2 = "12168efb-97c8-43be-a252-18e32d10ec95"
TENANT_3 = "f05efd59-a125-4ef6-925e-ebbdb81d396c"
HA_NETWORK = "d3c3cab0-7d0f-4ac1-9ceb-8c92b176230e"
ALL_L3 = tuple(sorted((L3_1, L3_2, L3_3)))


def read(*names, **options):
    return read_cloud([CLOUD / name for name in names], **options)


def members(objects):
    return {key: one.binding and (one.binding.members, one.binding.exact) for key, one in
            objects.items()}  # fmt: skip


class Draws:
    def __init__(self, target):
        self._random = random.Random(str(target))

    def index(self, size):
        return self._random.randrange(size)


def state_of(cloud):
    return server_state(cloud, NEUTRON_29, draws=Draws)
