"""Adapter: the messages of an OCPP 1.6 station, each to the block that answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, override

from ...station.clock import CallLater, call_later as loop_call_later
from ...station.link import Link
from ...station.settings import StationSettings
from ..adapter import Adapter, StationContext
from ..boot import Boot, BootFacts, Caller
from ..errors import ErrorCode, RpcError
from ..oddities import Oddities
from ..rpc import Reply
from .authorization import Authorization
from .availability import Availability
from .link import V16Link
from .mapping import station_info
from .metering import MeterValues
from .notifications import Notifications
from .security import SecurityBlock
from .setup import Setup
from .signed import SignedArchive
from .transactions import TransactionBlock

type Answer = Callable[[dict[str, Any]], Reply | Awaitable[Reply]]


class V16Adapter(Adapter):
    """OCPP 1.6 of one station."""

    def __init__(
        self, context: StationContext, *, call_later: CallLater = loop_call_later
    ) -> None:
        """Translate between the station's messages and the model of `context`."""
        self._station = context.station
        self._set_up = _set_up_by(context.station.settings)
        caller = Caller(context)
        context = replace(context, call=caller)
        oddities = Oddities(context.station.identity)
        self._link = V16Link(context)
        self.link: Link = self._link
        self.setup = Setup(context, self._link)
        self._availability = Availability(context, oddities, call_later)
        archive = SignedArchive(context)
        metering = MeterValues(context, archive, oddities)
        notifications = Notifications(context, oddities)
        authorization = Authorization(context)
        security = SecurityBlock(context, oddities)
        transactions = TransactionBlock(
            context, metering, archive, oddities, authorization
        )
        facts = BootFacts(info=station_info, restarted=self._availability.booted)
        self._boot = Boot(context, caller, facts, self._link, self.setup, call_later)
        self._answers: dict[str, Answer] = {
            "Authorize": authorization.authorize,
            "BootNotification": self._boot.boot_notification,
            "DataTransfer": notifications.data_transfer,
            "DiagnosticsStatusNotification": notifications.diagnostics_status,
            "FirmwareStatusNotification": notifications.firmware_status,
            "Heartbeat": self._boot.heartbeat,
            "LogStatusNotification": notifications.log_status,
            "MeterValues": metering.meter_values,
            "SecurityEventNotification": security.security_event,
            "SignCertificate": security.sign_certificate,
            "SignedFirmwareStatusNotification": notifications.firmware_status,
            "StartTransaction": transactions.start_transaction,
            "StatusNotification": self._availability.status_notification,
            "StopTransaction": transactions.stop_transaction,
        }

    @override
    def handle(self, action: str, payload: dict[str, Any]) -> Reply | Awaitable[Reply]:
        """Answer a validated CALL of the station; raises RpcError to refuse it."""
        if (answer := self._answers.get(action)) is None:
            raise RpcError(ErrorCode.NOT_SUPPORTED)
        if action != "BootNotification" and not self._station.online.value:
            # It goes on without a boot, as after a short loss of its network.
            self._station.online.set(True)
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
        self._availability.close()


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
