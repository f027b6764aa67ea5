"""Variables: what may be set at a station, and what it tells of itself (2.0.1 B05 to B08).

A charger of OCPP 1.6 has configuration keys instead; those that mean the same have the
same name here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
import math
from typing import TYPE_CHECKING, Final, Protocol

from .channel import Channel
from .errors import NotConnected, StationError
from .link import Capability
from .outcome import Outcome, OutcomeStatus
from .secrets import names_secret

if TYPE_CHECKING:
    from .model import ChargingStation

MAX_SHOWN: Final = 200
"""So many variables of a station are followed beside those that have a name of ours."""

MAX_TEMPERATURES: Final = 32
"""So many temperatures are followed in addition, however much comes before them."""


class Named(StrEnum):
    """The variables that matter to a home (OCPP 2.0.1 part 2, 3)."""

    AUTHORIZATION = "AuthCtrlr.Enabled"
    AUTHORIZATION_CACHE = "AuthCacheCtrlr.Enabled"
    AUTHORIZE_REMOTE_START = "AuthCtrlr.AuthorizeRemoteStart"
    CLOCK_INTERVAL = "AlignedDataCtrlr.Interval"
    CONNECTION_TIMEOUT = "TxCtrlr.EVConnectionTimeOut"
    ENERGY_ON_INVALID_ID = "TxCtrlr.MaxEnergyOnInvalidId"
    HEARTBEAT_INTERVAL = "OCPPCommCtrlr.HeartbeatInterval"
    LIMIT_CHANGE = "SmartChargingCtrlr.LimitChangeSignificance"
    LOCAL_AUTHORIZE_OFFLINE = "AuthCtrlr.LocalAuthorizeOffline"
    LOCAL_PRE_AUTHORIZE = "AuthCtrlr.LocalPreAuthorize"
    METER_INTERVAL = "SampledDataCtrlr.TxUpdatedInterval"
    OFFLINE_THRESHOLD = "OCPPCommCtrlr.OfflineThreshold"
    OFFLINE_UNKNOWN = "AuthCtrlr.OfflineTxForUnknownIdEnabled"
    PING_INTERVAL = "OCPPCommCtrlr.WebSocketPingInterval"
    STOP_ON_INVALID_ID = "TxCtrlr.StopTxOnInvalidId"
    STOP_ON_UNPLUG = "TxCtrlr.StopTxOnEVSideDisconnect"
    UNLOCK_ON_UNPLUG = "OCPPCommCtrlr.UnlockOnEVSideDisconnect"


_NAMED: Final = {one.lower(): one for one in Named}

# What has an entity of another kind, or is looked after by a part of the hub.
_ELSEWHERE: Final = frozenset(
    {
        "aligneddatactrlr.signreadings",
        "ocppcommctrlr.networkconfigurationpriority",
        "sampleddatactrlr.signreadings",
        "sampleddatactrlr.txupdatedmeasurands",
        "securityctrlr.securityprofile",
    }
)
_STATES: Final = frozenset({"availabilitystate", "problem", "tripped"})
_BUILT: Final = frozenset({"supplyphases"})
_NUMBERS: Final = frozenset({"integer", "decimal"})
_IN_ORDER: Final = "sequencelist"
_LISTS: Final = frozenset({"memberlist", _IN_ORDER})
UNITS: Final = frozenset(
    {"a", "celsius", "fahrenheit", "hz", "k", "kw", "kwh", "percent", "v", "w", "wh"}
)
"""The units of what is worth being shown although it cannot be set."""


class Kind(StrEnum):
    """What a variable is, seen by who sets it."""

    CHOICE = "choice"
    FLAG = "flag"
    LIST = "list"
    NUMBER = "number"
    READING = "reading"


class ReportBase(StrEnum):
    """What a station is asked to report of itself (2.0.1 3.70)."""

    CONFIGURATION = "ConfigurationInventory"
    FULL = "FullInventory"
    SUMMARY = "SummaryInventory"


class Criterion(StrEnum):
    """What components have to be, to be reported (2.0.1 3.22)."""

    ACTIVE = "Active"
    AVAILABLE = "Available"
    ENABLED = "Enabled"
    PROBLEM = "Problem"


@dataclass(kw_only=True, slots=True, frozen=True)
class DeviceVariable:
    """One variable of a station; `value` None is not known, or write-only.

    `name` is `Component.Variable` with instances and place, `address` what the link
    calls it. Limits are in `unit`, for a text they are its length.
    """

    name: str
    address: str
    value: str | None = None
    writable: bool = False
    readable: bool = True
    data_type: str | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[str, ...] = ()
    evse_id: int | None = None
    connector_id: int | None = None

    @property
    def key(self) -> str:
        """Return the name as it is compared and kept."""
        return self.name.lower()

    @property
    def named(self) -> Named | None:
        """Return which of the variables it is that matter to a home."""
        return _NAMED.get(self.key)

    @property
    def kind(self) -> Kind | None:
        """Return what it can be shown as, None if it cannot."""
        of_type = (self.data_type or "").lower()
        if not self.readable or names_secret(self.name.partition(".")[2]):
            return None
        if not self.writable:
            counts = of_type in _NUMBERS and (self.unit or "").lower() in UNITS
            return Kind.READING if counts else None
        if of_type == "boolean":
            return Kind.FLAG
        if of_type == "optionlist":
            return Kind.CHOICE if self.options else None
        if of_type in _LISTS:
            return Kind.LIST if self.options else None
        bounded = self.minimum is not None or self.maximum is not None
        return Kind.NUMBER if of_type in _NUMBERS and bounded else None

    @property
    def shown(self) -> bool:
        """Return whether it is worth being shown."""
        if self.named is not None:
            return True
        if self.key in _ELSEWHERE:
            return False
        variable = self.key.rpartition(".")[2]
        if variable in _STATES:
            return False
        return self.kind is not None or variable in _BUILT

    @property
    def measures_temperature(self) -> bool:
        """Return whether it is a temperature of some component."""
        return self.key.rpartition(".")[2].partition("[")[0] == "temperature"

    @property
    def number(self) -> float | None:
        """Return the value as a number, None if it is none."""
        try:
            number = float(self.value or "")
        except ValueError:
            return None
        return number if math.isfinite(number) else None

    @property
    def flag(self) -> bool | None:
        """Return the value as yes or no, None if it is neither."""
        return {"true": True, "false": False}.get((self.value or "").strip().lower())

    def same(self, text: str) -> bool:
        """Return whether the value is what a text says, however it is spelled."""
        if self.value is None:
            return False
        if self.value.strip().lower() == text.strip().lower():
            return True
        kind = (self.data_type or "").lower()
        if kind in _LISTS:
            told, meant = _members(self.value), _members(text)
            return told == meant if kind == _IN_ORDER else set(told) == set(meant)
        try:
            return float(self.value) == float(text)
        except ValueError:
            return False


def _members(text: str) -> list[str]:
    """Return the members of a list, however they are spelled."""
    return [one for part in text.lower().split(",") if (one := part.strip())]


class Variables:
    """The variables of a station that are followed, each as a channel."""

    def __init__(self, grow: Callable[[], None]) -> None:
        """Follow nothing yet; `grow` tells that there is something new."""
        self._grow = grow
        self._channels: dict[str, Channel[DeviceVariable | None]] = {}
        self._room = {False: MAX_SHOWN, True: MAX_TEMPERATURES}

    def __iter__(self) -> Iterator[DeviceVariable]:
        """Yield what is known, in the order in which it was told."""
        for channel in tuple(self._channels.values()):
            if channel.value is not None:
                yield channel.value

    def __len__(self) -> int:
        """Return how many variables are followed."""
        return len(self._channels)

    def channel(self, name: str) -> Channel[DeviceVariable | None]:
        """Return the channel of a variable, which is followed from now on."""
        if (channel := self._channels.get(name.lower())) is None:
            channel = self._channels[name.lower()] = Channel(None, urgent=True)
        return channel

    def get(self, name: str) -> DeviceVariable | None:
        """Return a variable, None if the station has none such, as far as is known."""
        channel = self._channels.get(name.lower())
        return None if channel is None else channel.value

    def put(self, variables: Iterable[DeviceVariable]) -> None:
        """Take over what is known of variables now, as far as they are followed."""
        grown = [one for one in variables if self._put(one)]
        if grown:
            self._grow()

    def only(self, names: Iterable[str]) -> None:
        """Forget all variables but some: the station has no others any more."""
        left = {name.lower() for name in names}
        for key, channel in self._channels.items():
            if key not in left and (gone := channel.value) is not None:
                channel.set(None)
                if gone.named is None:
                    self._room[gone.measures_temperature] += 1

    def _put(self, variable: DeviceVariable) -> bool:
        """Take over a variable; return whether there was none such."""
        channel = self._channels.get(variable.key)
        if channel is not None and channel.value is not None:
            channel.set(variable)
            return False
        wanted = channel is not None and channel.followed
        if not wanted and not self._has_room(variable):
            return False
        if variable.named is None:
            self._room[variable.measures_temperature] -= 1
        self.channel(variable.name).set(variable)
        return channel is None

    def _has_room(self, variable: DeviceVariable) -> bool:
        """Return whether a variable is shown, and may be another one."""
        if not variable.shown:
            return False
        return (
            variable.named is not None or self._room[variable.measures_temperature] > 0
        )


@dataclass(kw_only=True, slots=True, frozen=True)
class Report:
    """What a station reported; `complete` is False if parts of it never came."""

    variables: tuple[DeviceVariable, ...] = ()
    complete: bool = True


class ReportsLink(Protocol):
    """The part of a link that reports and writes many variables at once (2.0.1 B)."""

    async def base_report(self, base: ReportBase) -> tuple[Outcome, Report]:
        """Return a base report (B07); EmptyResultSet is an empty one."""

    async def report(
        self, criteria: Sequence[Criterion], names: Sequence[str]
    ) -> tuple[Outcome, Report]:
        """Return what components meet criteria, and named variables (B08)."""

    async def set_variables(self, values: Mapping[str, str]) -> dict[str, Outcome]:
        """Write several variables (B05), and return what became of each."""


class NotTaken(StationError):
    """A station accepted a value, and goes on with another one."""

    def __init__(self, value: str) -> None:
        """Name what it goes on with."""
        super().__init__(value)
        self.value = value


async def write(
    station: ChargingStation, variable: DeviceVariable, text: str
) -> Outcome:
    """Write a variable and read back what it is; raises as a link does, and NotTaken."""
    link = station.link(Capability.CONFIGURATION)
    outcome = await link.set_configuration(variable.address, text)
    if outcome.status is not OutcomeStatus.ACCEPTED:
        return outcome
    try:
        # The link tells the model of what it reads.
        read, found, _ = await link.get_configuration([variable.address])
    except NotConnected:
        return outcome
    if read.ok and found and (now := found[0].value) is not None:
        known = station.variables.get(variable.name) or variable
        if not known.same(text):
            raise NotTaken(now)
    return outcome
