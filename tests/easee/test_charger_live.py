"""A charger of the virtual cloud, over the stream, and what its station shows."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from .audience import Audience
from .yard import SERIAL, Yard
from custom_components.ev_charger_hub.station import signed_values
from custom_components.ev_charger_hub.station.enums import (
    ConnectorStatus,
    Measurand,
    Phase,
    StopReason,
)
from custom_components.ev_charger_hub.station.events import (
    SessionEnded,
    SessionStarted,
    TokenPresented,
)
from custom_components.ev_charger_hub.station.transaction import TransactionState
from simulators.easee_cloud import Charger, EaseeCloud, SimulatedTime
from simulators.easee_cloud.products import Product
from simulators.easee_cloud.vehicle import Vehicle

MAX = 3
"""The product that signs its sessions."""


class Street:
    """A yard with a line to the cloud."""

    def __init__(self, yard: Yard, audience: Audience, cloud: EaseeCloud) -> None:
        """Listen to nothing yet."""
        self.yard = yard
        self.audience = audience
        self.cloud = cloud
        self.charger: Charger = cloud.chargers[SERIAL]
        self._taken = 0

    async def catch_up(self) -> None:
        """Let the yard hear what came."""
        while self._taken < len(self.audience.observations):
            observation, replay = self.audience.observations[self._taken]
            self._taken += 1
            self.yard.charger.take(observation, replay=replay)
        await self.yard.charger.settle()

    async def wait(self, seconds: float) -> None:
        """Let time pass, a quarter of an hour at a time."""
        while seconds > 0:
            step = min(seconds, 900)
            seconds -= step
            await self.yard.time.pass_time(step)
            await self.catch_up()

    async def reconnect(self) -> None:
        """Lose the stream and find it again."""
        self.cloud.hub.drop()
        await self.audience.lost()
        await self.yard.time.pass_time(61)
        await self.audience.heard(SERIAL)
        await self.catch_up()


@pytest.fixture
async def street(
    tmp_path: Path, time: SimulatedTime, cloud: EaseeCloud, audience: Audience
) -> AsyncGenerator[Street]:
    """Return a street where the charger has told all that it knows."""
    yard = Yard(tmp_path, time)
    await yard.open()
    street = Street(yard, audience, cloud)
    await audience.listen(SERIAL)
    await street.catch_up()
    yield street
    await yard.close()


def in_wh(kwh: float) -> int:
    """Return whole Wh."""
    return round(kwh * 1000)


async def test_an_evening(street: Street) -> None:
    yard, charger = street.yard, street.charger
    assert yard.online()
    assert yard.status() is ConnectorStatus.AVAILABLE
    assert yard.station.info.value.firmware == "344"
    assert yard.register() == in_wh(charger.register)

    charger.plug_in(Vehicle())
    await street.wait(60)
    assert yard.status() is ConnectorStatus.CHARGING
    assert yard.session.open
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == pytest.approx(11_040)
    assert yard.measured(Measurand.CURRENT_IMPORT, Phase.L2) == 16
    assert yard.measured(Measurand.VOLTAGE, Phase.L1_N) == 230
    assert yard.evse.cable_rating.value == 32

    await street.wait(3 * 3600 + 600)
    assert charger.session is not None
    assert yard.session.energy == in_wh(charger.session.energy)
    assert yard.register() == pytest.approx(in_wh(charger.register), abs=1)
    charger.unplug()
    await street.wait(60)

    (session,) = await yard.journaled()
    (past,) = charger.history.sessions[-1:]
    assert session.transaction_id == f"easee-{past.id}"
    assert session.state is TransactionState.CLOSED
    assert session.stop_reason is StopReason.EV_DISCONNECTED
    assert session.energy == in_wh(past.energy)
    assert yard.status() is ConnectorStatus.AVAILABLE
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == 0
    news = [
        one for one in yard.events if isinstance(one, SessionStarted | SessionEnded)
    ]
    assert news == [
        SessionStarted(evse_id=1, transaction=yard.session),
        SessionEnded(evse_id=1, transaction=yard.session),
    ]


async def test_reconnects_and_restarts_change_nothing(street: Street) -> None:
    yard, charger = street.yard, street.charger
    charger.plug_in(Vehicle())
    await street.wait(600)
    for _ in range(3):
        await street.reconnect()
        await street.wait(600)
        await yard.restart()
        await street.reconnect()
        charger.pretend(121, 0.0)
        await street.wait(600)
    assert charger.session is not None
    assert yard.session.open
    assert yard.session.energy == in_wh(charger.session.energy)
    charger.unplug()
    await street.wait(60)
    (session,) = await yard.journaled()
    assert session.energy == in_wh(charger.history.sessions[-1].energy)
    assert yard.register() == pytest.approx(in_wh(charger.register), abs=1)


async def test_a_session_that_ends_while_the_charger_is_offline(street: Street) -> None:
    yard, charger = street.yard, street.charger
    charger.plug_in(Vehicle())
    await street.wait(1800)
    charger.go_offline()
    await street.wait(600)
    assert not yard.online()
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == 0
    charger.unplug()
    await street.wait(1800)
    assert yard.session.open

    charger.go_online()
    await street.wait(60)
    assert yard.online()
    past = charger.history.sessions[-1]
    (session,) = await yard.journaled()
    assert session.state is TransactionState.CLOSED
    assert session.energy == in_wh(past.energy)
    assert past.stop is not None
    assert session.stopped_at == past.stop.replace(microsecond=0)
    assert not [one for one in yard.events if isinstance(one, SessionEnded)]


async def test_who_needs_a_card_and_stops_with_the_app(street: Street) -> None:
    yard, charger = street.yard, street.charger
    charger.product_code = MAX
    charger.observe(42, value=True)
    charger.plug_in(Vehicle())
    await street.wait(300)
    assert yard.status() is ConnectorStatus.PREPARING
    assert yard.evse.session.value is None

    charger.swipe("04AABBCC")
    await street.wait(300)
    assert yard.session.id_token == "04AABBCC"
    shown = [one for one in yard.events if isinstance(one, TokenPresented)]
    assert shown == [TokenPresented(id_token="04AABBCC", status=None)]

    charger.deauthorize()
    await street.wait(300)
    await street.wait(60)
    (session,) = await yard.journaled()
    assert session.stop_reason is StopReason.DE_AUTHORIZED
    ((signed,),) = await signed_values.of_sessions(yard.journal, [session])
    assert signed.value == charger.history.sessions[-1].signed(SERIAL)
    assert yard.status() is ConnectorStatus.PREPARING

    charger.unplug()
    charger.plug_in(Vehicle())
    charger.swipe("04DDEEFF")
    await street.wait(300)
    first, second = await yard.journaled()
    assert (first.id_token, second.id_token) == ("04AABBCC", "04DDEEFF")
    assert second.open


async def test_a_broken_charger(street: Street) -> None:
    yard, charger = street.yard, street.charger
    charger.fail(7)
    await street.wait(60)
    assert yard.status() is ConnectorStatus.FAULTED
    fault = yard.fault()
    assert fault is not None
    assert fault.info == "Ground fault"
    charger.fail(0)
    await street.wait(60)
    assert yard.status() is ConnectorStatus.AVAILABLE
    assert yard.fault() is None


async def test_a_charger_that_dies_without_a_word(street: Street) -> None:
    yard, charger = street.yard, street.charger
    charger.plug_in(Vehicle())
    await street.wait(900)
    silence(charger)
    await street.wait(25 * 60)
    assert not yard.online()
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == 0
    await street.reconnect()
    assert not yard.online()


def silence(product: Product) -> None:
    """Let nothing of a product reach the cloud, which has not noticed yet."""
    product.online = False
