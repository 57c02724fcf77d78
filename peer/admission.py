"""Who belongs to the network: an envelope counts only with a code that the network's key makes. Pure.

The rule: the code is checked before anything else of an envelope is read. A network without a key is an open one.
"""

from __future__ import annotations

import hmac
from typing import Any

from pydantic import TypeAdapter, ValidationError

from peer.codes import Refusal
from peer.messages import Contents, Envelope
from peer.requests import EvictPeer, refusal_of

_CONTENTS = TypeAdapter(Contents)


class Network:
    """The peers that share a key."""

    def __init__(self, key: bytes = b"") -> None:
        self._key = key
        # Worked in once; each envelope's code begins with a copy.
        self._keyed = hmac.new(key, digestmod="sha256")

    def seal(self, sender: str, to: str, port: int, contents: Contents) -> dict[str, Any]:
        """Put contents into an envelope, and return that as the JSON object that goes on the wire."""
        body = _CONTENTS.dump_json(contents, exclude_none=True).decode()
        mac = self._mac(sender, to, port, body)
        return {"type": "ENVELOPE", "sender": sender, "to": to, "port": port, "mac": mac, "body": body}

    def admits(self, envelope: Envelope) -> bool:
        """Tell whether a member has sealed this envelope."""
        return hmac.compare_digest(self._mac(envelope.sender, envelope.to, envelope.port, envelope.body), envelope.mac)

    def authorises(self, me: str, request: EvictPeer) -> bool:
        """Tell whether an operator who has the network's key asks this peer; in an open network everybody may."""
        return not self._key or hmac.compare_digest(eviction_mac(self._key, me, request), request.mac or "")

    def _mac(self, sender: str, to: str, port: int, body: str) -> str:
        code = self._keyed.copy()
        code.update(f"{sender} {to} {port} {body}".encode())
        return code.hexdigest()


def eviction_mac(key: bytes, asked: str, request: EvictPeer) -> str:
    """Return what authorises an operator's request to one peer, hex."""
    text = f"grapevine evict {request.peer_id} at {asked} {'forced' if request.force else 'unforced'}"
    return hmac.digest(key, text.encode(), "sha256").hex()


def read_envelope(payload: object) -> Envelope | Refusal:
    """Read the outside of an envelope."""
    try:
        return Envelope.model_validate(payload)
    except ValidationError as error:
        return refusal_of(error, "ENVELOPE")


def read_contents(envelope: Envelope) -> Contents | Refusal:
    """Read what is in an envelope."""
    try:
        return _CONTENTS.validate_json(envelope.body)
    except ValidationError as error:
        return refusal_of(error, "ENVELOPE")
