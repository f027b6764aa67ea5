"""The model of a charging station: what it is, what it does, how to reach it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, override

from .channel import Channel, Listener
from .clock import Skew
from .enums import ConnectorStatus, LimitedBy, Location, Measurand, Phase, most_telling
from .errors import NotConnected, NotSupported
from .events import StationEvent
from .grid import GridSupport
from .link import Capability, Limit, Link, LinkKind
from .monitoring import Problem
from .needs import ChargingNeeds, EnergyTransfer, VehiclePlan
from .reader import TokenReader
from .reservation import Reservation
from .settings import StationSettings
from .token_types import TokenTypes
from .transaction import Transaction
from .variables import Variables

if TYPE_CHECKING:
    from .costs import Costs
    from .external import ExternalLimit
    from .firmware import Firmware
    from .limiter.limiter import Limiter
    from .local_list import LocalList
    from .logs import Logs
    from .pending_restart import PendingRestart
    from .profiles.ledger import Ledger
    from .publishing import Publication
    from .reservations import Reservations
    from .security.security import Security
    from .session_limit import SessionLimit
    from .session_limits import SessionLimits
    from .shared_register import SharedRegister

type Number = int | float

USUAL = 8
"""So many EVSEs, and connectors of each, are believed without having been announced."""

MOST = 64
"""No station has more connectors in all, whatever it announces over the years."""


@dataclass(kw_only=True, slots=True, frozen=True)
class MeasurementKey:
    """Which quantity, and where: `phase` None is the total, `location` None the outlet."""

    measurand: Measurand
    phase: Phase | None = None
    location: Location | None = None

    @property
    def slug(self) -> str:
        """Return the key as one word that never changes, for ids and storage."""
        return "_".join(
            part for part in (self.measurand, self.phase, self.location) if part
        )


@dataclass(kw_only=True, slots=True, frozen=True)
class StationInfo:
    """Who a station says it is (OCPP BootNotification)."""

    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial: str | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class Fault:
    """What is wrong with a connector, in the station's own words."""

    error_code: str
    vendor_error_code: str | None = None
    vendor_id: str | None = None
    info: str | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class Pause:
    """A pause: of which transaction (its key), and which limit held before."""

    transaction: int
    before: Limit | None


class Place:
    """Something that is measured: a station as a whole (`id` 0) or one EVSE.

    Measurements are in base units: Wh (int), W, var, A, V, Hz, degree Celsius, percent.
    """

    def __init__(self, station: ChargingStation, evse_id: int) -> None:
        """Create a place of which nothing is known yet."""
        self.station = station
        self.id = evse_id
        self.measurements: dict[MeasurementKey, Channel[Number | None]] = {}
        self.register: SharedRegister | None = None
        """Its import register, if not only one tells of it."""
        self.status: Channel[ConnectorStatus | None] = Channel(None, urgent=True)
        self.fault: Channel[Fault | None] = Channel(None, urgent=True)
        self.suspension: Channel[str | None] = Channel(None, urgent=True)
        """Why the station itself gives nothing now, in the code of its vendor."""
        self.problems: Channel[tuple[Problem, ...]] = Channel((), urgent=True)
        """What is wrong now, the newest last (OCPP 2.x); `fault` is the newest."""
        self.wanted_limit: Channel[Limit | None] = Channel(None, urgent=True)
        """What the user asked for; None is no limit of ours."""
        self.pause: Pause | None = None
        """The pause of the open transaction, during which the wanted limit is 0."""
        self.effective_limit: Channel[Limit | None] = Channel(None, urgent=True)
        """What holds, as far as is known, in A; None if nothing is known."""
        self.limited_by: Channel[LimitedBy | None] = Channel(None, urgent=True)
        """What sets the effective limit; None if nothing is known."""
        self.external_limits: Channel[Mapping[str, ExternalLimit]] = Channel({})
        """What others allow, by who they are (OCPP 2.x)."""
        self.known_limits: Channel[Mapping[LimitedBy, Decimal]] = Channel({})
        """Every limit that the station tells of, in A; of equal ones the first counts.

        OUR_LIMIT is what stands where ours is written, whoever wrote it.
        """
        self.limit_ignored: Channel[bool | None] = Channel(None, urgent=True)
        """Whether what we want does not hold although there was time enough for it."""
        self.reservation: Channel[Reservation | None] = Channel(None, urgent=True)
        """The reservation that may be used here, or else the last one."""

    @property
    def phases(self) -> int:
        """Return with how many phases a vehicle charges here, as far as is known."""
        return self.station.settings.phases

    @property
    def states(self) -> tuple[Channel[Any], ...]:
        """Return the channels of how it is, which hold until another is told."""
        return self.status, self.fault, self.suspension

    def measurement(self, key: MeasurementKey) -> Channel[Number | None]:
        """Return the channel of a measurement, which appears when first asked for."""
        if (channel := self.measurements.get(key)) is None:
            channel = self.measurements[key] = Channel(None)
            self.station.grow()
        return channel


