"""Starting peers with a planted bug."""

from __future__ import annotations

import docker
import pytest

from testbed.cluster import CannotRun
from testbed.plant import planted_command, planted_image
from tests.requirements import require_docker


def test_only_known_bugs_can_be_planted() -> None:
    for plant in (planted_command, planted_image):
        with pytest.raises(CannotRun, match="no bug 'fill_twice' to plant; there are fill_again, "):
            plant("fill_twice")


@pytest.mark.docker
def test_a_planted_image_is_the_peers_own_but_for_how_it_starts() -> None:
    require_docker()
    client = docker.from_env()
    try:
        planted, own = client.images.get(planted_image("fill_again")), client.images.get("grapevine-peer")
        layers = [image.attrs["RootFS"]["Layers"] for image in (planted, own)]
        assert layers[0][:-1] == layers[1]
        assert planted.attrs["Config"]["Entrypoint"] == ["python", "-m", "planted"]
        assert planted.attrs["Config"]["User"] == own.attrs["Config"]["User"]
    finally:
        client.close()
