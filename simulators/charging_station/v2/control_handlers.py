"""The rest of the library's handlers, and what OCPP 2.1 adds, by the control interface."""

from datetime import datetime

from ..control import Act
from .battery_swap import Battery
from .station import ChargingStation
from .values import (
    ChargingState,
    EventData,
    FirmwareStatus,
    Get15118EVCertificateRequest,
    IdToken,
    Json,
    LogStatus,
    MeterValue,
    Reason,
    ReservationStatus,
    SampledValue,
    TriggerReason,
)


def _place(body: Json) -> tuple[int, int]:
    return body.get("evse", 1), body.get("connector", 1)


def _token(body: Json) -> IdToken | None:
    if (token := body.get("token")) is None:
        return None
    return IdToken(id_token=token, type=body.get("type", "ISO14443"))


def _meter(station: ChargingStation, body: Json) -> MeterValue:
    """Return energy in Wh and power in W as a meter would tell them."""
    values = [SampledValue(value=body.get("energy", 0.0), unit="Wh")]
    if "power" in body:
        values.append(
            SampledValue(value=body["power"], measurand="Power.Active.Import", unit="W")
        )
    return MeterValue(timestamp=station.clock(), values=tuple(values))


# Handlers of the real library, under their own names


async def _authorized(station: ChargingStation, body: Json) -> None:
    token = IdToken(id_token=body["token"], type=body.get("type", "ISO14443"))
    await station.on_authorized(*_place(body), token)


async def _charging_state_changed(station: ChargingStation, body: Json) -> None:
    state = ChargingState(body["state"])
    await station.on_charging_state_changed(body.get("evse", 1), state)


async def _enabled(station: ChargingStation, body: Json) -> None:
    await station.on_enabled(*_place(body))


async def _ev_charging_needs(station: ChargingStation, body: Json) -> None:
    await station.on_ev_charging_needs(body.get("evse", 1), body["needs"])


async def _event(station: ChargingStation, body: Json) -> None:
    event = EventData(
        event_id=body.get("event", 1),
        timestamp=station.clock(),
        component=body["component"],
        variable=body["variable"],
        actual_value=str(body["value"]),
        cleared=body.get("cleared"),
        severity=body.get("severity"),
        tech_code=body.get("code"),
        tech_info=body.get("info"),
    )
    await station.on_event([event])


async def _fault_cleared(station: ChargingStation, body: Json) -> None:
    await station.on_fault_cleared(*_place(body))


async def _faulted(station: ChargingStation, body: Json) -> None:
    await station.on_faulted(*_place(body))


async def _firmware_status(station: ChargingStation, body: Json) -> None:
    status = FirmwareStatus(body["status"])
    await station.on_firmware_update_status_notification(
        body.get("request_id", -1), status
    )


async def _get_15118_ev_certificate(station: ChargingStation, body: Json) -> None:
    request = Get15118EVCertificateRequest(
        action=body.get("action", "Install"),
        exi_request=body.get("exi", ""),
        iso15118_schema_version=body.get("schema", "urn:iso:15118:2:2013:MsgDef"),
    )
    await station.on_get_15118_ev_certificate_request(request)


async def _log_status(station: ChargingStation, body: Json) -> None:
    status = LogStatus(body["status"])
    await station.on_log_status_notification(status, body.get("request_id", 0))


async def _meter_value(station: ChargingStation, body: Json) -> None:
    station.box.metered = False
    await station.on_meter_value(body.get("evse", 1), _meter(station, body))


async def _reservation_cleared(station: ChargingStation, body: Json) -> None:
    await station.on_reservation_cleared(*_place(body))


async def _reservation_status(station: ChargingStation, body: Json) -> None:
    status = ReservationStatus(body["status"])
    await station.on_reservation_status(body["reservation"], status)


async def _reserved(station: ChargingStation, body: Json) -> None:
    await station.on_reserved(*_place(body))


async def _session_finished(station: ChargingStation, body: Json) -> None:
    await station.on_session_finished(*_place(body))


async def _session_started(station: ChargingStation, body: Json) -> None:
    await station.on_session_started(*_place(body))


async def _transaction_finished(station: ChargingStation, body: Json) -> None:
    await station.on_transaction_finished(
        body.get("evse", 1),
        station.clock(),
        _meter(station, body),
        Reason(body.get("reason", "Local")),
        TriggerReason(body.get("trigger", "StopAuthorized")),
        _token(body),
        None,
        ChargingState(body.get("state", "EVConnected")),
    )


async def _transaction_started(station: ChargingStation, body: Json) -> None:
    started = body.get("timestamp")
    await station.on_transaction_started(
        *_place(body),
        body["session"],
        datetime.fromisoformat(started) if started else station.clock(),
        TriggerReason(body.get("trigger", "Authorized")),
        _meter(station, body),
        _token(body),
        None,
        body.get("reservation"),
        body.get("remote_start"),
        ChargingState(body.get("state", "EVConnected")),
    )


async def _unavailable(station: ChargingStation, body: Json) -> None:
    await station.on_unavailable(*_place(body))


async def _variable_changed(station: ChargingStation, body: Json) -> None:
    station.model.put(
        f"{body['component']['name']}.{body['variable']['name']}", str(body["value"])
    )
    await station.on_variable_changed(body)


# What OCPP 2.1 adds


async def _der_alarm(station: ChargingStation, body: Json) -> None:
    await station.der.alarm(
        body["kind"], ended=body.get("ended", False), fault=body.get("fault")
    )


async def _hurry(station: ChargingStation, body: Json) -> None:
    await station.dynamic.hurry(body.get("evse", 1), on=body.get("on", True))


async def _limit(station: ChargingStation, body: Json) -> None:
    transaction = station.transactions.running[body.get("evse", 1)]
    station.limits.set(transaction, body["limit"])


async def _put_battery_in(station: ChargingStation, body: Json) -> None:
    battery = Battery(serial=body["serial"], soc=float(body.get("soc", 20)))
    await station.swap.put_in(body.get("evse", 1), battery, _token(body))


async def _settle(station: ChargingStation, body: Json) -> None:
    await station.tariffs.settle(body["transaction"], float(body["amount"]))


async def _take_battery_out(station: ChargingStation, body: Json) -> None:
    await station.swap.take_out(timeout=body.get("timeout", False))


async def _validate_vat(station: ChargingStation, body: Json) -> None:
    await station.tariffs.validate_vat(body["number"], body.get("evse", 1))


HANDLERS: dict[str, Act[ChargingStation]] = {
    "authorized": _authorized,
    "charging_state_changed": _charging_state_changed,
    "der_alarm": _der_alarm,
    "enabled": _enabled,
    "ev_charging_needs": _ev_charging_needs,
    "event": _event,
    "fault_cleared": _fault_cleared,
    "faulted": _faulted,
    "firmware_status": _firmware_status,
    "get_15118_ev_certificate": _get_15118_ev_certificate,
    "hurry": _hurry,
    "limit": _limit,
    "log_status": _log_status,
    "meter_value": _meter_value,
    "put_battery_in": _put_battery_in,
    "reservation_cleared": _reservation_cleared,
    "reservation_status": _reservation_status,
    "reserved": _reserved,
    "session_finished": _session_finished,
    "session_started": _session_started,
    "settle": _settle,
    "take_battery_out": _take_battery_out,
    "transaction_finished": _transaction_finished,
    "transaction_started": _transaction_started,
    "unavailable": _unavailable,
    "validate_vat": _validate_vat,
    "variable_changed": _variable_changed,
}
