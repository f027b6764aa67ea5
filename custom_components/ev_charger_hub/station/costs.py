"""Costs: what the sessions of a station cost, by the price that the user pays."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from .channel import Channel
from .clock import Clock
from .errors import JournalError, StationError
from .outcome import Outcome
from .transaction import Transaction

if TYPE_CHECKING:
    import asyncio

    from .journal import Journal
    from .model import ChargingStation, Evse

FACT: Final = "costs"
DRIVER_TARIFF: Final = "driver_tariff"
"""The fact of the tariff that drivers are given (2.1 I08)."""

KEPT: Final = 100
"""Sessions whose cost is remembered, newest last."""

PAUSE: Final = timedelta(seconds=60)
"""How long after a cost the next one is told: it is read by people."""

_CENT: Final = Decimal("0.01")
_MOST: Final = 10**9
_MILL: Final = Decimal("0.0001")
_KILO: Final = 1000

type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]


class CostLink(Protocol):
    """The part of a link that tells drivers what they pay."""

    @property
    def shows_cost(self) -> bool:
        """Return whether the station says that it shows costs."""

    @property
    def currency(self) -> str | None:
        """Return the currency that the station shows, None if it does not say."""

    async def cost_updated(self, transaction_id: str, total: Decimal) -> Outcome:
        """Tell what a session has cost so far (2.0.1 I02)."""


@dataclass(kw_only=True, slots=True)
class SessionCost:
    """What a session costs: `energy` in Wh is paid for by `cost`.

    `by_station` says that the station has counted it itself (2.1 costDetails).
    """

    energy: int = 0
    cost: Decimal = field(default_factory=Decimal)
    by_station: bool = False

    def pay(self, energy: int, price: Decimal) -> None:
        """Pay for what flowed since; a correction downward is given back."""
        self.cost += (energy - self.energy) * price / _KILO
        self.energy = energy

    @property
    def total(self) -> Decimal:
        """Return the cost as it is told: in hundredths; some prices are below nothing."""
        # Without the sum there would be a zero with a minus.
        return self.cost.quantize(_CENT) + Decimal(0)


class Costs:
    """The costs of the sessions of one station.

    The price holds for what flows from now on; for what flowed before the first price
    was known, that one does.
    """

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        *,
        spawn: Spawn,
    ) -> None:
        """Know nothing until `load`; the station finds its costs here."""
        self.price: Channel[Decimal | None] = Channel(None, urgent=True)
        """What a kWh costs now; None if the user has no price for it."""
        self.currency: str | None = None
        """The currency of the house (ISO 4217), which is that of the price."""
        self.driver_tariff: dict[str, Any] | None = None
        """The tariff for whoever is admitted, in the words of OCPP 2.1."""
        self._station = station
        self._journal = journal
        self._clock = clock
        self._spawn = spawn
        self._known: dict[str, SessionCost] = {}
        self._told: dict[int, tuple[str, Decimal, datetime]] = {}
        self._telling: set[int] = set()
        self._followed: set[int] = set()
        self._unsaved = False
        self._unsubscribes: list[Callable[[], None]] = []
        station.costs = self

    async def load(self) -> None:
        """Recall what sessions cost, after a restart."""
        kept = await self._journal.load(self._station.identity, FACT) or {}
        if kept.get("price") is not None:
            # It holds until its entity, which starts as we do, has a newer one.
            self.price.set(Decimal(kept["price"]))
            self.currency = kept["currency"]
        for transaction_id, one in kept.get("sessions", {}).items():
            self._known[transaction_id] = SessionCost(
                energy=one["energy"],
                cost=Decimal(one["cost"]),
                by_station=one["by_station"],
            )
        self.driver_tariff = await self._journal.load(
            self._station.identity, DRIVER_TARIFF
        )
        self._unsubscribes.append(self._station.on_growth(self._follow))
        self._follow()

    async def set_driver_tariff(self, tariff: dict[str, Any] | None) -> None:
        """Give drivers a tariff from now on, durable when it returns."""
        await self._journal.store(self._station.identity, DRIVER_TARIFF, tariff)
        self.driver_tariff = tariff

    @property
    def price_text(self) -> str | None:
        """Return the price as drivers read it, None if there is none."""
        if (price := self.price.value) is None or not self.currency:
            return None
        exact = price.quantize(_MILL)
        shown = exact if exact != exact.quantize(_CENT) else exact.quantize(_CENT)
        return f"{shown} {self.currency}/kWh"

    def close(self) -> None:
        """Let go of the station."""
        for unsubscribe in self._unsubscribes:
            unsubscribe()

    def set_price(self, price: Decimal | None, currency: str | None) -> None:
        """Take the price of a kWh; what flowed until now is paid by the one before."""
        before, self.currency = self.price.value, currency
        if price == before:
            return
        if before is not None:
            self._pay_all()
        self.price.set(price)
        self._store()
        if before is None:
            self._pay_all()
        self._station.grow()

    def of(self, transaction: Transaction) -> Decimal | None:
        """Return what a session costs, None if that is not known."""
        known = self._known.get(transaction.transaction_id)
        return None if known is None else known.total

    def settle(self, transaction: Transaction) -> Decimal | None:
        """Return what a session costs as it is now, None if that is not known."""
        self._pay(transaction)
        return self.of(transaction)

    def told(self, transaction: Transaction, total: object) -> None:
        """Take what the station has counted itself: it knows its tariff best."""
        try:
            cost = Decimal(str(total))
        except InvalidOperation:
            return
        if cost.is_finite() and abs(cost) < _MOST:
            self._unsaved = True
            self._keep(
                transaction,
                SessionCost(energy=transaction.energy, cost=cost, by_station=True),
            )

    def rename(self, transaction_id: str, new: str) -> None:
        """Keep what a session has cost under the id that it has from now on."""
        if (known := self._known.pop(transaction_id, None)) is not None:
            self._known[new] = known
            self._store()

    async def save(self) -> None:
        """Have what the station has counted durable: it does not tell it again."""
        if not self._unsaved:
            return
        self._unsaved = False
        try:
            await self._journal.store(self._station.identity, FACT, self._fact())
        except JournalError:
            self._store()

    def _follow(self) -> None:
        """Follow the sessions of EVSEs that are not followed yet."""
        for evse in self._station.evses.values():
            if evse.id not in self._followed:
                self._followed.add(evse.id)
                changed = partial(self._changed, evse)
                self._unsubscribes.append(evse.session.subscribe(changed))
                self._changed(evse)

    def _pay_all(self) -> None:
        for evse in self._station.evses.values():
            self._changed(evse)

    def _changed(self, evse: Evse) -> None:
        if (session := evse.session.value) is None:
            return
        self._pay(session)
        evse.session_cost.set(self.of(session))
        if session.open:
            self._tell(evse, session)

    def _pay(self, session: Transaction) -> None:
        """Pay what a session has used since, if there is a price and it goes on."""
        price, known = self.price.value, self._known.get(session.transaction_id)
        if price is None or (known is None and not session.open):
            return
        known = known or SessionCost()
        if known.by_station or session.energy == known.energy != 0:
            return
        if session.energy < known.energy and self._is_outdated(session):
            # More was paid for already than is known of now.
            return
        before = known.total if session.transaction_id in self._known else None
        known.pay(session.energy, price)
        if known.total != before:
            self._keep(session, known)

    def _is_outdated(self, session: Transaction) -> bool:
        evse = self._station.evses.get(session.evse_id)
        shown = None if evse is None else evse.session
        return shown is not None and shown.value is session and shown.outdated

    def _keep(self, session: Transaction, cost: SessionCost) -> None:
        # What goes on has news, and is not among the first to be forgotten.
        self._known.pop(session.transaction_id, None)
        self._known[session.transaction_id] = cost
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        self._store()
        evse = self._station.evses.get(session.evse_id)
        if evse is not None and evse.session.value is session:
            evse.session_cost.set(cost.total)

    def _store(self) -> None:
        self._journal.store_soon(self._station.identity, FACT, self._fact())

    def _fact(self) -> dict[str, Any]:
        price = self.price.value
        return {
            "price": None if price is None else str(price),
            "currency": self.currency,
            "sessions": {
                transaction_id: {
                    "energy": one.energy,
                    "cost": str(one.cost),
                    "by_station": one.by_station,
                }
                for transaction_id, one in self._known.items()
            },
        }

    # What the driver is told

    def _link(self) -> CostLink | None:
        """Return what shows the cost in our currency, None if nothing does."""
        for link in self._station.links:
            costs = link.costs if link.connected else None
            if costs is not None and costs.shows_cost:
                return costs if costs.currency in {None, self.currency} else None
        return None

    def _tell(self, evse: Evse, session: Transaction) -> None:
        """Tell the driver what it has cost so far, now and then."""
        known, now = self._known.get(session.transaction_id), self._clock()
        if known is None or known.by_station or evse.id in self._telling:
            return
        total = known.total
        if (last := self._told.get(evse.id)) is not None:
            number, cost, at = last
            if number == session.transaction_id and (cost == total or now - at < PAUSE):
                return
        if (link := self._link()) is not None:
            self._telling.add(evse.id)
            self._told[evse.id] = session.transaction_id, total, now
            name = "cost of a session"
            self._spawn(self._send(link, evse, session, total), name)

    async def _send(
        self, link: CostLink, evse: Evse, session: Transaction, total: Decimal
    ) -> None:
        try:
            await link.cost_updated(session.transaction_id, total)
        except StationError:
            # It is told again when it has changed.
            return
        finally:
            self._telling.discard(evse.id)
