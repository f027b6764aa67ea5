"""Blocks: an adapter whose messages are answered by one block each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, override

from ..station.model import ChargingStation
from ..station.settings import StationSettings
from .adapter import Adapter
from .availability import Statuses
from .boot import Boot, Preparation
from .errors import ErrorCode, RpcError
from .rpc import Reply

type Answer = Callable[[dict[str, Any]], Reply | Awaitable[Reply]]


class Answering(Protocol):
    """A block that answers messages of a station."""

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""


class BlockAdapter(Adapter):
    """One OCPP version of one station, by a table of its messages."""

    def __init__(
        self,
        station: ChargingStation,
        *,
        boot: Boot,
        statuses: Statuses,
        setup: Preparation,
        answers: Mapping[str, Answer],
    ) -> None:
        """Answer by `answers`, action by action."""
        self._station = station
        self._set_up = _set_up_by(station.settings)
        self._boot = boot
        self._statuses = statuses
        self.setup = setup
        self._answers = answers

    @override
    def handle(self, action: str, payload: dict[str, Any]) -> Reply | Awaitable[Reply]:
        """Answer a validated CALL of the station; raises RpcError to refuse it."""
        if (answer := self._answers.get(action)) is None:
            raise RpcError(ErrorCode.NOT_SUPPORTED)
        if action != "BootNotification" and not self._station.local.value:
            # It goes on without a boot, as after a short loss of its network.
            self._station.local.set(True)
        return answer(payload)

    @override
    def attached(self) -> None:
        """Take note that a socket of the station is up, or up again."""
        self._boot.attached()

    @override
    def detached(self) -> None:
        """Take note that the socket is gone."""
        self._boot.detached()

    @override
    def settings_changed(self) -> None:
        """Bring the station in line with new settings that set-up writes to it."""
        if (wanted := _set_up_by(self._station.settings)) != self._set_up:
            self._set_up = wanted
            self.setup.start()

    @override
    async def close(self) -> None:
        """Let go of the station; what runs for it is cancelled by its context."""
        self._boot.close()
        self._statuses.close()


def _set_up_by(settings: StationSettings) -> tuple[object, ...]:
    """Return the settings that set-up brings to a station: values and limits."""
    return (
        settings.phases,
        settings.maximum_current,
        settings.fallback_current,
        settings.measurands,
        settings.meter_interval,
        settings.clock_interval,
        settings.local_list,
        settings.quiet,
    )
