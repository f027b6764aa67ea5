"""Words of OCPP 2.x and their meaning in the model."""

from typing import Any

from ...station.enums import ChargingState
from ...station.model import StationInfo
from ..boot import text
from ..words import snake

_STATES = {state.replace("_", ""): state for state in ChargingState}


def charging_state(word: str | None) -> ChargingState | None:
    """Return a ChargingStateEnumType, None for none or an invented word."""
    return None if word is None else _STATES.get(snake(word).replace("_", ""))


def station_info(payload: dict[str, Any]) -> StationInfo:
    """Return who a station says it is in its BootNotification (2.x B01)."""
    # Some stations write the fields of 1.6 instead.
    station = payload.get("chargingStation") or payload
    modem = station.get("modem") or {}
    return StationInfo(
        vendor=text(station, "vendorName") or text(station, "chargePointVendor"),
        model=text(station, "model") or text(station, "chargePointModel"),
        serial=text(station, "serialNumber")
        or text(station, "chargePointSerialNumber"),
        firmware=text(station, "firmwareVersion"),
        iccid=text(modem, "iccid"),
        imsi=text(modem, "imsi"),
    )
