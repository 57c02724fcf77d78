"""When a call is made again, as named tenacity policies.

They retry one call at the edge; sending again what another peer must learn is the caller's business.
A test passes `policy.copy(sleep=...)`.
"""

from __future__ import annotations

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pygrenache.errors import ConnectFailed, ConnectionLost

# All Grapes refused: one may be just restarting, which takes it about 0.35 s. Everything a Grape is asked
# may be repeated.
GRAPES_UNREACHABLE = AsyncRetrying(
    retry=retry_if_exception_type((ConnectFailed, ConnectionLost)),
    stop=stop_after_attempt(3),
    wait=wait_random_exponential(multiplier=0.1, max=0.5),
    reraise=True,
)
