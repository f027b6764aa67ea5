"""Quirks: what single chargers get wrong, as data, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
import re

from ..station.model import StationInfo

type Firmware = tuple[int, ...]


@dataclass(kw_only=True, slots=True, frozen=True)
class Quirk:
    """A deviation of the stations whose vendor, model and firmware match.

    `vendor`, `model` and `build` are patterns searched for regardless of case, the last
    in the whole text of the firmware; `firmware_until` is the last firmware that has it,
    None for every one.
    """

    source: str
    vendor: str
    model: str = ""
    build: str = ""
    firmware_until: Firmware | None = None
    personality: str | None = None
    """What stations that behave like this are called."""
    max_measurands: int | None = None
    """The station takes more measurands than it survives."""
    max_stack_level: int | None = None
    """The station refuses the stack levels that it says it allows."""
    unreadable_keys: frozenset[str] = frozenset()
    """Configuration keys that must not be asked for, alone or among all."""
    replaces_by_clearing: bool = False
    """A charging profile is replaced only by clearing the old one first."""
    only_absolute: bool = False
    """Relative and recurring charging profiles are refused."""
    default_caps: bool = False
    """A lower TxDefaultProfile keeps a TxProfile down."""
    settling: int | None = None
    """How many seconds an accepted charging profile may take until it is followed."""
    least: Mapping[str, int] = field(default_factory=dict)
    """Configuration keys whose values should not be lower than this."""
    renamed_keys: Mapping[str, str] = field(default_factory=dict)
    """Configuration keys that are no more, and those that took their place."""
    inlet_is_outlet: bool = False
    """What the station measures at its inlet is what its vehicle takes."""
    only_energy: bool = False
    """Unless asked for more the station measures energy only: power follows from it."""
    explains_suspension: bool = False
    """The vendor's error code of SuspendedEVSE is the reason for it, and no error."""
    available_with_error: bool = False
    """A station with a fault may say that it is available."""
    late_statuses: bool = False
    """A status may be older than meter values that came before it."""
    adopts_after: int | None = None
    """A transaction that we do not know is one if meter values so far apart name it."""
    boots_again: int | None = None
    """So many seconds it may go on booting without a restart: one set-up will do."""
    starts_unaccepted: bool = False
    """A station whose boot is not accepted yet begins transactions all the same."""
    returns_silently: bool = False
    """A station that comes back does not tell what its connectors did meanwhile."""
    unlocks_since: int | None = None
    """The first firmware, of those that count up, that unlocks when it is told to."""
    keeps_free_tags: bool = False
    """A token that charges because everybody may would be remembered as a good one."""
    clears_loosely: bool = False
    """A charging profile may stay although it is told to be cleared."""
    free_key: str | None = None
    """The configuration key that lets everybody charge, also when we are away."""

    def matches(self, info: StationInfo) -> bool:
        """Return whether a station has this quirk."""
        if not re.search(self.vendor, info.vendor or "", re.IGNORECASE):
            return False
        if not re.search(self.model, info.model or "", re.IGNORECASE):
            return False
        if not re.search(self.build, info.firmware or "", re.IGNORECASE):
            return False
        if self.firmware_until is None or (version := firmware(info)) is None:
            return True
        return version <= self.firmware_until


QUIRKS = (
    Quirk(
        source="https://github.com/lbbrhzn/ocpp/issues/1275",
        vendor=r"^ABB",
        firmware_until=(1, 8, 21),
        # It reboots when asked for this key after accepting every measurand.
        max_measurands=10,
        unreadable_keys=frozenset({"MeterValuesSampledData"}),
    ),
    Quirk(
        source=(
            "https://github.com/evcc-io/evcc/issues/15493,"
            " https://github.com/lbbrhzn/ocpp/issues/1737"
        ),
        vendor=r"^ABB",
        # It announces 3 and rejects 3; 0 works.
        max_stack_level=0,
    ),
    Quirk(
        source="https://github.com/lbbrhzn/ocpp/issues/1487",
        vendor=r"growatt",
        max_measurands=5,
    ),
    Quirk(
        source=(
            "Easee release notes of OCPP 1.4 (reasons), 1.7.4 (retries), 1.7.5 (faults,"
            " measurands) and 1.8.0 (no stacking, absolute only),"
            " https://developer.easee.com/docs/ocpp-smart-charging; https://github.com/"
            "evcc-io/evcc/blob/master/templates/definition/charger/ocpp-easee.yaml"
        ),
        vendor=r"easee",
        max_stack_level=0,
        replaces_by_clearing=True,
        only_absolute=True,
        default_caps=True,
        least={"TransactionMessageAttempts": 5, "TransactionMessageRetryInterval": 60},
        renamed_keys={"MeterValuesInTxnSampledData": "MeterValuesSampledData"},
        inlet_is_outlet=True,
        only_energy=True,
        explains_suspension=True,
        available_with_error=True,
        late_statuses=True,
        adopts_after=1,
        boots_again=180,
        starts_unaccepted=True,
        returns_silently=True,
        unlocks_since=310,
        clears_loosely=True,
    ),
    Quirk(
        source="https://developer.easee.com/docs/ocpp-introduction",
        vendor=r"easee",
        # Its firmware is a plain number.
        build=r"^[^/]*$",
        personality="easee-native",
        keeps_free_tags=True,
    ),
    Quirk(
        source="Easee release notes of OCPP 1.5 (versions) and 1.8.0 (three retries)",
        vendor=r"easee",
        # The cloud that speaks for it adds the version of its own service.
        build=r"^\s*\d+/",
        personality="easee-cloud",
        free_key="freecharging",
        settling=180,
    ),
)


