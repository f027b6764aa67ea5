"""Adapter: the messages of an OCPP 2.x station, each to the block that answers it."""

from dataclasses import replace
from typing import override

from ...station.clock import CallLater, call_later as loop_call_later
from ...station.link import Link
from ..adapter import StationContext
from ..blocks import Answer, Answering, BlockAdapter
from ..boot import Boot, BootFacts, Caller
from ..oddities import Oddities
from ..security import SecurityBlock
from ..signed import SignedArchive
from .authorization import Authorization
from .availability import Availability
from .battery_swap import BatterySwapBlock
from .external_limits import ExternalLimits
from .flexible import FlexibleCharging
from .grid import GridBlock
from .link import V201Link
from .mapping import station_info
from .metering import MeterValues
from .monitoring import MonitoringBlock
from .notifications import EventNotifications
from .open_transactions import OpenTransactions
from .reports import Reports
from .session_limits import SessionLimitWords
from .setup import Setup
from .transactions import TransactionBlock
from .variable_events import VariableEvents
from .vehicle import Vehicles
from .vehicle_certificates import VehicleCertificates


class V201Adapter(BlockAdapter):
    """OCPP 2.0.1 or 2.1 of one station."""

    def __init__(
        self, context: StationContext, *, call_later: CallLater = loop_call_later
    ) -> None:
        """Translate between the station's messages and the model of `context`."""
        caller = Caller(context)
        context = replace(context, call=caller)
        oddities = Oddities(context.station.identity)
        reports = Reports(context, call_later)
        link = V201Link(context, reports)
        self.link: Link = link
        setup = Setup(context, link)
        availability = Availability(context, oddities, call_later)
        archive = SignedArchive(context)
        metering = MeterValues(context, archive, oddities)
        notifications = EventNotifications(context, oddities)
        events = VariableEvents(
            context,
            availability=availability,
            device_model=link.device_model,
            metering=metering,
            monitors=link.monitoring.monitors,
            oddities=oddities,
        )
        monitoring = MonitoringBlock(
            context,
            commands=link.monitoring,
            events=events,
            oddities=oddities,
            reports=reports,
        )
        authorization = Authorization(context)
        security = SecurityBlock(context, oddities)
        self.transactions = transactions = TransactionBlock(
            context,
            metering,
            archive,
            authorization,
            availability,
            oddities,
            link.remote_starts,
            call_later,
        )
        """What answers events: others add to its answers (`additions`)."""
        self._open_transactions = OpenTransactions(
            context, link, link.transactions, transactions, call_later
        )
        external = ExternalLimits(context, oddities)
        # Further blocks, each with the answers to its own messages.
        blocks: tuple[Answering, ...] = (
            BatterySwapBlock(context, link.battery_swaps),
            external,
            FlexibleCharging(context, oddities),
            GridBlock(context),
            events,
            monitoring,
            VehicleCertificates(context),
            Vehicles(context, link, oddities),
        )

        def restarted() -> None:
            availability.booted()
            events.restarted()
            external.restarted()

        facts = BootFacts(info=station_info, restarted=restarted)
        boot = Boot(context, caller, facts, link, setup, call_later)
        answers: dict[str, Answer] = {
            "Authorize": authorization.authorize,
            "BootNotification": boot.boot_notification,
            "DataTransfer": notifications.data_transfer,
            "FirmwareStatusNotification": notifications.firmware_status,
            "Heartbeat": boot.heartbeat,
            "LogStatusNotification": notifications.log_status,
            "MeterValues": metering.meter_values,
            "NotifyReport": reports.notify_report,
            "ReportChargingProfiles": reports.report_charging_profiles,
            "ReportDERControl": reports.report_controls,
            "ReservationStatusUpdate": notifications.reservation_status,
            "SecurityEventNotification": security.security_event,
            "SignCertificate": security.sign_certificate,
            "StatusNotification": availability.status_notification,
            "TransactionEvent": transactions.transaction_event,
        }
        answers |= link.facet_answers
        for block in blocks:
            answers |= block.answers
        limits = SessionLimitWords(context, link)
        transactions.additions += [link.costs.addition, limits.addition]
        authorization.greeting = link.costs.greet
        super().__init__(
            context.station,
            boot=boot,
            statuses=availability,
            setup=setup,
            answers=answers,
        )

    @override
    def attached(self) -> None:
        """Take note that a socket of the station is up, or up again."""
        super().attached()
        self._open_transactions.attached()

    @override
    def detached(self) -> None:
        """Take note that the socket is gone."""
        super().detached()
        self._open_transactions.detached()

    @override
    async def close(self) -> None:
        """Let go of the station; what runs for it is cancelled by its context."""
        self._open_transactions.detached()
        await self.transactions.close()
        await super().close()
