"""Interrupted: counters that went on after they were last kept, before we were killed.

What is kept of a station is some seconds old. Where energy flowed, its counters had
been shown further on, and a counter that falls is money in the energy dashboard. So
they are outdated until the station tells them anew.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from .enums import REGISTERS, ConnectorStatus
from .link import LinkKind
from .model import ChargingStation, Evse, Place
from .shared_register import KEY
from .snapshot import Json, dump_session
from .transaction import Transaction, TransactionState

TOLD_BY: Final = timedelta(minutes=15)
"""What a station tells in its sessions it has told by then."""

AFTER: Final = timedelta(minutes=2)
"""What it tells of a session that is over it has told by then."""

_EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(kw_only=True, slots=True, frozen=True)
class _Flow:
    """Energy that may have flowed since then, and until when if that is known."""

    began: datetime
    ended: datetime | None = None


def resume(station: ChargingStation, kept: Json | None, now: datetime) -> None:
    """Mark what is outdated in what came back of a station, sessions included.

    `kept` is its snapshot. One that was written when the station was let go of is
    true to the last, all but what was outdated already.
    """
    station.resumed_at = now
    kept = kept or {"rested": False}
    killed = not kept.get("rested", True)
    for evse in station.evses.values():
        place = kept.get("evses", {}).get(str(evse.id), {})
        evse.session.outdated = _is_outdated(evse, place, killed=killed)
        if killed and (flow := _flow(evse, place)) is not None:
            _doubt(evse, flow)
            _doubt(station.whole, flow)
            if flow.ended is not None or _is_news(evse.session.value, place):
                _finish(evse, place)


def _is_outdated(evse: Evse, kept: Json, *, killed: bool) -> bool:
    """Return whether the session of an EVSE may have been shown further on."""
    session = evse.session.value
    # What only the cloud tells of a session is kept as soon as it is shown.
    if session is None or session.cloud_only:
        return False
    was_outdated = kept.get("session_outdated") is True
    if session.open:
        return killed or was_outdated
    return was_outdated and session.state is TransactionState.LOST


def _flow(evse: Evse, kept: Json) -> _Flow | None:
    """Return what flowed, or may flow, since an EVSE was kept; None if nothing did."""
    session, kept_at = evse.session.value, evse.station.heartbeat.value
    if session is not None and session.open:
        return _Flow(began=session.started_at)
    if evse.status.value is ConnectorStatus.CHARGING:
        return _Flow(began=evse.status.at or _EVER)
    if session is None or (ended := session.stopped_at) is None:
        return None
    # Some registers are told only after a session.
    recent = kept_at is not None and kept_at - ended < AFTER
    if recent or _is_news(session, kept):
        return _Flow(began=session.started_at, ended=ended)
    return None


def _is_news(session: Transaction | None, kept: Json) -> bool:
    """Return whether a session began, or ended, after a place was kept."""
    return "session" in kept and kept["session"] != dump_session(session)


def _doubt(place: Place, flow: _Flow) -> None:
    """Believe no counter that went on since energy flows, or may have."""
    kept_at, began, ended = place.station.heartbeat.value, flow.began, flow.ended
    soon = kept_at is None or kept_at - (ended or began) < TOLD_BY
    for key, channel in place.measurements.items():
        if key.measurand not in REGISTERS or channel.value is None:
            continue
        if ended is not None and channel.at is not None and channel.at >= ended:
            # It was told what it had come to.
            continue
        told_since = channel.at is None or channel.at >= began
        if told_since or key == KEY or soon:
            channel.outdated = True


def _finish(evse: Evse, kept: Json) -> None:
    """Let the register be where a session ended, which is never lost."""
    session, register = evse.session.value, evse.measurements.get(KEY)
    if session is None or session.cloud_only or register is None:
        return
    end, at = session.meter_stop, session.stopped_at
    if session.state is not TransactionState.CLOSED or end is None or at is None:
        return
    if register.at is not None and at < register.at:
        if not _is_news(session, kept):
            return
        # What was told in a session is no news after it, whatever clocks say.
        at = register.at
    if evse.register is not None:
        evse.register.reach(LinkKind.OCPP, end, at)
    elif register.value is None or end >= register.value:
        register.set(end, at)
