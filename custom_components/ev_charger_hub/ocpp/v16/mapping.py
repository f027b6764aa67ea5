"""Words of OCPP 1.6 and their meaning in the model."""

from typing import Any

from ...station.authorization import Verdict
from ...station.model import StationInfo
from .. import timestamps
from ..boot import text
from ..words import AUTHORIZATIONS


def id_tag_info(verdict: Verdict) -> dict[str, str]:
    """Return an IdTagInfo (OCPP 1.6 7.24)."""
    info = {"status": AUTHORIZATIONS[verdict.status]}
    if verdict.expires is not None:
        info["expiryDate"] = timestamps.render(verdict.expires)
    if verdict.group is not None:
        info["parentIdTag"] = verdict.group
    return info


def station_info(payload: dict[str, Any]) -> StationInfo:
    """Return who a station says it is in its BootNotification (OCPP 1.6 4.2)."""
    return StationInfo(
        vendor=text(payload, "chargePointVendor"),
        model=text(payload, "chargePointModel"),
        # Some stations fill only the older of the two fields.
        serial=text(payload, "chargePointSerialNumber")
        or text(payload, "chargeBoxSerialNumber"),
        firmware=text(payload, "firmwareVersion"),
        iccid=text(payload, "iccid"),
        imsi=text(payload, "imsi"),
        meter_type=text(payload, "meterType"),
        meter_serial=text(payload, "meterSerialNumber"),
    )
