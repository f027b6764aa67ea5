"""Sites and their circuits: what chargers share, and who may use them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .clock import Cancellable, CloudClock
from .history import Price
from .vehicle import LOWEST_CURRENT, Limit, lowest

if TYPE_CHECKING:
    from .charger import Charger
    from .equalizer import Equalizer

PHASES = 3
HOME = 1
MAX = 3
"""The product codes of an Easee Home and of a Charge Max, which signs sessions."""


class Circuit:
    """A fuse, and the chargers behind it."""

    def __init__(
        self, number: int, site: Site, clock: CloudClock, rated: float = 32.0
    ) -> None:
        """Create a circuit without chargers, limited by nothing but its fuse."""
        self.id = number
        self.site = site
        self.clock = clock
        self.panel_name = f"Circuit {number}"
        self.rated = rated
        self.maximum = [rated] * PHASES
        self.offline = [LOWEST_CURRENT] * PHASES
        self.dynamic = [80.0] * PHASES
        self.idle_current = False
        self.chargers: list[Charger] = []
        self._ttl: Cancellable | None = None

    @property
    def master(self) -> Charger:
        """Return the charger that speaks for the circuit."""
        return self.chargers[0]

    def add(self, charger: Charger) -> None:
        """Put a charger behind the fuse."""
        self.chargers.append(charger)
        if charger is self.master:
            self.reset_dynamic()

    def reset_dynamic(self) -> None:
        """Set the dynamic limit to what it is after a reboot: 40 A (Home) or 80 A."""
        amps = 40.0 if self.master.product_code == HOME else 80.0
        self.set_dynamic([amps] * PHASES)

    def set_dynamic(self, amps: Sequence[float], minutes: float = 0) -> None:
        """Set the volatile limits, for some minutes or until they are set anew."""
        if self._ttl is not None:
            self._ttl.cancel()
            self._ttl = None
        # The cloud floors what it is given.
        self.dynamic = [float(int(one)) for one in amps]
        if minutes:
            self._ttl = self.clock.call_later(minutes * 60, self._expire)
        self.changed()

    def _expire(self) -> None:
        self._ttl = None
        self.dynamic = [*self.offline]
        self.changed()

    def limit(self, charger: Charger, phases: int) -> Limit:
        """Return what the circuit allows a charger on so many phases."""
        limits = [
            Limit(amps=self.rated, blocking=4, limiting=25),
            Limit(amps=min(self.maximum[:phases]), blocking=1, limiting=26),
            Limit(amps=min(self.dynamic[:phases]), blocking=2, limiting=27),
        ]
        if not charger.online:
            amps = min(self.offline[:phases])
            limits.append(Limit(amps=amps, blocking=3, limiting=30))
        elif (equalizer := self.site.equalizer) is not None and equalizer.online:
            amps = min(equalizer.available()[:phases])
            limits.append(Limit(amps=amps, blocking=10, limiting=28))
        return self._share(charger, lowest(limits))

    def _share(self, charger: Charger, whole: Limit) -> Limit:
        """Return a charger's part: those who came first, as many as can charge at all."""
        eaters = sorted(
            (one for one in self.chargers if one.hungry or one is charger),
            key=lambda one: one.plugged_at or self.clock(),
        )
        if len(eaters) < 2 or whole.amps < LOWEST_CURRENT:
            return whole
        served = eaters[: int(whole.amps // LOWEST_CURRENT)]
        amps = whole.amps / len(served) if charger in served else 0.0
        return Limit(amps=amps, blocking=5, limiting=29)

    def changed(self) -> None:
        """Let all chargers decide anew, and the master say what holds."""
        for charger in self.chargers:
            charger.evaluate()
        if self.chargers:
            self._publish()
        if self.site.equalizer is not None:
            self.site.equalizer.measure()

    def drawn(self) -> list[float]:
        """Return the current of all chargers by phase in ampere."""
        return [
            sum(charger.currents()[phase] for charger in self.chargers)
            for phase in range(PHASES)
        ]

    def _publish(self) -> None:
        master, drawn = self.master, self.drawn()
        equalizer = self.site.equalizer
        for phase in range(PHASES):
            master.observe(22 + phase, self.maximum[phase])
            master.observe(50 + phase, int(self.offline[phase]))
            master.observe(70 + phase, sum(one.offered for one in self.chargers))
            master.observe(73 + phase, drawn[phase])
            master.observe(111 + phase, self.dynamic[phase])
            if equalizer is not None:
                master.observe(230 + phase, equalizer.available()[phase])

    def settings(self) -> dict[str, Any]:
        """Return what `GET settings` says."""
        equalizer = self.site.equalizer
        found: dict[str, Any] = {
            "allowOfflineMaxCircuitCurrent": False,
            "enableIdleCurrent": self.idle_current,
            "equalizerId": None if equalizer is None else equalizer.serial,
            "masterChargerId": self.master.serial,
            "useDynamicMaster": False,
        }
        for phase in range(PHASES):
            found[f"dynamicCircuitCurrentP{phase + 1}"] = self.dynamic[phase]
            found[f"maxCircuitCurrentP{phase + 1}"] = self.maximum[phase]
            found[f"offlineMaxCircuitCurrentP{phase + 1}"] = int(self.offline[phase])
        return found

    def apply(self, body: dict[str, Any]) -> list[int]:
        """Take settings over, and return the numbers of the commands that this sends."""
        sent: list[int] = []
        for name, command, setter in self._setters():
            keys = [f"{name}P{phase}" for phase in (1, 2, 3)]
            if any(body.get(key) is not None for key in keys):
                before = self.settings()
                setter(
                    [body[k] if body.get(k) is not None else before[k] for k in keys]
                )
                sent.append(command)
        if (idle := body.get("enableIdleCurrent")) is not None:
            self.idle_current = idle
        self.changed()
        return sent

    def _setters(self) -> list[tuple[str, int, Callable[[list[float]], None]]]:
        return [
            ("dynamicCircuitCurrent", 22, self.set_dynamic),
            ("maxCircuitCurrent", 24, self._set_maximum),
            ("offlineMaxCircuitCurrent", 21, self._set_offline),
        ]

    def _set_maximum(self, amps: list[float]) -> None:
        self.maximum = [min(float(one), self.rated) for one in amps]

    def _set_offline(self, amps: list[float]) -> None:
        self.offline = [float(int(one)) for one in amps]

    def described(self) -> dict[str, Any]:
        """Return the circuit as part of its site."""
        return {
            "id": self.id,
            "siteId": self.site.id,
            "circuitPanelId": 1,
            "panelName": self.panel_name,
            "ratedCurrent": self.rated,
            "useDynamicMaster": False,
            "parentCircuitId": None,
            "chargers": [charger.described() for charger in self.chargers],
            "masterBackplate": self.master.back_plate() if self.chargers else None,
        }


class Site:
    """A place with circuits, at most one equalizer, and a price."""

    def __init__(self, number: int, name: str, rated: float = 63.0) -> None:
        """Create a site without circuits."""
        self.id = number
        self.name = name
        self.key = f"{number:04d}-AAAA"
        self.rated = rated
        self.price = Price()
        self.level_of_access = 1
        """1 admin, 2 partner, 3 user."""
        self.circuits: list[Circuit] = []
        self.equalizer: Equalizer | None = None

    @property
    def chargers(self) -> list[Charger]:
        """Return the chargers of all circuits."""
        return [charger for circuit in self.circuits for charger in circuit.chargers]

    def changed(self) -> None:
        """Let all chargers decide anew."""
        for circuit in self.circuits:
            circuit.changed()

    def described(self, *, detailed: bool = True) -> dict[str, Any]:
        """Return the site as REST does."""
        short: dict[str, Any] = {
            "id": self.id,
            "siteKey": self.key,
            "name": self.name,
            "levelOfAccess": self.level_of_access,
            "address": {
                "street": "Example street",
                "buildingNumber": "1",
                "zip": "0001",
                "area": "Example",
                "country": {"id": "NO", "name": "Norway", "phonePrefix": 47},
                "latitude": None,
                "longitude": None,
                "altitude": None,
            },
        }
        if not detailed:
            return short
        return short | {
            "installerAlias": None,
            "ratedCurrent": self.rated,
            "siteType": 1,
            "currencyId": self.price.currency,
            "costPerKWh": self.price.including_vat,
            "costPerKwhExcludeVat": self.price.excluding_vat,
            "vat": self.price.vat,
            "userRole": 1,
            "circuits": [circuit.described() for circuit in self.circuits],
            "equalizers": [self.equalizer.described()] if self.equalizer else [],
        }
