"""Products: the sites, circuits, chargers and equalizers of an account."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class ProductCode(IntEnum):
    """What a charger is sold as (easee_cloud.md 2.3)."""

    HOME = 1
    CHARGE_LITE = 2
    CHARGE_MAX = 3
    CHARGE_UP = 4
    CHARGE = 100
    CHARGE_CORE = 102
    CHARGE_PRO = 103
    CHARGE_ONE = 400


MODELS: Final[dict[int, str]] = {
    ProductCode.HOME: "Home",
    ProductCode.CHARGE_LITE: "Charge Lite",
    ProductCode.CHARGE_MAX: "Charge Max",
    ProductCode.CHARGE_UP: "Charge Up",
    ProductCode.CHARGE: "Charge",
    ProductCode.CHARGE_CORE: "Charge Core",
    ProductCode.CHARGE_PRO: "Charge Pro",
    ProductCode.CHARGE_ONE: "Charge One",
}


@dataclass(kw_only=True, slots=True, frozen=True)
class ChargerInfo:
    """A charger of an account; `circuit_id` is None if its site was not to be had.

    `product_code` is the cloud's number, also if it is none that we know. `primary` says
    that it is the one of its circuit that speaks for all (the master back plate).
    """

    serial: str
    name: str
    product_code: int | None = None
    site_id: int | None = None
    circuit_id: int | None = None
    primary: bool = True
    access: int | None = None
    role: int | None = None

    @property
    def model(self) -> str:
        """Return the name of the product, or its number if it is a new one."""
        if self.product_code is None:
            return "Charger"
        return MODELS.get(self.product_code, f"Charger {self.product_code}")


@dataclass(kw_only=True, slots=True, frozen=True)
class EqualizerInfo:
    """An equalizer of an account: the meter in the cabinet."""

    serial: str
    name: str
    site_id: int | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class CircuitInfo:
    """A circuit of a site: its fuse in A, and the chargers on it by serial."""

    id: int
    site_id: int
    name: str
    rated_current: float | None = None
    chargers: tuple[str, ...] = ()
    primary: str | None = None
    """The charger that speaks for the circuit."""


@dataclass(kw_only=True, slots=True, frozen=True)
class SiteInfo:
    """A site: its fuse in A, and what is there. Prices are per kWh, in `currency`."""

    id: int
    name: str
    key: str | None = None
    rated_current: float | None = None
    currency: str | None = None
    price: float | None = None
    """What a kWh costs, value added tax included."""
    price_without_vat: float | None = None
    vat: float | None = None
    """Value added tax in percent."""
    circuits: tuple[CircuitInfo, ...] = ()
    chargers: tuple[ChargerInfo, ...] = ()
    equalizers: tuple[EqualizerInfo, ...] = ()
