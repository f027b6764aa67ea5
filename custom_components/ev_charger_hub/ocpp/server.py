"""Server: where chargers dial in."""

from ssl import SSLContext
from typing import Protocol

from ..station.clock import Clock
from ..station.settings import StationSettings
from .adapter import Registration
from .session import Session
from .waiting import AdmissionPolicy, Candidate, WaitingRoom

__all__ = ["CentralSystem", "Registrar", "Registration"]


class Registrar(Protocol):
    """Who knows which chargers are approved: the hub."""

    policy: AdmissionPolicy

    def settings(self, identity: str) -> StationSettings | None:
        """Return the settings of an approved charger, None for any other."""

    def context(self, identity: str) -> Registration:
        """Return what belongs to an approved identity."""

    async def accept_unknown(self, candidate: Candidate) -> None:
        """Approve a charger unseen (policy "accept")."""

    def candidate_changed(self, candidate: Candidate) -> None:
        """Take note that a charger waits, or that it told who it is."""


class CentralSystem:
    """An OCPP central system on one port."""

    port: int
    sessions: dict[str, Session]
    waiting: WaitingRoom

    def __init__(
        self,
        *,
        host: str,
        port: int,
        ssl_context: SSLContext | None,
        registrar: Registrar,
        clock: Clock,
        ping_interval: float = 30,
    ) -> None:
        """Prepare a server that does not listen yet; intervals in seconds."""

    async def start(self) -> None:
        """Begin to listen; raises OSError when the port is taken."""

    async def stop(self) -> None:
        """Say goodbye to every charger (1001) and stop listening."""

    async def admit(self, identity: str) -> None:
        """Let a charger in that has just been approved."""

    async def expel(self, identity: str) -> None:
        """Throw a charger out whose approval is withdrawn, or that is refused."""

    async def refresh(self, identity: str) -> None:
        """Close a socket that new settings would no longer let in."""