class Connector:
    """One socket or cable of an EVSE."""

    def __init__(self, connector_id: int) -> None:
        """Create a connector of which nothing is known yet."""
        self.id = connector_id
        self.status: Channel[ConnectorStatus | None] = Channel(None, urgent=True)
        """What the station says of it, in OCPP 2.x; that of the EVSE tells more."""


class Evse(Place):
    """An EVSE: one vehicle at a time (OCPP 1.6: a connector)."""

    def __init__(self, station: ChargingStation, evse_id: int) -> None:
        """Create an EVSE of which nothing is known yet."""
        super().__init__(station, evse_id)
        self.connectors: dict[int, Connector] = {}
        """Those that the station told of (OCPP 2.x)."""
        self.session: Channel[Transaction | None] = Channel(None, urgent=True)
        """The open transaction, or else the last one. Inner changes call `notify`."""
        self.session_limit: Channel[SessionLimit | None] = Channel(None, urgent=True)
        """What the open session, or else the next one, may have; None is all."""
        self.session_cost: Channel[Decimal | None] = Channel(None)
        """What the last session costs so far, None if that is not known."""
        self.cable_rating: Channel[int | None] = Channel(None, urgent=True)
        """What the plugged cable carries, in A."""
        self.wanted_phases: Channel[int | None] = Channel(None, urgent=True)
        """With how many phases the user wants to charge; None leaves it to the station."""
        self.resets: Channel[bool] = Channel(False, urgent=True)
        """Whether it can be restarted without the others (OCPP 2.x AllowReset)."""
        self.id_token_seen: Channel[tuple[str, datetime] | None] = Channel(
            None, urgent=True
        )
        self.needs: Channel[ChargingNeeds | None] = Channel(None, urgent=True)
        """What the vehicle of the session asks for; None if it said nothing."""
        self.allowed_transfers: frozenset[EnergyTransfer] | None = None
        """How energy may flow in the session, if we told the station (2.1 Q07)."""
        self.plan: Channel[VehiclePlan | None] = Channel(None, urgent=True)
        """What that vehicle is going to take."""
        self.priority: Channel[bool | None] = Channel(None, urgent=True)
        """Whether the session has priority (2.1 K21); None if nothing was told."""

    @property
    @override
    def phases(self) -> int:
        """Return with how many phases the user wants to charge, else all there are."""
        return self.wanted_phases.value or super().phases

    @property
    @override
    def states(self) -> tuple[Channel[Any], ...]:
        """Return the channels of how it is, which hold until another is told."""
        return *super().states, self.cable_rating

    @property
    def connector_ids(self) -> set[int]:
        """Return the connectors by their number; one is always there."""
        return set(self.connectors) or {1}

    def connector(self, connector_id: int) -> Connector:
        """Return a connector (id from 1), which appears when first asked for."""
        if (connector := self.connectors.get(connector_id)) is None:
            connector = self.connectors[connector_id] = Connector(connector_id)
            self.station.grow()
        return connector

    @property
    def told(self) -> ConnectorStatus | None:
        """Return the most telling status of the connectors, None if none is known."""
        return most_telling(one.status.value for one in self.connectors.values())

    @property
    def transaction(self) -> Transaction | None:
        """Return the open transaction."""
        session = self.session.value
        return session if session is not None and session.open else None


