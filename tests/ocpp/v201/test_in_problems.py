"""Problems of a 2.x station: whatever the order, those remain that are not over."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, strategies as st

from custom_components.ev_charger_hub.ocpp.oddities import Oddities
from custom_components.ev_charger_hub.ocpp.v201.device_model import DeviceModel
from custom_components.ev_charger_hub.ocpp.v201.monitors import Monitors
from custom_components.ev_charger_hub.ocpp.v201.variable_events import VariableEvents
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.monitoring import VariableEvent
from custom_components.ev_charger_hub.station.settings import StationSettings

MORNING = datetime(2027, 1, 1, 6, tzinfo=UTC)
SOURCES = [
    ("EVSE", "Problem", None),
    ("Connector", "Problem", None),
    ("EVSE", "Temperature", 1),
    ("EVSE", "Temperature", 2),
    ("Ventilation", "Tripped", None),
]

type Told = tuple[int, bool, int]
"""Which source, whether it is wrong, and how often it is told."""


def told(number: int, source: int, *, wrong: bool) -> dict[str, Any]:
    """Return an event that is told `number` seconds after the first."""
    component, variable, monitor = SOURCES[source]
    event = {
        "eventId": number,
        "timestamp": (MORNING + timedelta(seconds=number)).isoformat(),
        "trigger": "Alerting",
        "actualValue": "true" if wrong else "false",
        "cleared": not wrong,
        "severity": 2,
        "component": {"name": component, "evse": {"id": 1}},
        "variable": {"name": variable},
    }
    return event if monitor is None else event | {"variableMonitoringId": monitor}


def listening() -> tuple[ChargingStation, VariableEvents]:
    """Return a station, and what takes its events."""
    settings = StationSettings(name="Garage")
    station = ChargingStation("CP01", settings)
    context = cast(
        Any,
        SimpleNamespace(
            station=station, clock=lambda: MORNING + timedelta(hours=1), journal=None
        ),
    )
    monitors = Monitors(context)
    monitors.loaded = True
    availability = cast(Any, SimpleNamespace(fault_of=lambda place: None))
    events = VariableEvents(
        context,
        availability=availability,
        device_model=DeviceModel(lambda variables: None),
        metering=cast(Any, SimpleNamespace(take=lambda *_: False)),
        monitors=monitors,
        oddities=Oddities("CP01"),
    )
    return station, events


@given(
    st.lists(
        st.tuples(st.integers(0, len(SOURCES) - 1), st.booleans(), st.integers(1, 3)),
        max_size=40,
    )
)
def test_what_is_not_over_remains(story: list[Told]) -> None:
    station, events = listening()
    heard: list[VariableEvent] = []
    station.on_event(lambda event: heard.append(cast(VariableEvent, event)))
    last: dict[int, bool] = {}
    for number, (source, wrong, times) in enumerate(story):
        # A station that heard no answer says it again.
        for _ in range(times):
            event = told(number, source, wrong=wrong)
            events.notify_event({"eventData": [event]})
        last[source] = wrong
    place = station.place(1)
    remaining = {
        (f"{SOURCES[one][0]}#1.{SOURCES[one][1]}", SOURCES[one][2])
        for one, wrong in last.items()
        if wrong
    }
    shown = [(one.variable, one.monitor_id) for one in place.problems.value]
    assert set(shown) == remaining
    assert len(shown) == len(remaining)
    assert (place.fault.value is not None) == bool(remaining)
    assert len(heard) == len(story)
    events.restarted()
    assert place.problems.value == ()
    assert place.fault.value is None


@given(st.permutations([(n, s) for s in range(3) for n in (s, s + 10)]))
def test_the_order_of_arrival_does_not_matter(order: list[tuple[int, int]]) -> None:
    station, events = listening()
    for number, source in order:
        event = told(number, source, wrong=number >= 10)
        events.notify_event({"eventData": [event]})
    # Each was wrong last; what is older than that is history.
    assert len(station.place(1).problems.value) == 3
