"""Tariffs: what a station charges for, by its own arithmetic (block I of OCPP 2.1)."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..clock import stamp
from ..schedules import parse
from .transactions import Transaction
from .uplink import CallError
from .values import Json, TriggerReason, present

if TYPE_CHECKING:
    from .station import ChargingStation

PRICED = ("energy", "chargingTime", "idleTime", "fixedFee")


class Tariffs:
    """The part of a station that knows prices."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station that knows none."""
        self._station = station
        self.defaults: list[tuple[int, Json]] = []
        """Tariffs and their EVSE (0 is all of them), in the order in which they came."""
        self.drivers: dict[str, Json] = {}
        """The tariff of a transaction, where it has one of its own."""
        self.offered: dict[str, Json] = {}
        """The tariff of a token, from the answer to Authorize."""
        self._billed: dict[str, datetime] = {}
        """When the cost of a transaction was told last."""
        self.web_payments: list[Json] = []
        self.handlers = {
            "ChangeTransactionTariff": self._change,
            "ClearTariffs": self._clear,
            "GetTariffs": self._get,
            "NotifyWebPaymentStarted": self._web_payment,
            "SetDefaultTariff": self._set,
        }

    @property
    def _most(self) -> int:
        """Return how many prices a tariff may have of a kind; 0 without tariffs."""
        return self._station.model.number("TariffCostCtrlr.MaxElements[Tariff]")

    def _available(self) -> None:
        if not self._most:
            raise CallError("NotImplemented")

    def _problem(self, tariff: Json) -> str | None:
        """Return why a tariff cannot be used (I07.FR.03 and following)."""
        prices = [tariff[kind]["prices"] for kind in PRICED if kind in tariff]
        if any(len(one) > self._most for one in prices):
            return "TooManyElements"
        possible = self._station.model.flag(
            "TariffCostCtrlr.ConditionsSupported[Tariff]"
        )
        if not possible and any("conditions" in one for some in prices for one in some):
            return "ConditionNotSupported"
        return None

    # What the central system asks for

    async def _set(self, payload: Json) -> Json:
        """OCPP 2.1 I07."""
        self._available()
        evse_id, tariff = payload["evseId"], payload["tariff"]
        if not 0 <= evse_id <= len(self._station.evses):
            return {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidValue"}}
        if (problem := self._problem(tariff)) is not None:
            return {"status": problem}
        same = [
            one for _, one in self.defaults if one["tariffId"] == tariff["tariffId"]
        ]
        if any(one != tariff for one in same):
            return {"status": "DuplicateTariffId"}
        later = not self._valid(tariff)
        self.defaults = [
            (evse, one)
            for evse, one in self.defaults
            if evse != evse_id or (later and self._valid(one))
        ]
        self.defaults.append((evse_id, tariff))
        self._station.remember()
        return {"status": "Accepted"}

    def _valid(self, tariff: Json) -> bool:
        begins = tariff.get("validFrom")
        return begins is None or parse(begins) <= self._station.clock()

    async def _get(self, payload: Json) -> Json:
        """OCPP 2.1 I09."""
        self._available()
        found = [*self._assignments(payload["evseId"])]
        if not found:
            return {"status": "NoTariff"}
        return {"status": "Accepted", "tariffAssignments": found}

    def _assignments(self, wanted: int) -> Iterator[Json]:
        running = self._station.transactions.running
        for evse_id, tariff in self.defaults:
            if wanted in (0, evse_id) or evse_id == 0:
                yield present(
                    tariffId=tariff["tariffId"],
                    tariffKind="DefaultTariff",
                    evseIds=[evse_id],
                    validFrom=tariff.get("validFrom"),
                )
        for evse_id, transaction in running.items():
            own = self.drivers.get(transaction.id)
            if own is not None and wanted in (0, evse_id):
                token = (transaction.id_token or {}).get("idToken")
                yield present(
                    tariffId=own["tariffId"],
                    tariffKind="DriverTariff",
                    evseIds=[evse_id],
                    idTokens=[token] if token else None,
                )

    async def _clear(self, payload: Json) -> Json:
        """OCPP 2.1 I10."""
        self._available()
        evse_id = payload.get("evseId")
        there = [
            one["tariffId"] for evse, one in self.defaults if evse_id in (None, evse)
        ]
        wanted = payload.get("tariffIds", there)
        results = [
            {"tariffId": one, "status": "Accepted" if one in there else "NoTariff"}
            for one in wanted
        ]
        self.defaults = [
            (evse, one)
            for evse, one in self.defaults
            if one["tariffId"] not in wanted or evse_id not in (None, evse)
        ]
        self._station.remember()
        return {"clearTariffsResult": results or [{"status": "NoTariff"}]}

    async def _change(self, payload: Json) -> Json:
        """OCPP 2.1 I11."""
        self._available()
        transaction = self._station.transactions.find(payload["transactionId"])
        if transaction is None:
            return {"status": "TxNotFound"}
        tariff = payload["tariff"]
        if (problem := self._problem(tariff)) is not None:
            return {"status": problem}
        before = self.of(transaction)
        if before is not None and before["currency"] != tariff["currency"]:
            return {"status": "NoCurrencyChange"}

        async def tell() -> None:
            self._station.transactions.update(
                transaction,
                TriggerReason.TARIFF_CHANGED,
                info={"tariffId": tariff["tariffId"]},
            )

        self.drivers[transaction.id] = tariff
        self._station.afterwards(tell)
        return {"status": "Accepted"}

    async def _web_payment(self, payload: Json) -> Json:
        """OCPP 2.1 C25: somebody pays with a phone."""
        if not self._station.model.flag("WebPaymentsCtrlr.Enabled"):
            raise CallError("NotImplemented")
        self.web_payments.append(payload)
        return {}

    # What it comes to

    def begin(self, transaction: Transaction) -> None:
        """Let a transaction have the tariff of its driver, if there is one (I08)."""
        token = (transaction.id_token or {}).get("idToken", "")
        if self._most and (tariff := self.offered.pop(token, None)) is not None:
            self.drivers[transaction.id] = tariff

    async def advance(self) -> None:
        """Tell what transactions cost so far, where that is wanted (I12)."""
        station, now = self._station, self._station.clock()
        interval = station.model.number("TariffCostCtrlr.Interval[Cost]")
        wanted = station.model.flag("TariffCostCtrlr.Enabled[RunningCost]")
        if not wanted or not interval or station.version != "2.1":
            return
        for transaction in [*station.transactions.running.values()]:
            begun = datetime.fromisoformat(transaction.started_at)
            since = now - self._billed.get(transaction.id, begun)
            details = self.details(transaction)
            if since.total_seconds() >= interval and details is not None:
                self._billed[transaction.id] = now
                station.transactions.update(
                    transaction, TriggerReason.RUNNING_COST, costDetails=details
                )

    def ended(self, transaction: Transaction) -> None:
        """Forget a transaction."""
        self._billed.pop(transaction.id, None)
        self.drivers.pop(transaction.id, None)

    def of(self, transaction: Transaction) -> Json | None:
        """Return the tariff of a transaction: the driver's, the EVSE's, the station's."""
        if (own := self.drivers.get(transaction.id)) is not None:
            return own
        valid = [(evse, one) for evse, one in self.defaults if self._valid(one)]
        for place in (transaction.evse_id, 0):
            if found := [one for evse, one in valid if evse == place]:
                return found[-1]
        return None

    def _shares(self, transaction: Transaction, tariff: Json) -> dict[str, float]:
        """Return what each part of a tariff comes to, by its first price."""
        energy = self._station.metering.energy(transaction.evse_id)
        since = self._station.clock() - datetime.fromisoformat(transaction.started_at)
        minutes = since.total_seconds() / 60
        amounts = {
            "energy": ((energy - transaction.began_at) / 1000, "priceKwh"),
            "chargingTime": (minutes, "priceMinute"),
            "fixedFee": (1.0, "priceFixed"),
        }
        return {
            kind: amount * float(tariff[kind]["prices"][0][price])
            for kind, (amount, price) in amounts.items()
            if kind in tariff
        }

    def cost(self, transaction: Transaction) -> float:
        """Return what a transaction costs so far; 0 without a tariff."""
        tariff = self.of(transaction)
        return (
            0.0 if tariff is None else sum(self._shares(transaction, tariff).values())
        )

    def details(self, transaction: Transaction) -> Json | None:
        """Return the bill of a transaction (costDetails); None without a tariff."""
        if not self._most or (tariff := self.of(transaction)) is None:
            return None
        names = {"fixedFee": "fixed"}
        shares = self._shares(transaction, tariff)
        energy = self._station.metering.energy(transaction.evse_id)
        since = self._station.clock() - datetime.fromisoformat(transaction.started_at)
        return {
            "totalCost": {
                "currency": tariff["currency"],
                "typeOfCost": "NormalCost",
                "total": {"exclTax": sum(shares.values())},
                **{
                    names.get(kind, kind): {"exclTax": amount}
                    for kind, amount in shares.items()
                },
            },
            "totalUsage": {
                "energy": (energy - transaction.began_at) / 1000,
                "chargingTime": round(since.total_seconds()),
                "idleTime": 0,
            },
        }

    # Payments

    async def settle(self, transaction_id: str, amount: float, **more: Any) -> Json:
        """Tell what a card terminal was paid; return what is said to it (I13)."""
        payload = {
            "pspRef": "PSP-1",
            "settlementAmount": amount,
            "settlementTime": stamp(self._station.clock()),
            "status": "Settled",
            "transactionId": transaction_id,
            **more,
        }
        return await self._station.queue.post("NotifySettlement", payload)

    async def validate_vat(self, number: str, evse_id: int = 1) -> Json:
        """Return whose VAT number somebody entered (I14)."""
        payload = {"evseId": evse_id, "vatNumber": number}
        return await self._station.queue.post("VatNumberValidation", payload)

    # Memory

    def dump(self) -> list[Any]:
        """Return what survives a loss of power."""
        return [[evse, one] for evse, one in self.defaults]

    def load(self, kept: list[Any]) -> None:
        """Take what survived."""
        self.defaults = [(evse, one) for evse, one in kept]
