"""Monitoring: what a station is asked to watch, and what it tells of it (OCPP 2.x N)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from .commands import CertificateHash
from .outcome import Outcome

MOST_SEVERE = 0
LEAST_SEVERE = 9
"""Severities go from danger (0) to what only a developer wants to know (9)."""

GRAVE = 3
"""Up to this severity a station is in a critical state (2.0.1 2.1.58)."""


class MonitorType(StrEnum):
    """When a monitor has something to tell (2.0.1 3.55, 2.1 adds the targets)."""

    UPPER_THRESHOLD = "upper_threshold"
    LOWER_THRESHOLD = "lower_threshold"
    DELTA = "delta"
    PERIODIC = "periodic"
    PERIODIC_CLOCK_ALIGNED = "periodic_clock_aligned"
    TARGET_DELTA = "target_delta"
    TARGET_DELTA_RELATIVE = "target_delta_relative"


PERIODIC = frozenset({MonitorType.PERIODIC, MonitorType.PERIODIC_CLOCK_ALIGNED})
TARGETS = frozenset({MonitorType.TARGET_DELTA, MonitorType.TARGET_DELTA_RELATIVE})
"""What OCPP 2.0.1 does not know."""


class MonitorKind(StrEnum):
    """Who made a monitor, or that something is told without one (2.0.1 3.33)."""

    HARD_WIRED_NOTIFICATION = "hard_wired_notification"
    HARD_WIRED_MONITOR = "hard_wired_monitor"
    PRECONFIGURED_MONITOR = "preconfigured_monitor"
    CUSTOM_MONITOR = "custom_monitor"


class MonitoringBase(StrEnum):
    """Which monitors a station goes back to (2.0.1 3.54)."""

    ALL = "all"
    FACTORY_DEFAULT = "factory_default"
    HARD_WIRED_ONLY = "hard_wired_only"


class MonitoringCriterion(StrEnum):
    """Which monitors a report is about (2.0.1 3.56)."""

    THRESHOLD = "threshold"
    DELTA = "delta"
    PERIODIC = "periodic"


class EventTrigger(StrEnum):
    """Why a station tells of a variable (2.0.1 3.34)."""

    ALERTING = "alerting"
    DELTA = "delta"
    PERIODIC = "periodic"


@dataclass(kw_only=True, slots=True, frozen=True)
class StreamParameters:
    """How often a stream of values comes: every `interval` s, or each `values` values."""

    interval: int | None = None
    values: int | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class MonitorRequest:
    """A wish for a monitor of a variable; `monitor_id` replaces an existing one.

    `stream` has its values sent as a stream instead of as events (2.1 N11).
    """

    variable: str
    type: MonitorType
    value: float
    severity: int
    transaction: bool = False
    monitor_id: int | None = None
    stream: StreamParameters | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class Monitor:
    """A monitor that a station has; `type` is None for one that nobody knows."""

    id: int
    variable: str
    type: MonitorType | None
    value: float
    severity: int
    transaction: bool = False
    kind: MonitorKind | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class MonitorResult:
    """What became of one wish, in the station's word; `status` "" if nothing was said."""

    request: MonitorRequest
    status: str
    monitor_id: int | None = None
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Return whether the monitor is there now."""
        return self.status.lower() == "accepted"


@dataclass(kw_only=True, slots=True, frozen=True)
class EventStream:
    """A stream of the values of a monitor; `pending` are those yet to be sent."""

    id: int
    monitor_id: int
    parameters: StreamParameters
    pending: int = 0


@dataclass(kw_only=True, slots=True, frozen=True)
class VariableEvent:
    """A station told of one of its variables, at `at` (NotifyEvent).

    `ours` says that it belongs to a monitor that nobody but we ourselves wanted.
    """

    variable: str
    evse_id: int
    at: datetime
    trigger: EventTrigger
    value: str = ""
    kind: MonitorKind | None = None
    severity: int | None = None
    monitor_id: int | None = None
    cleared: bool = False
    tech_code: str | None = None
    tech_info: str | None = None
    transaction_id: str | None = None
    ours: bool = False

    @property
    def grave(self) -> bool:
        """Return whether somebody has to see to it."""
        return self.severity is not None and self.severity <= GRAVE

    @property
    def active(self) -> bool:
        """Return whether what is told of is not over with it."""
        return not self.cleared and self.value.strip().lower() != "false"


@dataclass(kw_only=True, slots=True, frozen=True)
class Problem:
    """Something that is wrong now, as a station told it.

    `component` is where, `variable` what was told of, by the monitor `monitor_id` if it
    is not the station's own `Problem`; `code` and `info` are the words of the vendor.
    """

    component: str
    variable: str
    monitor_id: int | None = None
    at: datetime
    code: str | None = None
    info: str | None = None
    severity: int | None = None


def is_problem(variable: str) -> bool:
    """Return whether a variable says itself that something is wrong."""
    return variable.rpartition(".")[2].lower() == "problem"


class MonitoringLink(Protocol):
    """The part of a link that has a station watch its variables (OCPP 2.x N02 to N15)."""

    @property
    def known_monitors(self) -> list[Monitor]:
        """Return the monitors that are known, without asking."""

    @property
    def known_streams(self) -> list[EventStream]:
        """Return the open streams that are known, without asking."""

    async def set_monitors(
        self, requests: Sequence[MonitorRequest]
    ) -> tuple[Outcome, list[MonitorResult]]:
        """Ask for monitors (N04), in as many messages as it takes."""

    async def clear_monitors(
        self, ids: Sequence[int]
    ) -> tuple[Outcome, dict[int, str]]:
        """Remove monitors (N06); what the station says of each."""

    async def get_monitors(
        self,
        criteria: Sequence[MonitoringCriterion] = (),
        variables: Sequence[str] = (),
    ) -> tuple[Outcome, list[Monitor]]:
        """Return the monitors that a station has (N02); that it has none is no error."""

    async def set_monitoring_base(self, base: MonitoringBase) -> Outcome:
        """Go back to a set of monitors (N03)."""

    async def set_monitoring_level(self, severity: int) -> Outcome:
        """Have nothing told that is less severe (N05)."""

    async def get_streams(self) -> tuple[Outcome, list[EventStream]]:
        """Return the open streams of values (2.1 N12)."""

    async def adjust_stream(
        self, stream_id: int, parameters: StreamParameters
    ) -> Outcome:
        """Change how often the values of a stream come (2.1 N14)."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Customer:
    """Whom a station is asked about: exactly one of the three (2.0.1 N09)."""

    id_token: str | None = None
    identifier: str | None = None
    certificate: CertificateHash | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class CustomerInformation:
    """What a station told of a customer; not `complete` if parts of it never came."""

    data: str
    complete: bool


class CustomerLink(Protocol):
    """The part of a link that asks what a station knows of somebody (2.0.1 N09, N10)."""

    async def customer_information(
        self, customer: Customer, *, report: bool, clear: bool
    ) -> tuple[Outcome, CustomerInformation | None]:
        """Have it told, or forgotten, or both."""
