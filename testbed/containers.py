"""A cluster of containers: the project's own Compose file under a project name of its own.

Everything of a run carries its project name as a label, and the name ends in the runner's process id. So whatever a
runner left behind that is no longer alive can be found and removed, and nobody else's containers are ever touched.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from pygrenache import Address
from testbed.accounts import Copy
from testbed.cluster import ROOT, STOP_TIMEOUT_S, CannotRun, is_alive
from testbed.composition import CLOCKED_IMAGE, CLOCKS, DISKS, SABOTEUR, SABOTEUR_IMAGE, composition
from testbed.neighbours import why_too_many
from testbed.sabotage import Means, Obstacles, Sabotage
from testbed.script import GRAPES, Fault, FillDisk, Torment

PEER_IMAGE = "grapevine-peer"
IMAGES = (PEER_IMAGE, "grapevine-grape")
COMPOSE_FILE = ROOT / "compose.yaml"
PEER_PORT = "4000/tcp"
FREEZE_ATTEMPTS = 5
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"

CONFLICT = 409

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

    def __init__(
        self, directory: Path, label: str, peer_image: str = PEER_IMAGE, snapshot_every: int | None = None
    ) -> None:
        self.network_key = secrets.token_hex(32).encode()
        self._snapshot_every = snapshot_every
        self._directory = directory
        self._peer_image = peer_image
        self._project = f"grapevine-{label}-{os.getpid()}"
        self._label = f"{PROJECT_LABEL}={self._project}"
        self._containers: dict[str, Container] = {}
        self._ports: dict[str, int] = {}
        self._started: dict[str, None] = {}
        if not docker_works():
            raise CannotRun("no Docker engine answers (`make docker` gives a Debian machine one)")
        self._docker = docker.from_env(timeout=60)
        self._sabotage = Sabotage(())
        self._full: dict[str, None] = {}

    @property
    def supports(self) -> frozenset[type[Fault]]:
        """What can be done with the images that are here."""
        return self._obstacles.supports

    def why_not(self, fault: Fault) -> str:
        """Say what is in the way of a fault."""
        return self._obstacles.why_not(fault)

    async def open(self, peers: Sequence[str], faults: Collection[type[Fault]] = ()) -> None:
        """Create the network and all containers, and start the Grapes."""
        if too_many := why_too_many(len(GRAPES) + len(peers)):
            raise CannotRun(too_many)
        await asyncio.to_thread(self._check_images)
        await asyncio.to_thread(self._remove_leftovers)
        self._sabotage = Sabotage(faults)
        await self._compose("create", "--no-build", files=[COMPOSE_FILE, self._write_composition(peers)])
        self._containers = await asyncio.to_thread(self._find)
        await self._start_saboteur(peers)
        await asyncio.gather(*(self.start(name) for name in self._containers if name not in peers))

    async def start(self, peer: str) -> None:
        """Start a container; learn the port that Docker publishes it at this time, and its new network."""
        if peer in self._full:
            # It should have ended by now, or may never have come to write.
            del self._full[peer]
            await self.kill(peer)
        container = await asyncio.to_thread(self._start, peer)
        (network,) = container.attrs["NetworkSettings"]["Networks"].values()
        await self._sabotage.enter(peer, network["IPAddress"], f"/proc/{container.attrs['State']['Pid']}/ns/net")

    async def kill(self, peer: str) -> None:
        """Kill a container, and wait until it is gone."""
        self._started.pop(peer)
        await asyncio.to_thread(_kill, self._containers[peer])

    async def stop(self, peer: str) -> int:
        """Ask a container's process to end (SIGTERM); one that does not is killed, and its exit code tells."""
        self._started.pop(peer)
        container = self._containers[peer]
        await asyncio.to_thread(container.stop, timeout=int(STOP_TIMEOUT_S))
        return int((await asyncio.to_thread(container.wait))["StatusCode"])

    async def pause(self, peer: str) -> None:
        """Freeze a container's processes."""
        await asyncio.to_thread(_freeze, self._containers[peer])

    async def resume(self, peer: str) -> None:
        """Let a container's processes go on."""
        await asyncio.to_thread(self._containers[peer].unpause)

    async def torment(self, fault: Torment) -> None:
        """Hurt links, clocks and disks."""
        if isinstance(fault, FillDisk):
            self._full[fault.peer] = None
        await self._sabotage.torment(fault)

    def door(self, peer: str) -> Address:
        """Return the port on loopback that leads into the peer's container."""
        return Address("127.0.0.1", self._ports[peer])

    def disk(self, peer: str) -> dict[str, Copy]:
        """Leave it to the peer to show what it holds."""
        return {}

    async def crashed(self) -> list[str]:
        """Tell of every container that was started and is not running."""
        return await asyncio.to_thread(self._crashed)

    async def logs(self) -> dict[str, str]:
        """Ask Docker for all that each container has said, in all its lives."""
        names = list(self._containers)
        said = await asyncio.gather(*(asyncio.to_thread(self._containers[name].logs) for name in names))
        return {name: log.decode(errors="replace") for name, log in zip(names, said, strict=True)}

    async def close(self) -> None:
        """Keep the logs, then remove containers, volumes and network."""
        await self._sabotage.close()
        await asyncio.to_thread(self._remove, self._project, self._directory / "logs")
        self._docker.close()

    def _check_images(self) -> None:
        for image in IMAGES:
            if not self._has(image):
                raise CannotRun(_no_image(image))

    @functools.cached_property
    def _obstacles(self) -> Obstacles:
        # Asked once: a torture wishes for thousands of faults.
        missing = {image: "" if self._has(image) else _no_image(image) for image in (SABOTEUR_IMAGE, CLOCKED_IMAGE)}
        no_saboteur = missing[SABOTEUR_IMAGE]
        return Obstacles(links=no_saboteur, disks=no_saboteur, clocks=no_saboteur or missing[CLOCKED_IMAGE])

    def _has(self, image: str) -> bool:
        try:
            self._docker.images.get(image)
        except ImageNotFound:
            return False
        return True

    def _write_composition(self, peers: Sequence[str]) -> Path:
        needs = self._sabotage
        file = self._directory / "compose.json"
        changes = composition(
            str(COMPOSE_FILE),
            peers,
            disks=needs.does_disks,
            clocks=needs.does_clocks,
            saboteur=bool(needs.prepared),
        )
        file.write_text(json.dumps(changes, indent=2), encoding="utf-8")
        return file

    async def _start_saboteur(self, peers: Sequence[str]) -> None:
        # Compose has created it, and it is no place of the scenario.
        saboteur = self._containers.pop(SABOTEUR, None)
        if saboteur is not None:
            python = ("python3", "-I", "-S", "/opt/saboteur/delay.py")
            means = Means(("docker", "start", "--attach", "--interactive", str(saboteur.id)), python, DISKS, CLOCKS)
            (self._directory / "logs").mkdir(exist_ok=True)
            await self._sabotage.open(means, peers, self._directory / "logs" / f"{SABOTEUR}.err.log")

    async def _compose(self, *arguments: str, files: Sequence[Path]) -> None:
        compose = await asyncio.create_subprocess_exec(
            "docker",
            *("compose", "-p", self._project, *(f"--file={file}" for file in files), *arguments),
            env={
                **os.environ,
                "GRAPEVINE_PEER_IMAGE": self._peer_image,
                "GRAPEVINE_GRAPE1_PORT": "",
                "GRAPEVINE_GRAPE2_PORT": "",
                "GRAPEVINE_NETWORK_KEY": self.network_key.decode(),
                "GRAPEVINE_SNAPSHOT_EVERY": str(self._snapshot_every or ""),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said, _ = await compose.communicate()
        except asyncio.CancelledError:
            # Killed, it would leave the engine creating what comes after everything has been removed.
            await compose.communicate()
            raise
        if compose.returncode:
            raise CannotRun(f"docker compose failed: {said.decode(errors='replace').strip()}")

    def _find(self) -> dict[str, Container]:
        found = self._docker.containers.list(all=True, filters={"label": self._label})
        return dict(sorted((_name(container), container) for container in found))

    def _start(self, name: str) -> Container:
        container = self._containers[name]
        container.start()
        self._started[name] = None
        container.reload()
        if published := container.ports.get(PEER_PORT):
            self._ports[name] = int(published[0]["HostPort"])
        return container

    def _crashed(self) -> list[str]:
        # One request tells of all; only the dead are asked about one by one.
        listed = self._docker.containers.list(all=True, sparse=True, filters={"label": self._label})
        ended = {container.id for container in listed if container.status not in ("running", "paused")}
        found: list[str] = []
        for name in self._started.keys() - self._full.keys():
            container = self._containers[name]
            if container.id in ended:
                container.reload()
                # It may have been started or killed on purpose since it was listed.
                if name in self._started and container.status == "exited":
                    found.append(f"{name} ended by itself with exit code {container.attrs['State']['ExitCode']}")
        return found

    def _remove_leftovers(self) -> None:
        labels = [each.labels for each in self._containers_of(PROJECT_LABEL)]
        # A run may have been killed while it took things away, and containers go first.
        labels += [each.attrs["Labels"] for each in self._docker.networks.list(filters={"label": PROJECT_LABEL})]
        labels += [each.attrs["Labels"] for each in self._docker.volumes.list(filters={"label": PROJECT_LABEL})]
        for project in dict.fromkeys(label[PROJECT_LABEL] for label in labels):
            found = _OURS.fullmatch(project)
            if found and not is_alive(int(found[1])):
                self._remove(project)

    def _remove(self, project: str, logs: Path | None = None) -> None:
        """Remove all that carries the project's name; with `logs`, keep there what each container has said."""
        label = f"{PROJECT_LABEL}={project}"
        if logs is not None:
            logs.mkdir(exist_ok=True)
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda container: _remove_container(container, logs), self._containers_of(label)))
        for network in self._docker.networks.list(filters={"label": label}):
            with suppress(NotFound):
                network.remove()
        for volume in self._docker.volumes.list(filters={"label": label}):
            with suppress(NotFound):
                volume.remove()

    def _containers_of(self, label: str) -> list[Container]:
        # Other runs come and go meanwhile.
        return self._docker.containers.list(all=True, filters={"label": label}, ignore_removed=True)


def _freeze(container: Container) -> None:
    # Docker gives up where not all processes have stopped within a moment, as on a busy machine.
    for _ in range(FREEZE_ATTEMPTS - 1):
        try:
            return container.pause()
        except APIError:
            continue
    return container.pause()


def _remove_container(container: Container, logs: Path | None) -> None:
    try:
        if logs is not None:
            (logs / f"{_name(container)}.log").write_bytes(container.logs())
        container.remove(force=True, v=True)
    except NotFound:
        pass
    except APIError as error:
        # Another run has found the same leftovers, and is removing it.
        if error.status_code != CONFLICT:
            raise
        with suppress(NotFound):
            container.wait(condition="removed")


def _name(container: Container) -> str:
    return str(container.labels[SERVICE_LABEL])


def _no_image(image: str) -> str:
    return f"the image {image} is missing (`make images` builds it)"


def _kill(container: Container) -> None:
    try:
        container.kill()
    except APIError as error:
        # It has ended by itself already.
        if error.status_code != CONFLICT:
            raise
    container.wait()
