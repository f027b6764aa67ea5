"""Quirks: what single chargers get wrong, as data, each with its source."""

from dataclasses import dataclass
import re

from ..station.model import StationInfo

type Firmware = tuple[int, ...]


@dataclass(kw_only=True, slots=True, frozen=True)
class Quirk:
    """A deviation of the stations whose vendor, model and firmware match.

    `vendor` and `model` are patterns searched for regardless of case; `firmware_until`
    is the last firmware that has it, None for every one.
    """

    source: str
    vendor: str
    model: str = ""
    firmware_until: Firmware | None = None
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
    settling: int | None = None
    """How many seconds an accepted charging profile may take until it is followed."""

    def matches(self, info: StationInfo) -> bool:
        """Return whether a station has this quirk."""
        if not re.search(self.vendor, info.vendor or "", re.IGNORECASE):
            return False
        if not re.search(self.model, info.model or "", re.IGNORECASE):
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
            "Easee release notes 1.8.0 (no stacking, absolute only, three retries),"
            " https://developer.easee.com/docs/ocpp-smart-charging"
        ),
        vendor=r"easee",
        max_stack_level=0,
        replaces_by_clearing=True,
        only_absolute=True,
        settling=180,
    ),
)


@dataclass(kw_only=True, slots=True, frozen=True)
class Quirks:
    """The quirks of one station, taken together."""

    max_measurands: int | None = None
    max_stack_level: int | None = None
    unreadable_keys: frozenset[str] = frozenset()
    replaces_by_clearing: bool = False
    only_absolute: bool = False
    settling: int | None = None


def firmware(info: StationInfo) -> Firmware | None:
    """Return the first dotted number of a firmware version, None if there is none."""
    if not (found := re.search(r"\d+(?:\.\d+)+", info.firmware or "")):
        return None
    return tuple(int(part) for part in found[0].split("."))


def quirks_of(info: StationInfo) -> Quirks:
    """Return all quirks of a station together: the lowest limits, the longest wait."""
    found = [quirk for quirk in QUIRKS if quirk.matches(info)]
    measurands = [one.max_measurands for one in found if one.max_measurands is not None]
    levels = [one.max_stack_level for one in found if one.max_stack_level is not None]
    return Quirks(
        max_measurands=min(measurands, default=None),
        max_stack_level=min(levels, default=None),
        unreadable_keys=frozenset[str]().union(*(one.unreadable_keys for one in found)),
        replaces_by_clearing=any(one.replaces_by_clearing for one in found),
        only_absolute=any(one.only_absolute for one in found),
        settling=max((one.settling for one in found if one.settling), default=None),
    )
