"""An OCPP 2.x station over an in-memory transport, with the real thing at our end."""

from collections.abc import AsyncGenerator
from typing import Any, override

import pytest

from ..v16 import conftest as v16
from custom_components.ev_charger_hub.ocpp.blocks import BlockAdapter
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.v201.adapter import V201Adapter
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station.enums import ConnectorStatus
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.settings import StationSettings

type Sample = dict[str, Any]

clock, journal, journal_path, settings = (
    v16.clock,
    v16.journal,
    v16.journal_path,
    v16.settings,
)


def sample(value: float, measurand: str | None = None, **fields: Any) -> Sample:
    """Return a sampled value; the import register in Wh without a measurand."""
    named = {} if measurand is None else {"measurand": measurand}
    return {"value": value} | named | fields


class Charger(v16.Charger):
    """Plays one OCPP 2.0.1 station."""

    dialect = Dialect.V201

    @override
    def build_adapter(self) -> BlockAdapter:
        """Return the adapter of OCPP 2.0.1."""
        del self.answers["GetConfiguration"]
        for action in ("GetBaseReport", "GetVariables", "SetVariables"):
            self.answers[action] = ("NotSupported", "")
        return V201Adapter(self.context, call_later=self.clock.call_later)

    @override
    async def boot(self, **fields: Any) -> dict[str, Any]:
        """Boot, and wait until the central system has said all it wants to say."""
        station = {"vendorName": "Vendor", "model": "Model"} | fields
        payload = {"reason": "PowerUp", "chargingStation": station}
        frame = await self.call("BootNotification", payload)
        await self.settle()
        return self.payload(frame)

    @override
    async def status(
        self, status: str, connector_id: int = 1, *, evse_id: int = 1, **fields: Any
    ) -> dict[str, Any]:
        """Report the status of a connector."""
        payload = {
            "timestamp": self.clock.text(),
            "connectorStatus": status,
            "evseId": evse_id,
            "connectorId": connector_id,
        }
        frame = await self.call("StatusNotification", payload | fields)
        return self.payload(frame)

    def shown(self, evse_id: int = 1) -> ConnectorStatus | None:
        """Return the status that an EVSE shows."""
        return self.station.evses[evse_id].status.value

    async def event(
        self,
        kind: str,
        transaction_id: str = "T1",
        number: int = 0,
        *samples: Sample,
        info: dict[str, Any] | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Send a TransactionEvent, with one meter value if there are samples."""
        return self.payload(
            await self.call(
                "TransactionEvent",
                self.event_payload(
                    kind, transaction_id, number, *samples, info=info, **fields
                ),
            )
        )

    def event_payload(
        self,
        kind: str,
        transaction_id: str,
        number: int,
        *samples: Sample,
        info: dict[str, Any] | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Return a TransactionEvent of this moment."""
        timestamp = fields.pop("timestamp", self.clock.text())
        payload = {
            "eventType": kind,
            "timestamp": timestamp,
            "triggerReason": "Trigger",
            "seqNo": number,
            "transactionInfo": {"transactionId": transaction_id} | (info or {}),
        }
        if samples:
            value = {"timestamp": timestamp, "sampledValue": list(samples)}
            payload["meterValue"] = [value]
        return payload | fields


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    """Return the compiled schemas of OCPP 2.0.1."""
    return Schemas.load(Dialect.V201)


@pytest.fixture
async def charger(
    clock: v16.FakeClock, journal: Journal, schemas: Schemas, settings: StationSettings
) -> AsyncGenerator[Charger]:
    """Return a connected station that has not booted."""
    charger = Charger(clock=clock, journal=journal, schemas=schemas, settings=settings)
    await charger.transactions.load()
    charger.connect()
    yield charger
    await charger.close()
