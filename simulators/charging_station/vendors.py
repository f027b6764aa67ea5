"""Vendor profiles: what kinds of charger the simulator can be."""

from dataclasses import dataclass, field

ALL_MEASURANDS = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Current.Import",
    "Current.Offered",
    "Voltage",
    "SoC",
    "Temperature",
    "Frequency",
)


@dataclass(kw_only=True, frozen=True, slots=True)
class VendorProfile:
    """One kind of charger: names, abilities and configuration."""

    vendor: str
    model: str
    firmware: str = "1.0.0"
    serial: str | None = None
    measurands: tuple[str, ...] = ALL_MEASURANDS
    max_measurands: int = 20
    rate_units: tuple[str, ...] = ("Current", "Power")
    max_stack_level: int = 5
    phases: int = 3
    features: tuple[str, ...] = (
        "Core",
        "FirmwareManagement",
        "LocalAuthListManagement",
        "RemoteTrigger",
        "Reservation",
        "SmartCharging",
    )
    missing_keys: frozenset[str] = frozenset()
    extra_keys: dict[str, str] = field(default_factory=dict)


VENDORS: dict[str, VendorProfile] = {
    "generic": VendorProfile(
        vendor="Virtual Works", model="VW-22", serial="VW22-0001", firmware="2.4.1"
    ),
    "single-phase": VendorProfile(
        vendor="Virtual Works", model="VW-7", serial="VW7-0001", phases=1
    ),
    "watt-only": VendorProfile(
        vendor="Virtual Works", model="VW-DC", serial="VWDC-0001", rate_units=("Power",)
    ),
    "few-measurands": VendorProfile(
        vendor="Virtual Works",
        model="VW-5",
        serial="VW5-0001",
        max_measurands=5,
        extra_keys={"MeterValuesSampledDataMaxLength": "5"},
    ),
    "core-only": VendorProfile(
        vendor="Virtual Works",
        model="VW-Core",
        serial="VWC-0001",
        features=("Core",),
        measurands=("Energy.Active.Import.Register",),
        max_measurands=1,
        missing_keys=frozenset({"NumberOfConnectors", "ChargeProfileMaxStackLevel"}),
    ),
}
