"""Side by side: a charger of OCPP 1.6 and one of 2.x show the same things alike."""

from collections.abc import Iterator
from typing import Any

import pytest

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .charger import Charger, now, sampled
from .charger_v2 import ENERGY, Charger2
from .conftest import Charger2Factory, ChargerFactory, set_up
from .entities import act, entity_id, flush
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub

OLD, NEW = "OLD", "NEW"
TOKEN = "TAG12345"
SETTLING = 20
"""How many rounds of messages it takes until nothing moves any more."""
ATTRIBUTES = ("device_class", "max", "min", "options", "state_class", "step")
OTHERWISE = frozenset(
    {
        # They are about the charger, the version and the line.
        "sensor.heartbeat",
        "sensor.latency",
        "sensor.protocol_version",
        "sensor.reconnects",
        # Each version has its own kind of number.
        "sensor.1_transaction_id",
        # A 1.6 charger alone tells of itself as a whole apart from its connector.
        "sensor.0_status",
        "sensor.0_error_code",
        "binary_sensor.0_problem",
    }
)
"""What cannot be the same, because it is of something else."""


class Both:
    """Two chargers to which the same happens."""

    def __init__(self, hass: HomeAssistant, old: Charger, new: Charger2) -> None:
        """Have both do the same from now on."""
        self._hass = hass
        self._old = old
        self._new = new
        self._transaction = 0
        self._number = 0

    async def plug(self) -> None:
        """Plug a car in."""
        await self._old.status(1, "Preparing")
        await self._new.connector_status("Occupied")

    async def start(self) -> None:
        """Begin to charge with a card at 1 kWh."""
        await self._old.call("Authorize", {"idTag": TOKEN})
        token = {"idToken": {"idToken": TOKEN, "type": "ISO14443"}}
        await self._new.call("Authorize", token)
        self._transaction = await self._old.start(id_tag=TOKEN, meter=1000)
        await self._old.status(1, "Charging")
        await self._new.begin(token=TOKEN, energy=1000)

    async def measure(self, energy: int) -> None:
        """Read the meters: energy in Wh, and always the same power."""
        rest: dict[str, tuple[float, str]] = {
            "Power.Active.Import": (7360.0, "W"),
            "Voltage": (230.0, "V"),
            "Current.Offered": (32.0, "A"),
        }
        values = [sampled(energy, ENERGY, "Wh"), sampled(32, "Current.Import", "A")]
        values += [sampled(value, name, unit) for name, (value, unit) in rest.items()]
        await self._old.meter(1, values, self._transaction)
        samples = [
            {"value": float(energy), "measurand": ENERGY},
            {"value": 32.0, "measurand": "Current.Import"},
        ]
        samples += [
            {"value": value, "measurand": name, "unitOfMeasure": {"unit": unit}}
            for name, (value, unit) in rest.items()
        ]
        await self._event("Updated", samples, trigger="MeterValuePeriodic")

    async def pause(self) -> None:
        """Have the car take nothing."""
        await self._old.status(1, "SuspendedEV")
        await self._event("Updated", [], state="SuspendedEV")

    async def stop(self, energy: int) -> None:
        """End the session from Home Assistant."""
        await self._old.stop(self._transaction, energy, reason="Remote")
        await self._old.status(1, "Finishing")
        sample = {"value": float(energy), "measurand": ENERGY}
        info = {"stoppedReason": "Remote"}
        await self._event("Ended", [sample], trigger="RemoteStop", info=info)

    async def unplug(self) -> None:
        """Take the car away."""
        await self._old.status(1, "Available")
        await self._new.connector_status("Available")

    async def fault(self, *, there: bool) -> None:
        """Break, and be whole again."""
        error = "GroundFailure" if there else "NoError"
        await self._old.status(1, "Faulted" if there else "Available", error)
        event = {
            "eventId": 1 if there else 2,
            "timestamp": now(),
            "trigger": "Delta",
            "actualValue": "true" if there else "false",
            "cleared": not there,
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": "RCD", "evse": {"id": 1}},
            "variable": {"name": "Problem"},
        }
        told = {"generatedAt": now(), "seqNo": 0, "eventData": [event]}
        if there:
            await self._new.call("NotifyEvent", told)
        await self._new.connector_status("Faulted" if there else "Available")
        if not there:
            await self._new.call("NotifyEvent", told)

    async def act(self, action: str, **fields: Any) -> None:
        """Perform the same action on both."""
        for identity in (OLD, NEW):
            await act(self._hass, action, identity, **fields)

    async def _event(
        self, kind: str, samples: list[dict[str, Any]], **fields: Any
    ) -> None:
        self._number += 1
        if samples:
            fields["meterValue"] = [{"timestamp": now(), "sampledValue": samples}]
        await self._new.event(kind, number=self._number, **fields)

    # What is to be seen

    def entities(self, identity: str) -> Iterator[tuple[str, er.RegistryEntry]]:
        """Yield the entities of one charger by what they are."""
        for entry in er.async_get(self._hass).entities.values():
            if entry.platform == DOMAIN and entry.unique_id.startswith(f"{identity}_"):
                key = entry.unique_id.removeprefix(f"{identity}_")
                yield f"{entry.domain}.{key}", entry

    def shown(self, identity: str) -> dict[str, Any]:
        """Return what one charger shows, times as whether there is one."""
        found: dict[str, Any] = {}
        for key, entry in self.entities(identity):
            if entry.disabled_by is not None or key in OTHERWISE:
                continue
            state = self._hass.states.get(entry.entity_id)
            assert state is not None, key
            value = state.state
            if value.startswith("20") and value.count(":"):
                value = "a time"
            elif entry.original_device_class == SensorDeviceClass.DURATION:
                value = f"{float(value):.1f}" if value[0].isdigit() else value
            found[key] = (
                value,
                entry.unit_of_measurement,
                {one: state.attributes.get(one) for one in ATTRIBUTES},
            )
        return found

    async def compare(self) -> None:
        """Check that whatever both show is the same, and that the new one shows all.

        What they are asked behind the scenes is answered at its own pace.
        """
        await flush(self._hass)
        for _ in range(SETTLING):
            old, new = self.shown(OLD), self.shown(NEW)
            if old == {key: new.get(key) for key in old}:
                break
            await self._old.call("Heartbeat")
            await self._new.call("Heartbeat")
            await flush(self._hass)
        assert set(old) <= set(new), set(old) - set(new)
        assert {key: new[key] for key in old} == old