class ChargingStation:
    """One charging station, by whichever links it is reached."""

    def __init__(self, identity: str, settings: StationSettings) -> None:
        """Create a station that is not connected."""
        self.identity = identity
        self.settings = settings
        self.info: Channel[StationInfo] = Channel(StationInfo(), urgent=True)
        self.local: Channel[bool] = Channel(False, urgent=True)
        """Whether it is connected to us, and its boot was accepted."""
        self.remote: Channel[bool] = Channel(False, urgent=True)
        """Whether it reaches the cloud of its maker, by what that tells."""
        self.way: Channel[LinkKind | None] = Channel(None, urgent=True)
        """By which way it is reached now, the local one first; None if by none."""
        self.online: Channel[bool] = Channel(False, urgent=True)
        """Whether it is reached by any way."""
        self.version: Channel[str | None] = Channel(None, urgent=True)
        """The OCPP version in use, such as "1.6"."""
        self.connected_since: Channel[datetime | None] = Channel(None, urgent=True)
        self.heartbeat: Channel[datetime | None] = Channel(None)
        """When any frame last came."""
        self.latency: Channel[float | None] = Channel(None)
        """Round trip of the last ping or call in milliseconds."""
        self.reconnects: Channel[int] = Channel(0)
        self.signs_readings: Channel[bool | None] = Channel(None, urgent=True)
        """Whether its meter signs what it samples; None if it cannot."""
        self.firmware_status: Channel[str | None] = Channel(None, urgent=True)
        self.diagnostics_status: Channel[str | None] = Channel(None, urgent=True)
        self.id_token_presented: Channel[tuple[str, datetime] | None] = Channel(
            None, urgent=True
        )
        """The token last presented anywhere at the station, and when."""
        self.shared_circuit: Channel[bool | None] = Channel(None, urgent=True)
        """Whether other chargers are on its circuit; None if nobody knows."""
        self.reader = TokenReader()
        self.token_types = TokenTypes()
        self.grid_support = GridSupport()
        """What it tells of what it does for the grid."""
        self.skew = Skew()
        """How far the station's clock is off."""
        self.resumed_at: datetime | None = None
        """When we went on with what was kept of it."""
        self.whole = Place(self, 0)
        self.evses: dict[int, Evse] = {}
        self.links: list[Link] = []
        self.ways: set[LinkKind] = {LinkKind.OCPP}
        """By which ways it may be reached, whether or not it is just now."""
        self.findings: dict[str, str] = {}
        """What set-up learnt: step name to result, for diagnostics."""
        self.ledger: Ledger | None = None
        """Which profiles of ours it holds; set by the ledger itself."""
        self.limiter: Limiter | None = None
        """What makes limits hold; set by the limiter itself."""
        self.security: Security | None = None
        """What looks after password, certificate and profile; set by itself."""
        self.firmware: Firmware | None = None
        """Its updates; set by the firmware itself."""
        self.publication: Channel[Publication | None] = Channel(None, urgent=True)
        """Firmware that it keeps for others, the last one."""
        self.session_limits: SessionLimits | None = None
        """What its sessions may have; set by the limits themselves."""
        self.costs: Costs | None = None
        """What its sessions cost; set by the costs themselves."""
        self.logs: Logs | None = None
        """Its uploads; set by the logs themselves."""
        self.local_list: LocalList | None = None
        """What keeps its list of id tokens; set by the list itself."""
        self.list_size: Channel[int | None] = Channel(None, urgent=True)
        """How many id tokens its local list holds, as far as is known."""
        self.variables = Variables(self.grow)
        """What may be set at it, and some of what it tells of itself."""
        self.pending_restart: PendingRestart | None = None
        """What it was told that holds only after a restart; set by itself."""
        self.reservations: Reservations | None = None
        """Who may have its connectors; set by the reservations themselves."""
        self._growth: tuple[Listener, ...] = ()
        self._events: tuple[Callable[[StationEvent], None], ...] = ()
        self.local.subscribe(self._lend)
        self.local.subscribe(self._find_way)
        self.remote.subscribe(self._find_way)

    @property
    def places(self) -> tuple[Place, ...]:
        """Return the station as a whole and its EVSEs."""
        return self.whole, *self.evses.values()

    def _lend(self) -> None:
        """Let the cloud tell how it is until it says so itself on a new connection."""
        if self.local.value:
            for place in self.places:
                for channel in place.states:
                    channel.lend()

    def _find_way(self) -> None:
        """Take note that a way was opened or lost."""
        way = None
        if self.local.value:
            way = LinkKind.OCPP
        elif self.remote.value:
            way = LinkKind.EASEE
        self.way.set(way)
        self.online.set(way is not None)

    def speak(self, version: str) -> None:
        """Take note of the OCPP version; what only another one tells is not true now."""
        if self.version.value not in {None, version}:
            self.variables.only(())
            for evse in self.evses.values():
                evse.resets.set(False)
                for connector in evse.connectors.values():
                    connector.status.at = None
                    connector.status.set(None)
        self.version.set(version)

    def believes(self, evse_id: int, connector_id: int = 0) -> bool:
        """Return whether there may be such a place: 0 is the station, or any connector.

        Those that the station announced exist; a few more are taken on trust.
        """
        evse = self.evses.get(evse_id)
        if evse is None and not 0 <= evse_id <= USUAL:
            return False
        if not connector_id or (evse is not None and connector_id in evse.connectors):
            return True
        return 0 < connector_id <= USUAL and self.roomy

    @property
    def roomy(self) -> bool:
        """Return whether there may be yet another connector."""
        return sum(len(one.connectors) for one in self.evses.values()) < MOST

    def evse(self, evse_id: int) -> Evse:
        """Return an EVSE (id from 1), which appears when first asked for."""
        if (evse := self.evses.get(evse_id)) is None:
            evse = self.evses[evse_id] = Evse(self, evse_id)
            self.evses = dict(sorted(self.evses.items()))
            self.grow()
        return evse

    def place(self, evse_id: int) -> Place:
        """Return the EVSE, or for 0 the station as a whole."""
        return self.evse(evse_id) if evse_id else self.whole

    def link(self, capability: Capability) -> Link:
        """Return the link that carries a command: local if connected, else cloud."""
        connected = [link for link in self.links if link.connected]
        if not connected:
            raise NotConnected
        for link in connected:
            if capability in link.capabilities:
                return link
        raise NotSupported

    def grow(self) -> None:
        """Tell that something exists now that did not: an EVSE, a measurement."""
        for listener in self._growth:
            listener()

    def on_growth(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` whenever something new exists; return what ends that."""
        self._growth = (*self._growth, listener)
        return partial(self._off_growth, listener)

    def _off_growth(self, listener: Listener) -> None:
        self._growth = tuple(one for one in self._growth if one is not listener)

    def emit(self, event: StationEvent) -> None:
        """Tell of something that happened once, now."""
        for listener in self._events:
            listener(event)

    def on_event(self, listener: Callable[[StationEvent], None]) -> Callable[[], None]:
        """Call `listener` for everything that happens once; return what ends that."""
        self._events = (*self._events, listener)
        return partial(self._off_event, listener)

    def _off_event(self, listener: Callable[[StationEvent], None]) -> None:
        self._events = tuple(one for one in self._events if one is not listener)
