"""Adapters: what translates one OCPP version to the model, and what it needs."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..station.clock import Clock
from ..station.link import Link
from ..station.model import ChargingStation
from .turnstile import Turnstile

if TYPE_CHECKING:
    import asyncio

    from ..station.authorization import Authorizer
    from ..station.journal import Journal
    from ..station.transactions import Transactions
    from .rpc import Reply


@dataclass(kw_only=True, slots=True, frozen=True)
class Registration:
    """What belongs to an approved identity, whether it is connected or not."""

    station: ChargingStation
    transactions: Transactions
    journal: Journal
    authorizer: Authorizer


@dataclass(kw_only=True, slots=True)
class StationContext:
    """What an adapter works with; it lives as long as the station's approval.

    `call(action, payload, timeout)` sends one CALL and raises as `Rpc.call` does.
    `spawn(coroutine, name)` starts a background task of this station, which survives
    a reconnect and is cancelled when the adapter is closed. `setups` is what stations
    pass that are to be set up.
    """

    station: ChargingStation
    transactions: Transactions
    journal: Journal
    authorizer: Authorizer
    clock: Clock
    call: Callable[[str, dict[str, Any], float], Awaitable[dict[str, Any]]]
    connected: Callable[[], bool]
    spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
    setups: Turnstile = field(default_factory=Turnstile)


class Adapter(Protocol):
    """One OCPP version of one station."""

    link: Link

    def handle(self, action: str, payload: dict[str, Any]) -> Reply | Awaitable[Reply]:
        """Answer a validated CALL of the station; raises RpcError to refuse it."""

    def attached(self) -> None:
        """Take note that a socket of the station is up, or up again."""

    def detached(self) -> None:
        """Take note that the socket is gone."""

    def settings_changed(self) -> None:
        """Take note of new settings of the station, whose socket is up."""

    async def close(self) -> None:
        """Write what is pending and let go of the station."""


type AdapterFactory = Callable[[StationContext], Adapter]
