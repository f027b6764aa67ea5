"""Vendor profiles: what kinds of charger the simulator can be."""

from dataclasses import dataclass, field, replace

from .certificates import KeyKind
from .misbehaviour import Misbehaviour

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
    max_periods: int = 24
    max_profiles: int = 10
    maximum_current: float = 32.0
    """What the hardware can carry, in A per phase."""
    phases: int = 3
    phase_switching: bool = False
    """Whether it charges on one phase where a profile says so."""
    features: tuple[str, ...] = (
        "Core",
        "FirmwareManagement",
        "LocalAuthListManagement",
        "RemoteTrigger",
        "Reservation",
        "SmartCharging",
    )
    list_length: int = 100
    """How many tokens the local authorization list holds."""
    list_message_length: int = 20
    """How many tokens one message may bring."""
    security: bool = True
    """Whether it knows the security extensions."""
    key_kind: KeyKind = "ec"
    """The kind of key that it asks a certificate for."""
    ciphers: str | None = None
    """The only cipher suites of its TLS 1.2; None for today's."""
    missing_keys: frozenset[str] = frozenset()
    extra_keys: dict[str, str] = field(default_factory=dict)
    habits: frozenset[Misbehaviour] = frozenset()
    """Misbehaviours that these chargers have by nature."""
    location: str | None = None
    """Where it says that it measures; None where it does not say."""


# What Easee's release notes 1.8.0 say of TxProfile: one, absolute, not stacked, and
# in conflict with a lower TxDefaultProfile.
EASEE = VendorProfile(
    vendor="Easee",
    model="Charge",
    serial="EH000001",
    firmware="344",
    max_stack_level=0,
    max_periods=16,
    habits=frozenset(
        {
            Misbehaviour.NO_BOOT_ON_RECONNECT,
            Misbehaviour.ONE_TX_PROFILE,
            Misbehaviour.ONLY_ABSOLUTE,
            Misbehaviour.TX_DEFAULT_CAPS,
        }
    ),
)

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
    "phase-switching": VendorProfile(
        vendor="Virtual Works",
        model="VW-22-1",
        serial="VW221-0001",
        phase_switching=True,
        extra_keys={"ConnectorSwitch3to1PhaseSupported": "true"},
    ),
    "easee": EASEE,
    # The cloud of Easee speaks for it, and adds the version of its own service.
    "easee-cloud": replace(EASEE, firmware="344/1.8.0.0"),
    # The charger itself (Direct OCPP): where it measures, and no more than that.
    "easee-native": replace(
        EASEE,
        measurands=(
            "Energy.Active.Import.Register",
            "Power.Active.Import",
            "Current.Import",
            "Voltage",
        ),
        location="Inlet",
    ),
    "few-measurands": VendorProfile(
        vendor="Virtual Works",
        model="VW-5",
        serial="VW5-0001",
        max_measurands=5,
        extra_keys={"MeterValuesSampledDataMaxLength": "5"},
    ),
    # TLS_RSA_WITH_AES_128_GCM_SHA256, one of those that a server must offer.
    "old-tls": VendorProfile(
        vendor="Virtual Works",
        model="VW-Old",
        serial="VWO-0001",
        key_kind="rsa",
        ciphers="AES128-GCM-SHA256",
    ),
    "core-only": VendorProfile(
        vendor="Virtual Works",
        model="VW-Core",
        serial="VWC-0001",
        features=("Core",),
        security=False,
        measurands=("Energy.Active.Import.Register",),
        max_measurands=1,
        missing_keys=frozenset({"NumberOfConnectors", "ChargeProfileMaxStackLevel"}),
    ),
}
