"""Packet rules: who drops what of whom."""

from __future__ import annotations

from testbed.links import Links
from testbed.script import Cut, Mend, Weather


def links(*, delayed: bool = False) -> Links:
    found = Links(delayed=delayed)
    found.addresses.update({"grape-1": "10.0.0.1", "peer-1": "10.0.0.2", "peer-2": "10.0.0.3"})
    return found


def drops(links: Links, place: str) -> list[str]:
    return [line.removeprefix("-A GRAPEVINE ") for line in links.rules(place).splitlines() if line.endswith("DROP")]


def test_the_receiver_drops_what_the_sender_says_and_the_sender_hears_on() -> None:
    some = links()
    some.change(Cut("peer-1", "peer-2"))
    assert drops(some, "peer-2") == ["-s 10.0.0.2 -j DROP"]
    assert drops(some, "peer-1") == drops(some, "grape-1") == []


def test_a_link_that_was_cut_twice_is_mended_twice() -> None:
    some = links()
    for fault in (Cut("peer-1", "peer-2"), Cut("peer-1", "peer-2"), Mend("peer-1", "peer-2")):
        some.change(fault)
    assert drops(some, "peer-2") != []
    some.change(Mend("peer-1", "peer-2"))
    assert drops(some, "peer-2") == []


def test_a_peer_can_be_cut_off_from_a_grape() -> None:
    some = links()
    some.change(Cut("peer-1", "grape-1"))
    assert drops(some, "grape-1") == ["-s 10.0.0.2 -j DROP"]


def test_weather_is_between_peers_and_leaves_grapes_and_clients_alone() -> None:
    some = links()
    some.change(Weather(loss=0.25))
    assert drops(some, "peer-1") == ["-s 10.0.0.3 -m statistic --mode random --probability 0.250000 -j DROP"]
    assert drops(some, "grape-1") == []
    some.change(Weather())
    assert drops(some, "peer-1") == []


def test_only_connections_to_other_peers_take_the_way_through_the_proxy() -> None:
    assert "REDIRECT" not in links().rules("peer-1")
    redirected = [line for line in links(delayed=True).rules("peer-1").splitlines() if "REDIRECT" in line]
    assert redirected == ["-A GRAPEVINE -p tcp -d 10.0.0.3 -j REDIRECT --to-ports 15001"]


def test_a_peer_that_moved_is_cut_off_where_it_is_now() -> None:
    some = links()
    some.change(Cut("peer-1", "peer-2"))
    some.addresses["peer-1"] = "10.0.0.9"
    assert drops(some, "peer-2") == ["-s 10.0.0.9 -j DROP"]
