"""A charger as the cloud sees it: a state machine with a car, a meter and limits."""

from datetime import datetime, timedelta
from typing import Any, override

from .clock import Cancellable, CloudClock
from .defaults import defaults
from .history import ChargingSession, History
from .local_side import LocalSide
from .modes import PILOT, Mode, led
from .observations import CHARGER
from .products import Product
from .schedules import Schedules
from .site import HOME, MAX, PHASES, Circuit
from .vehicle import LOWEST_CURRENT, Limit, Vehicle, lowest

TICK = 60.0
VOLTAGE = 230.0
REBOOT = 180.0
CREATED = "2024-01-01T10:00:00Z"
COMMANDED_REBOOT = 1 << 20
OFFER_AT_ONCE = 7.0
"""Below this many ampere the firmware waits before it begins."""


class Charger(Product):
    """A charger on a circuit."""

    table = CHARGER

    def __init__(
        self,
        serial: str,
        name: str,
        clock: CloudClock,
        circuit: Circuit,
        *,
        product_code: int = 100,
        firmware: int = 344,
        register: float = 1234.5,
    ) -> None:
        """Install a charger that is enabled, free for all and without a car."""
        super().__init__(serial, name, clock)
        self.circuit = circuit
        self.product_code = product_code
        self.latest_firmware = firmware
        self.register = register
        """kWh delivered in its life."""
        self.pin_code = "1234"
        self.level_of_access = 1
        self.access = 1
        """1 open for all, 2 account required, 3 whitelist."""
        self.operator: dict[str, Any] | None = {"id": 1, "name": "Easee"}
        self.vehicle: Vehicle | None = None
        self.plugged_at: datetime | None = None
        self.history = History()
        self.session: ChargingSession | None = None
        self.schedules = Schedules(clock)
        self.local = LocalSide()
        self.slow_start = 300.0
        """How many seconds a start below 7 A takes."""
        self.mode = Mode.DISCONNECTED
        self.offered = 0.0
        self.pairing = False
        self.updating = False
        self._ttl: Cancellable | None = None
        self._authorized = False
        self._leaving = False
        self._authorized_by = ("", 0)
        self._offered_at: datetime | None = None
        self._pending: Cancellable | None = None
        self._phase_mode: int | None = None
        self._settled_at = clock()
        self._hour = clock().hour
        self.observe_all(defaults(self, firmware))
        circuit.add(self)
        clock.call_later(TICK, self._tick)

    @property
    def default_current(self) -> float:
        """Return what plugging in or a reboot sets the dynamic limit to, in ampere."""
        return 40.0 if self.product_code == HOME else 32.0

    @property
    def hungry(self) -> bool:
        """Return whether a car here would take current."""
        return (
            self.vehicle is not None
            and self.vehicle.wants
            and self.allowed
            and not self.has_error
            and self[48] != 0
        )

    @property
    def asks(self) -> bool:
        """Return whether it charges nobody who is not let in."""
        return bool(self[42]) or self.local.rules

    @property
    def _free(self) -> bool:
        return self._authorized or not self.asks

    @property
    def allowed(self) -> bool:
        """Return whether this charger may charge whoever is plugged in."""
        return bool(self[31]) and self._free and not self._leaving

    @property
    def has_error(self) -> bool:
        """Return whether it is broken."""
        return bool(self[119])

    def phases(self) -> int:
        """Return on how many phases it charges."""
        locked = self._phase_mode or self[38]
        if self.vehicle is None or locked == 1:
            return 1
        if locked == 2 and min(self.circuit.dynamic[1:]) < LOWEST_CURRENT:
            return 1
        return self.vehicle.phases

    def limit(self) -> Limit:
        """Return the limit that holds."""
        limits = [
            self.circuit.limit(self, self.phases()),
            Limit(amps=float(self[47]), blocking=51, limiting=77),
            Limit(amps=float(self[48]), blocking=52, limiting=78),
            Limit(amps=float(self[104]) or 32.0, blocking=75, limiting=75),
        ]
        if (scheduled := self.schedules.limit(self.clock())) is not None:
            limits.append(Limit(amps=scheduled, blocking=54, limiting=76))
        if (local := self.local.limit()) is not None:
            limits.append(Limit(amps=local, blocking=54, limiting=76))
        if self.vehicle is not None:
            amps = self.vehicle.maximum_current
            limits.append(Limit(amps=amps, blocking=81, limiting=81))
        return lowest(limits)

    def currents(self) -> list[float]:
        """Return what the car takes in ampere by phase."""
        if self.mode is not Mode.CHARGING:
            return [0.0] * PHASES
        used = self.phases()
        return [self.offered if phase < used else 0.0 for phase in range(PHASES)]

    @property
    def power(self) -> float:
        """Return what the car takes in kW."""
        return sum(self.currents()) * VOLTAGE / 1000

    def _decide(self) -> tuple[Mode, int, float]:
        """Return the mode, the reason for no current, and the current offered."""
        if self.has_error:
            return Mode.ERROR, 56, 0.0
        if self.vehicle is None:
            return Mode.DISCONNECTED, 50 if self[31] else 53, 0.0
        if not self[31]:
            return Mode.AWAITING_START, 53, 0.0
        if self._leaving:
            return Mode.DEAUTHENTICATING, 55, 0.0
        if not self.allowed:
            return Mode.AWAITING_AUTHENTICATION, 55, 0.0
        limit = self.limit()
        if limit.amps < LOWEST_CURRENT:
            return Mode.AWAITING_START, limit.blocking, 0.0
        if not self.vehicle.wants:
            return Mode.COMPLETED, 79, limit.amps
        return Mode.CHARGING, limit.limiting, limit.amps

    def evaluate(self) -> None:
        """Do what the limits, the car and the user want by now."""
        self._settle()
        mode, reason, amps = self._decide()
        if mode is Mode.CHARGING and self.mode is not Mode.CHARGING:
            mode = self._start(amps)
        elif mode is not Mode.CHARGING:
            self._offered_at = None
        self.mode, self.offered = mode, amps
        if mode is not Mode.CHARGING:
            self._phase_mode = None
        elif self._phase_mode is None:
            self._phase_mode = int(self[38])
        self._keep_session()
        self._report(reason)
        self.local.show()

    def _start(self, amps: float) -> Mode:
        """Begin to charge, or wait for the car or the firmware to begin."""
        assert self.vehicle is not None
        now = self.clock()
        self._offered_at = self._offered_at or now
        slow = amps < OFFER_AT_ONCE
        hold = self.slow_start if slow else self.vehicle.reaction
        due = self._offered_at + timedelta(seconds=hold)
        if now >= due:
            return Mode.CHARGING
        if self._pending is not None:
            self._pending.cancel()
        wait = (due - now).total_seconds()
        self._pending = self.clock.call_later(wait, self.circuit.changed)
        return Mode.AWAITING_START if slow else Mode.READY_TO_CHARGE

    def _keep_session(self) -> None:
        present = self.vehicle is not None and self.allowed
        if present and self.session is None:
            token, reason = self._authorized_by
            self.session = ChargingSession(
                id=self.history.next_id(),
                start=self.clock(),
                meter_start=self.register,
                auth=token,
                auth_reason=reason,
            )
            self.observe(121, 0.0)
            self.observe(223, self.session.started())
            self.local.began(self.session)
        elif self.session is not None and (
            self.vehicle is None or self._leaving or not self._free
        ):
            self.session.stop = self.clock()
            self.history.sessions.append(self.session)
            self.observe(129, self.session.ended())
            if self.product_code == MAX:
                self.observe(60, self.session.signed(self.serial))
            self.local.ended(self.session)
            self.session = None

    def _report(self, reason: int) -> None:
        charging = self.mode is Mode.CHARGING
        currents = self.currents()
        self.observe_all(
            {
                109: int(self.mode),
                96: reason,
                46: led(self.mode, smart=bool(self[102])) if self[31] else 0,
                100: PILOT.get(self.mode, "B"),
                110: 0 if not charging else 10 if self.phases() == 1 else 30,
                114: self.offered,
                120: self.power,
                182: currents[0] if self.phases() == 1 else 0.0,
                183: currents[0],
                184: currents[1],
                185: currents[2],
                62: self.schedules.text(),
            }
        )

    def _settle(self) -> None:
        """Count what was charged since the last time."""
        now = self.clock()
        seconds = max((now - self._settled_at).total_seconds(), 0.0)
        self._settled_at = now
        if self.session is None or self.vehicle is None:
            return
        room = self.vehicle.capacity - self.vehicle.stored
        energy = min(self.power * seconds / 3600, room)
        if energy > 0:
            self.vehicle.stored += energy
            self.register += energy
            self.session.charged(energy, seconds, now)
            self.history.charged(energy, now - timedelta(seconds=seconds))
            self.observe(121, self.session.energy)

    def _tick(self) -> None:
        """Let a minute pass: heartbeat, hourly register, a full car, a schedule."""
        self.clock.call_later(TICK, self._tick)
        now = self.clock()
        self.circuit.changed()
        if now.minute % 15 == 0:
            self.observe(150, 28.0 + self.offered / 4, force=True)
        if now.hour != self._hour:
            self._hour = now.hour
            last = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
            self.observe(122, self.history.hours.get(last, 0.0))
            self.observe(124, self.register)

    def plug_in(self, vehicle: Vehicle | None = None) -> None:
        """Plug in a car; that resets the dynamic limit."""
        self.vehicle = vehicle or Vehicle()
        self.plugged_at = self.clock()
        self._authorized, self._authorized_by = False, ("", 0)
        self.schedules.overridden = False
        self.observe_all({48: self.default_current, 103: True, 104: 32.0})
        self.local.plugged()
        self.circuit.changed()

    def unplug(self) -> None:
        """Unplug the car."""
        self._settle()
        self.vehicle = self.plugged_at = None
        self._authorized = False
        self.observe_all({103: bool(self[30]), 104: 0.0})
        self.circuit.changed()

    def set_dynamic(self, amps: float, minutes: int = 0) -> None:
        """Set the volatile limit, for some minutes or until it is set anew."""
        if self._ttl is not None:
            self._ttl.cancel()
            self._ttl = None
        if minutes:
            self._ttl = self.clock.call_later(
                minutes * 60, lambda: self.set_dynamic(self._fallback())
            )
        self.observe(48, amps)
        self.circuit.changed()

    def _fallback(self) -> float:
        """Return what holds once a limit's time to live is over, in ampere."""
        return min(self.circuit.offline)

    def pause_car(self, paused: bool) -> None:
        """Let the car take nothing, or take something again."""
        if self.vehicle is not None:
            self._settle()
            self.vehicle.paused = paused
            self.circuit.changed()

    def swipe(self, token: str) -> None:
        """Hold an RFID card against the charger."""
        self.observe(128, token, force=True)
        turned = bytes.fromhex(token)[::-1].hex().upper() if _is_hex(token) else token
        self.observe(108, turned, force=True)
        if self.pairing:
            self.pairing = False
            self.observe(69, token, force=True)
        elif self.local.rules:
            self.local.swiped(token)
        elif self.mode is Mode.AWAITING_AUTHENTICATION:
            self.authorize(token, reason=1)

    def authorize(self, token: str = "", reason: int = 2) -> None:
        """Let the car charge."""
        self._authorized, self._authorized_by = True, (token, reason)
        self.circuit.changed()

    def let_stay(self, token: str = "") -> None:
        """Let the car that is here charge on, whoever decides from now on."""
        if not self._authorized:
            self._authorized, self._authorized_by = True, (token, 0)

    def deauthorize(self) -> None:
        """Let the car charge no longer; that takes three seconds."""
        self._leaving = True
        self.circuit.changed()
        self._authorized = False
        self.clock.call_later(3, self._left)

    def _left(self) -> None:
        self._leaving = False
        self.circuit.changed()

    def fail(self, code: int, text: str = "Ground fault") -> None:
        """Break; 0 is the repair."""
        self.observe_all({118: text if code else "", 119: code})
        self.circuit.changed()

    def reboot(self, reason: int = COMMANDED_REBOOT, seconds: float = REBOOT) -> None:
        """Be gone for some minutes, and forget the dynamic limits."""
        self.go_offline("reboot")
        self.local.powered_off()
        self.clock.call_later(seconds, lambda: self._booted(reason))

    def _booted(self, reason: int) -> None:
        self.observe_all({48: self.default_current, 80: self._firmware(), 89: reason})
        if self is self.circuit.master:
            self.circuit.reset_dynamic()
        self.go_online()
        self.local.powered_on()

    def _firmware(self) -> int:
        was_updating, self.updating = self.updating, False
        return self.latest_firmware if was_updating else int(self[80])

    def update_firmware(self) -> None:
        """Install the latest firmware, which takes a reboot."""
        self.updating = True
        self.observe(46, 1)
        self.reboot()

    @override
    def go_offline(self, reason: str = "timeout") -> None:
        if self.online:
            self.observe(109, int(Mode.OFFLINE))
        super().go_offline(reason)
        self.circuit.changed()

    @override
    def go_online(self) -> None:
        super().go_online()
        self.observe(109, int(self.mode), force=True)
        self.circuit.changed()

    def back_plate(self) -> dict[str, Any]:
        """Return the back plate; the master's names itself."""
        return {
            "id": f"BP-{self.serial}",
            "masterBackPlateId": f"BP-{self.circuit.master.serial}",
            "name": None,
        }

    def described(self) -> dict[str, Any]:
        """Return the charger as lists of chargers do."""
        return {
            "id": self.serial,
            "name": self.name,
            "productCode": self.product_code,
            "color": 4,
            "createdOn": CREATED,
            "updatedOn": CREATED,
            "backPlate": self.back_plate(),
            "levelOfAccess": self.level_of_access,
            "userRole": 1,
            "isTemporary": False,
        }


def _is_hex(token: str) -> bool:
    return len(token) % 2 == 0 and all(c in "0123456789abcdefABCDEF" for c in token)
