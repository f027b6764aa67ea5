"""The equalizer: it reads the meter of the house, and says what is left for cars."""

from datetime import timedelta
import json
from typing import Any, override

from .clock import CloudClock
from .observations import EQUALIZER
from .products import CONNECTED, Product
from .site import PHASES, Site

VOLTAGE = 230.0
TICK = 60.0
NO_SURPLUS = "none"
WITH_IMPORT = "chargingWithImport"


class Equalizer(Product):
    """An equalizer in a house with three phases, and a roof that may have panels."""

    table = EQUALIZER

    def __init__(self, serial: str, name: str, clock: CloudClock, site: Site) -> None:
        """Install it at a site."""
        super().__init__(serial, name, clock)
        self.site = site
        site.equalizer = self
        self.house = [2.0, 1.0, 1.5]
        """What the house takes without the cars, in ampere by phase."""
        self.solar = 0.0
        """What comes from the roof in kW."""
        self.max_allocated = int(site.rated)
        self.surplus: dict[str, Any] = {"mode": NO_SURPLUS}
        self.firmware = 220
        self.latest_firmware = 220
        self._imported = 12_345.0
        self._exported = 678.0
        self._power = 0.0
        self._settled_at = clock()
        self._start()
        clock.call_later(TICK, self._tick)

    def _start(self) -> None:
        self.observe_all(
            {
                19: self.site.id,
                21: self.firmware,
                23: 1,
                25: "AIDON",
                26: "6970631400000000",
                29: 1,
                30: 3,
                47: 12.0,
                48: 34.0,
                51: "Example",
                68: 31.0,
                70: -60,
                100: 1,
                CONNECTED: True,
            }
        )
        self._configured()

    def _configured(self) -> None:
        self.observe(
            20,
            json.dumps(
                {
                    "ratedCurrent": self.site.rated,
                    "maxContinuousCurrent": self.site.rated,
                    "maxAllocatedCurrent": self.max_allocated,
                }
            ),
        )
        surplus = self.surplus.get(WITH_IMPORT, {})
        amps = surplus.get("maximumImportAddedCurrent", 0)
        self.observe(
            115, json.dumps({"mode": self.surplus["mode"], "standbycurrent": amps})
        )

    def _sunny(self) -> float:
        return self.solar * 1000 / VOLTAGE / PHASES

    def available(self) -> list[float]:
        """Return what is left for cars in ampere by phase."""
        if self.surplus["mode"] != NO_SURPLUS:
            added = self.surplus.get(WITH_IMPORT, {}).get(
                "maximumImportAddedCurrent", 0
            )
            return [
                round(max(0.0, self._sunny() - load) + added, 1) for load in self.house
            ]
        most = min(float(self.max_allocated), self.site.rated)
        return [
            round(max(0.0, most - max(0.0, load - self._sunny())), 1)
            for load in self.house
        ]

    def measure(self) -> None:
        """Read the meter, and report what has changed."""
        self._settle()
        cars = [0.0] * PHASES
        for circuit in self.site.circuits:
            cars = [a + b for a, b in zip(cars, circuit.drawn(), strict=True)]
        net = [
            load + car - self._sunny()
            for load, car in zip(self.house, cars, strict=True)
        ]
        self._power = sum(net) * VOLTAGE / 1000
        left = self.available()
        for phase in range(PHASES):
            self.observe(31 + phase, abs(net[phase]))
            self.observe(34 + phase, VOLTAGE)
            self.observe(37 + phase, 400.0)
            self.observe(87 + phase, left[phase])
            self.observe(105 + phase, cars[phase])
        self.observe(40, max(0.0, self._power))
        self.observe(41, max(0.0, -self._power))
        self.observe(42, 0.12)
        self.observe(43, 0.0)
        self.observe(44, max(5.0, self._power))

    def _settle(self) -> None:
        now = self.clock()
        hours = max((now - self._settled_at) / timedelta(hours=1), 0.0)
        self._settled_at = now
        self._imported += max(0.0, self._power) * hours
        self._exported += max(0.0, -self._power) * hours

    def _tick(self) -> None:
        self.clock.call_later(TICK, self._tick)
        self.measure()
        self.observe(45, self._imported)
        self.observe(46, self._exported)

    def set_house(self, amps: list[float], solar: float | None = None) -> None:
        """Let the house take another current, and the roof give another power."""
        self.house = [float(one) for one in amps]
        if solar is not None:
            self.solar = solar
        self.site.changed()

    def set_max_allocated(self, amps: int) -> None:
        """Take over how much all cars may have."""
        self.max_allocated = amps
        self._configured()
        self.site.changed()

    def set_surplus(self, surplus: dict[str, Any]) -> None:
        """Take over how surplus is used."""
        self.surplus = surplus
        self._configured()
        self.site.changed()

    @override
    def go_offline(self, reason: str = "timeout") -> None:
        super().go_offline(reason)
        self.site.changed()

    @override
    def go_online(self) -> None:
        super().go_online()
        self.site.changed()

    def described(self) -> dict[str, Any]:
        """Return the equalizer as part of its site."""
        return {
            "id": self.serial,
            "name": self.name,
            "siteId": self.site.id,
            "circuitId": None,
        }

    def config(self) -> dict[str, Any]:
        """Return what `GET config` says."""
        return {
            "ssid": "Example",
            "equalizerId": self.serial,
            "masterBackPlateId": None,
            "siteStructure": self[20],
            "meterId": self[26],
            "meterType": self[25],
            "gridType": 1,
            "numPhases": PHASES,
            "maxAllocatedCurrent": self.max_allocated,
            "deviceMode": {"activeMode": 1, "configuredMode": 1},
        }