@pytest.fixture(params=["2.0.1", "2.1"])
async def both(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    charger2_ws: Charger2Factory,
    entity_registry_enabled_by_default: None,
) -> Both:
    """Return a charger of 1.6 and one of 2.x, both free."""
    hub.approve(OLD, "Old", None)
    await hass.async_block_till_done()
    old = await charger_ws(OLD)
    await old.boot()
    await old.status(1, "Available")
    await set_up(hub, old)
    new = await charger2_ws(NEW, name="New", version=request.param)
    await flush(hass)
    return Both(hass, old, new)


async def test_a_session_looks_the_same(hass: HomeAssistant, both: Both) -> None:
    await both.compare()
    await both.plug()
    await both.compare()
    await both.start()
    await both.compare()
    await both.measure(2500)
    await both.compare()
    await both.act("set_charging_limit", connector=1, limit=10)
    await both.compare()
    await both.act("pause_charging")
    await both.compare()
    await both.act("resume_charging")
    await both.compare()
    await both.pause()
    await both.compare()
    await both.act("stop_charging")
    await both.stop(3000)
    await both.compare()
    await both.unplug()
    await both.compare()
    assert hass.states.get(entity_id(hass, "sensor", f"{NEW}_1_session_energy"))


async def test_a_fault_looks_the_same(hass: HomeAssistant, both: Both) -> None:
    await both.fault(there=True)
    await both.compare()
    await both.fault(there=False)
    await both.compare()


async def test_both_have_the_same_names_and_categories(both: Both) -> None:
    new = dict(both.entities(NEW))
    for key, entry in both.entities(OLD):
        twin = new[key]
        assert twin.original_name == entry.original_name, key
        assert twin.entity_category == entry.entity_category
        assert twin.translation_key == entry.translation_key
        assert twin.disabled_by == entry.disabled_by


async def test_both_answer_actions_alike(hass: HomeAssistant, both: Both) -> None:
    for action, fields in (
        ("clear_cache", {}),
        ("change_availability", {"operative": True}),
        ("unlock_connector", {}),
        ("trigger_message", {"message": "Heartbeat"}),
        ("get_sessions", {}),
    ):
        answers = [await act(hass, action, one, **fields) for one in (OLD, NEW)]
        told = [{**one, "response": None} for one in answers]
        assert told[0] == told[1], action
