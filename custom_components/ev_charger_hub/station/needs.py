"""Needs: what a vehicle asks for before it charges, by ISO 15118 (OCPP 2.x K15)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .profiles.model import Schedule


class EnergyTransfer(StrEnum):
    """How energy is to flow (OCPP 2.1 EnergyTransferModeEnumType)."""

    AC_SINGLE_PHASE = "ac_single_phase"
    AC_TWO_PHASE = "ac_two_phase"
    AC_THREE_PHASE = "ac_three_phase"
    AC_BPT = "ac_bpt"
    AC_BPT_DER = "ac_bpt_der"
    AC_DER = "ac_der"
    DC = "dc"
    DC_BPT = "dc_bpt"
    DC_ACDP = "dc_acdp"
    DC_ACDP_BPT = "dc_acdp_bpt"
    WPT = "wpt"

    @property
    def bidirectional(self) -> bool:
        """Return whether the vehicle may give energy, too."""
        return "bpt" in self.value.split("_") or self is EnergyTransfer.AC_DER


@dataclass(kw_only=True, slots=True, frozen=True)
class ChargingNeeds:
    """What a vehicle wants: energy in Wh, power in W, currents in A, SoC in percent."""

    told_at: datetime
    transfer: EnergyTransfer | None = None
    departure: datetime | None = None
    energy: float | None = None
    minimum_current: float | None = None
    maximum_current: float | None = None
    maximum_voltage: float | None = None
    maximum_power: float | None = None
    capacity: float | None = None
    state_of_charge: int | None = None
    target_state_of_charge: int | None = None
    dynamic: bool = False
    """Whether the station decides alone how much flows (ISO 15118-20 dynamic control)."""


@dataclass(kw_only=True, slots=True, frozen=True)
class VehiclePlan:
    """What a vehicle is going to take (OCPP 2.x K16); `accepted` is our answer."""

    told_at: datetime
    schedule: Schedule
    accepted: bool
