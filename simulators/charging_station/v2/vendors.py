"""Vendor profiles of OCPP 2.x: kinds of charger, told by their device model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..misbehaviour import Misbehaviour

if TYPE_CHECKING:
    from .station import ChargingStation


@dataclass(kw_only=True, frozen=True, slots=True)
class VendorProfile2:
    """One kind of charger, as far as it is not like the real library."""

    vendor: str = "Example"
    model: str = "Virtual 2.x"
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of `Component.Variable` that are other than usual."""
    habits: frozenset[Misbehaviour] = frozenset()
    """Misbehaviours that these chargers have by nature."""

    def settle_in(self, station: ChargingStation) -> None:
        """Have a station be of this kind."""
        model = station.model
        for name, value in {
            "ChargingStation.Model": self.model,
            "ChargingStation.VendorName": self.vendor,
            **self.variables,
        }.items():
            for evse in range(len(station.evses) + 1):
                model.put(name, value, evse)
        for habit in self.habits:
            station.moods.switch(habit, on=True)


VENDORS_2: dict[str, VendorProfile2] = {
    "generic": VendorProfile2(),
    "single-phase": VendorProfile2(
        model="Virtual 2.x one phase",
        variables={"ChargingStation.SupplyPhases": "1", "EVSE.SupplyPhases": "1"},
    ),
    "watt-only": VendorProfile2(
        model="Virtual 2.x DC", variables={"SmartChargingCtrlr.RateUnit": "W"}
    ),
    "phase-switching": VendorProfile2(
        model="Virtual 2.x phases",
        variables={
            "SmartChargingCtrlr.ACPhaseSwitchingSupported": "true",
            "SmartChargingCtrlr.Phases3to1": "true",
        },
    ),
    "easee": VendorProfile2(
        vendor="Easee",
        model="Charge",
        variables={"SmartChargingCtrlr.ProfileStackLevel": "0"},
        habits=frozenset({Misbehaviour.ONLY_ABSOLUTE, Misbehaviour.TX_DEFAULT_CAPS}),
    ),
    "core-only": VendorProfile2(
        model="Virtual 2.x Core",
        variables={
            "DisplayMessageCtrlr.Available": "false",
            "LocalAuthListCtrlr.Available": "false",
            "LocalAuthListCtrlr.Enabled": "false",
            "MonitoringCtrlr.Available": "false",
            "ReservationCtrlr.Available": "false",
            "SmartChargingCtrlr.Available": "false",
        },
    ),
}
"""The kinds of OCPP 1.6 that make sense here."""
