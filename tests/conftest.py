"""Settings that every test shares; what only some need lives beside them."""

from __future__ import annotations

import os

from hypothesis import settings

# Ryuk, the cleaning container of testcontainers, is pulled from a registry; our fixtures clean up themselves.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
# Ports are published on loopback; inside a container testcontainers would guess the bridge's gateway.
os.environ.setdefault("TC_HOST", "127.0.0.1")
os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
# Seconds between two looks at a starting container; the default, 1, is most of such a test's time.
os.environ.setdefault("TC_POOLING_INTERVAL", "0.05")
# The patience is counted in looks: two minutes of them.
os.environ.setdefault("TC_MAX_TRIES", "2400")

# A deadline per example judges the machine's load, not the code. In CI the same examples come every time.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
