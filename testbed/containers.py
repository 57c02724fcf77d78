"""A cluster of containers: the project's own Compose file under a project name of its own.

Everything of a run carries its project name as a label, and the name ends in the runner's process id. So whatever a
runner left behind that is no longer alive can be found and removed, and nobody else's containers are ever touched.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from pygrenache import Address
from testbed.cluster import ROOT, CannotRun
from testbed.script import GRAPE_STRIKES, STRIKES, Fault

IMAGES = ("grapevine-peer", "grapevine-grape")
COMPOSE_FILES = (ROOT / "compose.yaml", ROOT / "testbed" / "compose.override.yaml")
PEER_PORT = "4000/tcp"
PROJECT_LABEL = "com.docker.compose.project"
NUMBER_LABEL = "com.docker.compose.container-number"

_OURS = re.compile(r"grapevine-[a-z0-9_-]+-([0-9]+)")


def docker_works() -> bool:
    """Tell whether a Docker engine answers, and the command that runs Compose is here."""
    if shutil.which("docker") is None:
        return False
    try:
        client = docker.from_env(timeout=5)
    except DockerException:
        return False
    with closing(client):
        try:
            return client.ping()
        except DockerException:
            return False


class ContainerCluster:
    """Peers and Grapes as containers; `directory`/logs gets what each has said."""

    name = "containers"
    supports: frozenset[type[Fault]] = frozenset({*STRIKES, *GRAPE_STRIKES})

    def __init__(self, directory: Path, label: str) -> None:
        self.network_key = secrets.token_hex(32).encode()
        self._directory = directory
        self._project = f"grapevine-{label}-{os.getpid()}"
        self._label = f"{PROJECT_LABEL}={self._project}"
        self._containers: dict[str, Container] = {}
        self._ports: dict[str, int] = {}
        self._started: dict[str, None] = {}
        if not docker_works():
            raise CannotRun("no Docker engine answers (`make docker` gives a Debian machine one)")
        self._docker = docker.from_env(timeout=60)

    async def open(self, peers: Sequence[str]) -> None:
        """Create the network and all containers, and start the Grapes."""
        await asyncio.to_thread(self._check_images)
        await asyncio.to_thread(self._remove_leftovers)
        await self._compose("create", "--no-build", "--scale", f"peer={len(peers)}")
        self._containers = await asyncio.to_thread(self._find)
        await asyncio.gather(*(self.start(name) for name in self._containers if name not in peers))

    async def start(self, peer: str) -> None:
        """Start a container, and learn the port that Docker publishes it at this time."""
        await asyncio.to_thread(self._start, peer)

    async def kill(self, peer: str) -> None:
        """Kill a container, and wait until it is gone."""
        self._started.pop(peer)
        container = self._containers[peer]
        await asyncio.to_thread(container.kill)
        await asyncio.to_thread(container.wait)

    async def pause(self, peer: str) -> None:
        """Freeze a container's processes."""
        await asyncio.to_thread(self._containers[peer].pause)

    async def resume(self, peer: str) -> None:
        """Let a container's processes go on."""
        await asyncio.to_thread(self._containers[peer].unpause)

    def door(self, peer: str) -> Address:
        """Return the port on loopback that leads into the peer's container."""
        return Address("127.0.0.1", self._ports[peer])

    async def crashed(self) -> list[str]:
        """Tell of every container that was started and is not running."""
        return await asyncio.to_thread(self._crashed)

    async def close(self) -> None:
        """Keep the logs, then remove containers, volumes and network."""
        await asyncio.to_thread(self._remove, self._project, self._directory / "logs")
        self._docker.close()

    def _check_images(self) -> None:
        for image in IMAGES:
            try:
                self._docker.images.get(image)
            except ImageNotFound as error:
                raise CannotRun(f"the image {image} is missing (`make images` builds it)") from error

    async def _compose(self, *arguments: str) -> None:
        compose = await asyncio.create_subprocess_exec(
            "docker",
            *("compose", "-p", self._project, *(f"--file={file}" for file in COMPOSE_FILES), *arguments),
            env={
                **os.environ,
                "GRAPEVINE_GRAPE1_PORT": "",
                "GRAPEVINE_GRAPE2_PORT": "",
                "GRAPEVINE_NETWORK_KEY": self.network_key.decode(),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said, _ = await compose.communicate()
        except asyncio.CancelledError:
            # What it was about to create would otherwise come after everything had been removed.
            compose.kill()
            await compose.wait()
            raise
        if compose.returncode:
            raise CannotRun(f"docker compose failed: {said.decode(errors='replace').strip()}")

    def _find(self) -> dict[str, Container]:
        found = self._docker.containers.list(all=True, filters={"label": self._label})
        return dict(sorted((_name(container), container) for container in found))

    def _start(self, name: str) -> None:
        container = self._containers[name]
        container.start()
        self._started[name] = None
        container.reload()
        if published := container.ports.get(PEER_PORT):
            self._ports[name] = int(published[0]["HostPort"])

    def _crashed(self) -> list[str]:
        # One request tells of all; only the dead are asked about one by one.
        listed = self._docker.containers.list(all=True, sparse=True, filters={"label": self._label})
        ended = {container.id for container in listed if container.status not in ("running", "paused")}
        found: list[str] = []
        for name in list(self._started):
            container = self._containers[name]
            if container.id in ended:
                container.reload()
                # It may have been started or killed on purpose since it was listed.
                if name in self._started and container.status == "exited":
                    found.append(f"{name} ended by itself with exit code {container.attrs['State']['ExitCode']}")
        return found

    def _remove_leftovers(self) -> None:
        projects = {
            found[0]: None
            for container in self._docker.containers.list(all=True, filters={"label": PROJECT_LABEL})
            if (found := _OURS.fullmatch(container.labels[PROJECT_LABEL])) and not _is_alive(int(found[1]))
        }
        for project in projects:
            self._remove(project)

    def _remove(self, project: str, logs: Path | None = None) -> None:
        """Remove all that carries the project's name; with `logs`, keep there what each container has said."""
        label = f"{PROJECT_LABEL}={project}"
        containers = self._docker.containers.list(all=True, filters={"label": label})
        if logs is not None:
            logs.mkdir(exist_ok=True)
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda container: _remove_container(container, logs), containers))
        for network in self._docker.networks.list(filters={"label": label}):
            network.remove()


def _remove_container(container: Container, logs: Path | None) -> None:
    try:
        if logs is not None:
            (logs / f"{_name(container)}.log").write_bytes(container.logs())
        container.remove(force=True, v=True)
    except NotFound:
        pass


def _name(container: Container) -> str:
    service, number = container.labels["com.docker.compose.service"], container.labels[NUMBER_LABEL]
    return f"{service}-{number}" if service == "peer" else service


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
