"""What a run lays over the Compose file."""

from __future__ import annotations

from testbed.composition import composition

PEERS = ("peer-1", "peer-2")


def test_each_peer_is_a_service_and_nothing_more_is_there_without_faults() -> None:
    found = composition("compose.yaml", PEERS, disks=False, clocks=False, saboteur=False)
    assert set(found["services"]) == {"grape-1", "grape-2", "peer", *PEERS}
    assert found["services"]["peer"] == {"scale": 0}
    assert found["services"]["peer-2"]["extends"] == {"file": "compose.yaml", "service": "peer"}
    assert "image" not in found["services"]["peer-2"]
    assert found["volumes"] == {}


def test_the_saboteur_holds_every_disk_that_can_be_full_so_that_it_outlives_its_peer() -> None:
    found = composition("compose.yaml", PEERS, disks=True, clocks=False, saboteur=True)
    assert found["services"]["peer-1"]["volumes"] == ["disk-peer-1:/data"]
    assert found["services"]["saboteur"]["volumes"] == ["disk-peer-1:/disks/peer-1", "disk-peer-2:/disks/peer-2"]
    assert set(found["volumes"]) == {"disk-peer-1", "disk-peer-2"}


def test_each_peer_reads_a_clock_of_its_own_which_only_the_saboteur_may_set() -> None:
    found = composition("compose.yaml", PEERS, disks=False, clocks=True, saboteur=True)
    services = found["services"]
    assert services["peer-1"]["environment"] != services["peer-2"]["environment"]
    assert services["peer-1"]["volumes"] == ["clocks:/clocks:ro"]
    assert services["saboteur"]["volumes"] == ["clocks:/clocks"]