@dataclass(kw_only=True, slots=True, frozen=True)
class Quirks:
    """The quirks of one station, taken together."""

    personality: str | None = None
    max_measurands: int | None = None
    max_stack_level: int | None = None
    unreadable_keys: frozenset[str] = frozenset()
    replaces_by_clearing: bool = False
    only_absolute: bool = False
    default_caps: bool = False
    settling: int | None = None
    least: Mapping[str, int] = field(default_factory=dict)
    renamed_keys: Mapping[str, str] = field(default_factory=dict)
    inlet_is_outlet: bool = False
    only_energy: bool = False
    explains_suspension: bool = False
    available_with_error: bool = False
    late_statuses: bool = False
    adopts_after: int | None = None
    boots_again: int | None = None
    starts_unaccepted: bool = False
    returns_silently: bool = False
    unlocks: bool = True
    keeps_free_tags: bool = False
    clears_loosely: bool = False
    free_key: str | None = None


def firmware(info: StationInfo) -> Firmware | None:
    """Return the first dotted number of a firmware version, None if there is none."""
    if not (found := re.search(r"\d+(?:\.\d+)+", info.firmware or "")):
        return None
    return tuple(int(part) for part in found[0].split("."))


@lru_cache(maxsize=128)
def quirks_of(info: StationInfo) -> Quirks:
    """Return all quirks of a station together: the lowest limits, the longest wait."""
    found = [quirk for quirk in QUIRKS if quirk.matches(info)]
    measurands = [one.max_measurands for one in found if one.max_measurands is not None]
    levels = [one.max_stack_level for one in found if one.max_stack_level is not None]
    least: dict[str, int] = {}
    renamed: dict[str, str] = {}
    for quirk in found:
        least |= quirk.least
        renamed |= quirk.renamed_keys
    return Quirks(
        personality=next((one.personality for one in found if one.personality), None),
        max_measurands=min(measurands, default=None),
        max_stack_level=min(levels, default=None),
        unreadable_keys=frozenset[str]().union(*(one.unreadable_keys for one in found)),
        replaces_by_clearing=any(one.replaces_by_clearing for one in found),
        only_absolute=any(one.only_absolute for one in found),
        default_caps=any(one.default_caps for one in found),
        settling=max((one.settling for one in found if one.settling), default=None),
        least=least,
        renamed_keys=renamed,
        inlet_is_outlet=any(one.inlet_is_outlet for one in found),
        only_energy=any(one.only_energy for one in found),
        explains_suspension=any(one.explains_suspension for one in found),
        available_with_error=any(one.available_with_error for one in found),
        late_statuses=any(one.late_statuses for one in found),
        adopts_after=max(
            (one.adopts_after for one in found if one.adopts_after), default=None
        ),
        boots_again=max(
            (one.boots_again for one in found if one.boots_again), default=None
        ),
        starts_unaccepted=any(one.starts_unaccepted for one in found),
        returns_silently=any(one.returns_silently for one in found),
        unlocks=all(_reached(info, one.unlocks_since) for one in found),
        keeps_free_tags=any(one.keeps_free_tags for one in found),
        clears_loosely=any(one.clears_loosely for one in found),
        free_key=next((one.free_key for one in found if one.free_key), None),
    )


def _reached(info: StationInfo, since: int | None) -> bool:
    """Return whether a firmware that counts up is new enough; what is no number is."""
    number = re.match(r"\s*(\d{1,9})(?![\d.])", info.firmware or "")
    return since is None or number is None or int(number[1]) >= since
