"""Status: what a charger does, in the words of the model (easee_cloud.md 2.3)."""

from datetime import datetime
from typing import Final

from ..station.enums import ConnectorStatus
from ..station.model import Fault
from .enums import OpMode
from .feed import Feed
from .ids import ChargerId as Id
from .told_sessions import EVSE

STATUSES: Final[dict[OpMode, ConnectorStatus]] = {
    OpMode.DISCONNECTED: ConnectorStatus.AVAILABLE,
    OpMode.AWAITING_START: ConnectorStatus.SUSPENDED_EVSE,
    OpMode.CHARGING: ConnectorStatus.CHARGING,
    OpMode.COMPLETED: ConnectorStatus.SUSPENDED_EV,
    OpMode.ERROR: ConnectorStatus.FAULTED,
    OpMode.READY_TO_CHARGE: ConnectorStatus.SUSPENDED_EV,
    OpMode.AWAITING_AUTHENTICATION: ConnectorStatus.PREPARING,
    OpMode.DEAUTHENTICATING: ConnectorStatus.FINISHING,
    OpMode.STARTING: ConnectorStatus.PREPARING,
    OpMode.STOPPING: ConnectorStatus.FINISHING,
    OpMode.AWAITING_LOAD_BALANCING: ConnectorStatus.SUSPENDED_EVSE,
    OpMode.AWAITING_AUTHORIZATION: ConnectorStatus.PREPARING,
    OpMode.AWAITING_SMART_START: ConnectorStatus.SUSPENDED_EVSE,
    OpMode.AWAITING_SCHEDULED_START: ConnectorStatus.SUSPENDED_EVSE,
    OpMode.AUTHENTICATING: ConnectorStatus.PREPARING,
    OpMode.PAUSED_BY_EQUALIZER: ConnectorStatus.SUSPENDED_EVSE,
    OpMode.SEARCHING_FOR_PRIMARY: ConnectorStatus.UNAVAILABLE,
    OpMode.ERRATIC_VEHICLE: ConnectorStatus.FAULTED,
    OpMode.TOO_HOT: ConnectorStatus.FAULTED,
    OpMode.DEAD_POWER_BOARD: ConnectorStatus.FAULTED,
    OpMode.OVERCURRENT: ConnectorStatus.FAULTED,
    OpMode.PEN_FAULT: ConnectorStatus.FAULTED,
}
"""What each mode is in the model; one that is not here says nothing of the EVSE."""

# In the words of OCPP 1.6 (7.6), which is what other chargers say.
_ERRORS: Final[dict[OpMode | None, str]] = {
    OpMode.ERRATIC_VEHICLE: "EVCommunicationError",
    OpMode.TOO_HOT: "HighTemperature",
    OpMode.DEAD_POWER_BOARD: "InternalError",
    OpMode.OVERCURRENT: "OverCurrentFailure",
    OpMode.PEN_FAULT: "GroundFailure",
}
_OTHER_ERROR: Final = "OtherError"
_INTERNAL_ERROR: Final = "InternalError"

_OF_STATUS: Final = (Id.CHARGER_OP_MODE, Id.IS_ENABLED)
_OF_SUSPENSION: Final = (Id.CHARGER_OP_MODE, Id.REASON_FOR_NO_CURRENT)
_OF_FAULT: Final = (
    Id.CHARGER_OP_MODE,
    Id.ERROR_CODE,
    Id.ERROR_STRING,
    Id.FATAL_ERROR_CODE,
)


class StatusFeed:
    """Puts status, fault and cable into the EVSE of a charger."""

    def __init__(self, feed: Feed) -> None:
        """Begin with what the station has."""
        self._feed = feed

    def take(self, number: int) -> None:
        """Show what belongs to an observation that is news."""
        if number in _OF_STATUS:
            self._show_status()
        if number in _OF_FAULT:
            self._show_fault()
        if number in _OF_SUSPENSION:
            self._show_suspension()
        if number == Id.CABLE_RATING:
            self._show_cable()

    def refresh(self) -> None:
        """Show everything as it is, now that nobody else tells."""
        self._show_status()
        self._show_fault()
        self._show_suspension()
        self._show_cable()

    def _show_cable(self) -> None:
        feed = self._feed
        if (rating := feed.readings.number(Id.CABLE_RATING)) is not None:
            at = feed.readings.channel(Id.CABLE_RATING).at
            feed.source.state(feed.evse.cable_rating, round(rating) or None, at)

    def _show_status(self) -> None:
        feed, mode = self._feed, self._feed.mode
        at = feed.readings.channel(Id.CHARGER_OP_MODE).at
        if mode is None or at is None or (status := STATUSES.get(mode)) is None:
            return
        disabled = feed.readings.flag(Id.IS_ENABLED) is False
        shown = status
        if disabled and status is ConnectorStatus.AVAILABLE:
            shown = ConnectorStatus.UNAVAILABLE
        if feed.source.state(feed.evse.status, shown, self._newest(_OF_STATUS)):
            feed.transactions.status(EVSE, status, feed.source.moment(at))

    def _show_fault(self) -> None:
        feed, readings = self._feed, self._feed.readings
        code = readings.number(Id.ERROR_CODE) or 0
        fatal = readings.number(Id.FATAL_ERROR_CODE) or 0
        failed = (
            feed.mode is not None and STATUSES.get(feed.mode) is ConnectorStatus.FAULTED
        )
        fault = None
        if code or fatal or failed:
            other = _INTERNAL_ERROR if fatal else _OTHER_ERROR
            number = int(fatal or code)
            fault = Fault(
                error_code=_ERRORS.get(feed.mode, other),
                vendor_error_code=str(number) if number else None,
                vendor_id="Easee",
                info=readings.text(Id.ERROR_STRING) or None,
            )
        if (newest := self._newest(_OF_FAULT)) is not None:
            feed.source.state(feed.evse.fault, fault, newest)

    def _show_suspension(self) -> None:
        """Show why nothing is given, where the charger would say so itself (S21)."""
        feed, status = self._feed, self._feed.evse.status
        if feed.source.alone or not status.filled:
            return
        reason = None
        if status.value is ConnectorStatus.SUSPENDED_EVSE:
            reason = feed.readings.number(Id.REASON_FOR_NO_CURRENT)
        code = str(int(reason)) if reason else None
        feed.source.state(feed.evse.suspension, code, self._newest(_OF_SUSPENSION))

    def _newest(self, numbers: tuple[Id, ...]) -> datetime | None:
        """Return when the newest of some observations was made."""
        known = (self._feed.readings.channel(one).at for one in numbers)
        return max((one for one in known if one is not None), default=None)
