"""Charger: what the Easee cloud tells of one, in the model of its station."""

from dataclasses import replace
from datetime import datetime
import logging
from typing import Final

from ..station.channel import Channel
from ..station.link import Link
from ..station.model import ChargingStation
from ..station.second_source import SecondSource
from ..station.secrets import shortened
from ..station.shared_register import share
from ..station.transactions import Transactions
from .costs import ChargerCosts
from .enums import AccessLevel
from .feed import VACANT, Feed
from .feed_energy import Register
from .feed_liveness import ChargerLiveness
from .feed_measurements import MeasurementFeed
from .feed_sessions import SessionFeed
from .feed_status import StatusFeed
from .feed_tokens import TokenFeed
from .ids import ChargerId as Id
from .oddities import Oddities
from .products import ChargerInfo
from .readings import Observation, Readings
from .timing import Time
from .told_sessions import Unreadable, session_in, start_in, watt_hours, word

_LOGGER = logging.getLogger(__name__)

VENDOR: Final = "Easee"


class EaseeCharger:
    """A charger of an Easee account, and what it puts into its station.

    Values keep the time that the charger gave them: what is told again, or late,
    changes nothing that is newer (A1, A2).
    """

    def __init__(
        self,
        info: ChargerInfo,
        station: ChargingStation,
        transactions: Transactions,
        time: Time,
        *,
        link: Link,
        readings: Readings,
    ) -> None:
        """Feed `station`, which knows what is to be known of the time before."""
        self.info = info
        self.station = station
        self.transactions = transactions
        self.link = link
        self.readings = readings
        self.costs = ChargerCosts(serial=info.serial)
        """What its site says that it costs."""
        self.oddities = Oddities()
        self.access: Channel[AccessLevel | None] = Channel(None, urgent=True)
        """Who may charge: nothing tells, so it is what we said last."""
        self.asked_at: dict[str, datetime] = {}
        """When the charger was last told to report what, by the name of that."""
        self.liveness = ChargerLiveness(readings, time)
        self._time = time
        self._online_since: datetime | None = None
        self._source = SecondSource(
            station, time, time.call_later, ahead=lambda: self.liveness.ahead
        )
        self._feed = Feed(
            serial=info.serial,
            station=station,
            transactions=transactions,
            readings=readings,
            time=time,
            liveness=self.liveness,
            source=self._source,
        )
        self._status = StatusFeed(self._feed)
        self._measurements = MeasurementFeed(self._feed)
        if self._source.alone:
            transactions.told_by(lambda: self.liveness.ahead)
        else:
            share(self._feed.evse)
        self._register = Register(self._feed.evse, self._source.moment)
        self._sessions = SessionFeed(self._feed, self._register)
        self._tokens = TokenFeed(self._feed)
        # Local links come first.
        station.links.append(link)
        self._ends = (
            self.liveness.online.subscribe(self._online_changed),
            station.local.subscribe(self._local_changed),
            station.info.subscribe(self._introduce),
        )
        self._introduce()

    @property
    def serial(self) -> str:
        """Return the serial number."""
        return self.info.serial

    @property
    def reachable(self) -> bool:
        """Return whether the charger reaches the cloud now, by what it last said."""
        return self.liveness.online.value

    def update(self, info: ChargerInfo) -> None:
        """Take what the account says of the charger from now on."""
        self.info = info
        self._introduce()

    def stop(self, *, comes_back: bool = False) -> None:
        """Feed the station no more; what only the cloud knew is unknown from now on.

        Unless it `comes_back`, with the next start.
        """
        for end in self._ends:
            end()
        self.liveness.stop()
        self._sessions.stop()
        self._tokens.stop()
        self._source.close()
        if not comes_back:
            self._source.withdraw()
        if not (self._source.alone or self._source.beside):
            self.station.connected_since.set(None)
        self.station.links = [one for one in self.station.links if one is not self.link]

    async def settle(self) -> None:
        """Wait until the sessions that were told are in the journal."""
        await self._sessions.settle()

    # What is told

    def take(self, observation: Observation, *, replay: bool) -> None:
        """Take what the charger reports; a `replay` may be of long ago."""
        # What is told once counts however late it comes.
        match observation.id:
            case Id.CHARGING_SESSION_START | Id.CHARGING_SESSION:
                self._take_session(observation)
            case Id.CHARGING_SESSION_SIGNED if text := word(observation.value):
                self._sessions.signed(text, observation.at)
            case Id.SESSION_ENERGY if self._is_spurious(observation):
                return
        before = self._feed.mode
        if not self.readings.take(observation):
            return
        self.liveness.hear(observation, replay=replay)
        if observation.id == Id.CHARGER_OP_MODE:
            self._take_mode(observation, was_vacant=before in VACANT)
        self._status.take(observation.id)
        self._measurements.take(observation.id)
        self._take_energy(observation)
        if observation.id in {Id.CHARGER_FIRMWARE, Id.ICCID}:
            self._introduce()
        if observation.id == Id.USER_ID_TOKEN and not replay:
            self._tokens.shown(observation)
        self._note_heard()

    def _take_session(self, observation: Observation) -> None:
        """Take a start or an end, which is text that holds JSON."""
        started = observation.id == Id.CHARGING_SESSION_START
        if (text := word(observation.value)) is None:
            return
        try:
            read = start_in if started else session_in
            told = read(text, self._time())
        except Unreadable as err:
            self.oddities.note(f"observation {observation.id} with {err}")
            return
        if started:
            self._sessions.started(told)
        else:
            self._sessions.ended(told)

    def _is_spurious(self, observation: Observation) -> bool:
        """Return whether a session energy is the 0 that comes now and then (A3)."""
        mode = self._feed.mode
        return not observation.value and mode is not None and mode not in VACANT

    def _take_mode(self, observation: Observation, *, was_vacant: bool) -> None:
        mode = self._feed.mode
        begins = was_vacant and mode is not None and mode not in VACANT
        if begins and Id.SESSION_ENERGY in self.readings:
            # The vehicle is another one, whatever the charger still says (A3).
            zero = replace(observation, id=Id.SESSION_ENERGY, value=0.0)
            self.readings.take(zero)
        self._sessions.mode(mode, observation.at)

    def _take_energy(self, observation: Observation) -> None:
        if observation.id not in {Id.LIFETIME_ENERGY, Id.SESSION_ENERGY}:
            return
        if (energy := watt_hours(observation.value)) is None:
            return
        if observation.id == Id.LIFETIME_ENERGY:
            self._register.lifetime(energy, observation.at)
        else:
            self._sessions.energy(energy, observation.at)

    # What it is

    def _introduce(self) -> None:
        """Tell who the charger is, as far as nobody else did."""
        known, firmware = self.station.info.value, None
        number = self.readings.number(Id.CHARGER_FIRMWARE)
        if number is not None and not self._tells_firmware(known.firmware):
            firmware = str(int(number))
        self.station.info.set(
            replace(
                known,
                vendor=known.vendor or VENDOR,
                model=known.model or self.info.model,
                serial=known.serial or self.info.serial,
                firmware=firmware or known.firmware,
                iccid=word(self.readings.value(Id.ICCID)) or known.iccid,
            )
        )

    def _tells_firmware(self, known: str | None) -> bool:
        """Return whether the charger itself tells its firmware, which says more.

        What speaks OCPP for it in a cloud has a version of its own beside it.
        """
        return known is not None and (self._source.beside or "/" in known)

    def _online_changed(self) -> None:
        online = self.reachable
        self._online_since = self._time() if online else None
        if not self._source.beside:
            self.station.connected_since.set(self._online_since)
        _LOGGER.debug(
            "%s is %s", shortened(self.serial), "online" if online else "offline"
        )
        self._show_measurements()
        self._sessions.look()
        self.station.remote.set(online)

    def _local_changed(self) -> None:
        """Tell everything that is newer than what the charger told itself."""
        if self._source.alone:
            return
        self._show_measurements()
        if not self._source.beside:
            self.station.connected_since.set(self._online_since)
            self._status.refresh()

    def _show_measurements(self) -> None:
        if self._source.beside and not self.reachable:
            self._source.withdraw_measurements()
        else:
            self._measurements.refresh()

    def _note_heard(self) -> None:
        """Tell when the charger was last heard of: not when its past was told again."""
        if (heard := self.liveness.last_seen) is None:
            return
        heard, known = min(heard, self._time()), self.station.heartbeat.value
        if known is None or heard > known:
            self.station.heartbeat.set(heard)
