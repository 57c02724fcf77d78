"""What a test needs from the machine. Absent, it skips with its reason; where nothing may be skipped, it fails."""

from __future__ import annotations

import functools
import os
import shutil

import docker
import pytest

from testbed.namespaces import why_no_disks, why_no_namespaces


def require(available: bool, reason: str) -> None:
    """Skip the calling test for `reason`, or fail it where `GRAPEVINE_REQUIRE=all` lets nothing be skipped."""
    if available:
        return
    if os.environ.get("GRAPEVINE_REQUIRE") == "all":
        pytest.fail(f"this run may skip nothing, but {reason}", pytrace=False)
    pytest.skip(reason)


@functools.cache
def docker_works() -> bool:
    """Whether a Docker engine answers; asked once, since a dead one is slow to say so."""
    try:
        client = docker.from_env(timeout=5)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except docker.errors.DockerException:
        return False


def require_docker() -> None:
    """Require a Docker engine that answers."""
    require(docker_works(), "no Docker engine answers (`make docker` sets one up on Debian)")


def require_namespaces() -> None:
    """Require what local processes need for cutting links and filling disks: root, above all."""
    require(not why_no_namespaces(), why_no_namespaces())
    require(not why_no_disks(), why_no_disks())


def require_chromium() -> str:
    """Require Chromium, which shows whether the page of a run works in a real browser; return its command."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require(found is not None, "no chromium is on the PATH (Debian: apt-get install chromium)")
    return found or ""


def require_node() -> None:
    """Require Node.js with npm, which run upstream Grape and the Node.js side of the conformance tests."""
    found = shutil.which("node") is not None and shutil.which("npm") is not None
    require(found, "node and npm are not on the PATH")
