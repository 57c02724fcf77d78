"""What can go wrong with a call, as one small tree; each error says whether the call surely had no effect.

`definite` is that claim: True means that nothing happened at the other side, False means that nobody here
can know. A class has its usual answer, an instance may differ: after several attempts a failure is definite
only if each was.
"""

from __future__ import annotations


class GrenacheError(Exception):
    """The call failed."""

    definite: bool = False

    def __init__(self, message: str, *, definite: bool | None = None) -> None:
        super().__init__(message)
        if definite is not None:
            self.definite = definite


class BadCall(GrenacheError, ValueError):
    """The arguments cannot be sent: an empty name, a port out of range, a value JSON has no form for."""

    definite = True


class ConnectFailed(GrenacheError):
    """No connection came about, so not a byte of the call was sent."""

    definite = True


class LookupEmpty(GrenacheError):
    """Nobody is announced under the name."""

    definite = True


class ConnectionLost(GrenacheError):
    """The connection ended after the call was sent and before its reply was whole."""


class RequestTimeout(GrenacheError):
    """The reply did not come in time."""


class ProtocolError(GrenacheError):
    """What came back is not a reply."""


class GrapeError(GrenacheError):
    """A Grape answered with an error; `str(error)` is the Grape's own text."""


class RemoteError(GrenacheError):
    """The worker answered with an error; `str(error)` is exactly the worker's text."""

    @property
    def code(self) -> str:
        """The part before the first colon, `ERR_X` of `ERR_X: sentence`."""
        return str(self).partition(":")[0]


class RpcError(Exception):
    """Raised by a handler to refuse a request; its text, `ERR_X: sentence`, is what the client is told."""
