"""What a charger of OCPP 2.x says about monitors, customers and streams, for tests."""

from collections.abc import Callable
from typing import Any

from .charger import ACCEPTED, Payload, now
from .charger_v2 import Charger2, named

TEMPERATURE = "EVSE#1.Temperature"


def results(*statuses: str, first: int = 1) -> Callable[[Payload], Payload]:
    """Return what answers SetVariableMonitoring; the last status is that of the rest."""
    told = iter(statuses)
    last = statuses[-1] if statuses else "Accepted"
    numbers = iter(range(first, first + 10_000))

    def answer(payload: Payload) -> Payload:
        found = []
        for one in payload["setMonitoringData"]:
            status = next(told, last)
            result = {
                "status": status,
                "type": one["type"],
                "severity": one["severity"],
                "component": one["component"],
                "variable": one["variable"],
            }
            if status == "Accepted":
                result["id"] = one.get("id", next(numbers))
            found.append(result)
        # Stations sort what they answer as they like.
        return {"setMonitoringResult": found[::-1]}

    return answer


def cleared(statuses: dict[int, str] | None = None) -> Callable[[Payload], Payload]:
    """Return what answers ClearVariableMonitoring: Accepted, but for `statuses`."""

    def answer(payload: Payload) -> Payload:
        told = statuses or {}
        return {
            "clearMonitoringResult": [
                {"id": one, "status": told.get(one, "Accepted")}
                for one in payload["id"]
            ]
        }

    return answer


def monitor(
    number: int,
    variable: str = TEMPERATURE,
    kind: str = "UpperThreshold",
    value: float = 60.0,
    severity: int = 3,
) -> Payload:
    """Return one MonitoringData of a report."""
    told = {
        "id": number,
        "transaction": False,
        "value": value,
        "type": kind,
        "severity": severity,
        "eventNotificationType": "CustomMonitor",
    }
    return {**named(variable), "variableMonitoring": [told]}


def reported(
    charger: Charger2, *parts: list[Payload], order: tuple[int, ...] | None = None
) -> Callable[[Payload], Payload]:
    """Return what answers GetMonitoringReport; the parts come after it, in an order."""

    def answer(payload: Payload) -> Payload:
        for number in order or range(len(parts)):
            told = {
                "requestId": payload["requestId"],
                "generatedAt": now(),
                "seqNo": number,
                "tbc": number + 1 < len(parts),
                "monitor": parts[number],
            }
            charger.later("NotifyMonitoringReport", told)
        return dict(ACCEPTED)

    return answer


def customer(
    charger: Charger2, *pieces: str, order: tuple[int, ...] | None = None
) -> Callable[[Payload], Payload]:
    """Return what answers CustomerInformation; the pieces come after it."""

    def answer(payload: Payload) -> Payload:
        for number in order or range(len(pieces)):
            told = {
                "requestId": payload["requestId"],
                "generatedAt": now(),
                "seqNo": number,
                "tbc": number + 1 < len(pieces),
                "data": pieces[number],
            }
            charger.later("NotifyCustomerInformation", told)
        return dict(ACCEPTED)

    return answer


def event(variable: str, value: str, **more: Any) -> Payload:
    """Return one EventData of now."""
    return {
        "eventId": 1,
        "timestamp": now(),
        "trigger": "Alerting",
        "actualValue": value,
        "eventNotificationType": "CustomMonitor",
        **named(variable),
    } | more


async def tell(charger: Charger2, *events: Payload) -> None:
    """Send a NotifyEvent, which every charger wants answered with nothing."""
    payload = {"generatedAt": now(), "seqNo": 0, "eventData": list(events)}
    assert await charger.call("NotifyEvent", payload) == {}
