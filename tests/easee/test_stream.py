"""The stream: one connection for all products, whatever comes over it."""

import asyncio
from datetime import timedelta
import json
import logging
from pathlib import Path

from aiohttp import ClientSession, WSMsgType
import pytest

from .audience import ALL, Audience
from custom_components.ev_charger_hub.easee import oddities
from custom_components.ev_charger_hub.easee.ids import ChargerId, EqualizerId
from simulators.easee_cloud import Charger, EaseeCloud, Fault, Framing, SimulatedTime
from simulators.easee_cloud.commands import Behaviour
from simulators.easee_cloud.connection import Connection
from simulators.easee_cloud.seed import CHARGER, EQUALIZER, SECOND

GOLDEN = Path(__file__).with_name("transcript.txt")
SEPARATOR = "\x1e"


@pytest.fixture
def charger(cloud: EaseeCloud) -> Charger:
    """Return the charger that most is about."""
    return cloud.chargers[CHARGER]


@pytest.mark.conformance("EASEE_A15")
async def test_all_products_share_one_connection(
    cloud: EaseeCloud, audience: Audience
) -> None:
    await audience.listen(*ALL)
    assert cloud.hub.opened == 1
    assert cloud.hub.subscriptions() == sorted(ALL)
    assert {one.serial for one, _ in audience.observations} == {*ALL}
    assert audience.attempts == 1
    assert len(cloud.tokens.sessions) == 1
    assert audience.guest.renewals == 0


async def test_the_wire_is_as_written_down(
    cloud: EaseeCloud,
    audience: Audience,
    time: SimulatedTime,
    charger: Charger,
    session: ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The transcript of easee_cloud.md 1.8, with our client at the other end."""
    replay = [charger.known[109], charger.known[120]]
    monkeypatch.setattr(cloud.hub, "replay", lambda product: replay)
    await audience.listen()
    async with session.post(
        f"{cloud.url}/api/chargers/{CHARGER}/commands/set_dynamic_charger_current",
        json={"amps": 10, "minutes": 0},
        headers={"Authorization": f"Bearer {await audience.guest.token()}"},
    ) as response:
        assert response.status == 202
        ticks = (await response.json())["ticks"]
    time.advance(0.3)
    await audience.saw(ChargerId.DYNAMIC_CHARGER_CURRENT, 10)
    (told,) = audience.responses
    assert (told.serial, told.id, told.ticks) == (CHARGER, 48, ticks)
    assert told.accepted
    await time.pass_time(9.7)
    cloud.hub.close("server shutdown", reconnect=True)
    await audience.lost()
    assert cloud.journal.transcript() == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("framing", [*Framing])
async def test_frames_may_hold_any_part_of_records(
    cloud: EaseeCloud, audience: Audience, charger: Charger, framing: Framing
) -> None:
    cloud.hub.framing = framing
    await audience.listen()
    charger.observe(40, 1)
    charger.observe(36, "here")
    charger.observe(40, 2)
    await audience.saw(40, 2)
    assert audience.values(40)[-2:] == [1, 2]
    assert audience.values(36)[-1] == "here"


async def test_methods_may_be_written_otherwise(
    cloud: EaseeCloud, audience: Audience, charger: Charger
) -> None:
    cloud.hub.camel_case = True
    await audience.listen()
    charger.observe(40, 1)
    await audience.saw(40, 1)
    assert audience.stream.oddities.seen == {}


async def test_a_replay_is_told_from_news(
    cloud: EaseeCloud, audience: Audience, charger: Charger, time: SimulatedTime
) -> None:
    time.advance(3 * 86_400)
    audience.stream.subscribe(CHARGER)
    assert audience.stream.replaying(CHARGER)
    assert not audience.stream.hears(CHARGER)
    await audience.listen(CHARGER)
    told = {one.id for one, replay in audience.observations if replay}
    assert told == {*charger.known}
    assert not audience.stream.replaying(CHARGER)
    since = time() - timedelta(days=3)
    assert min(one.at for one, _ in audience.observations) == since
    charger.observe(40, 1)
    await audience.saw(40, 1)
    assert audience.observations[-1][1] is False


async def test_after_a_loss_everything_is_a_replay_again(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    await audience.listen()
    cloud.hub.drop()
    await audience.lost()
    assert audience.stream.replaying(CHARGER)
    audience.observations.clear()
    time.advance(2)
    await audience.heard(CHARGER)
    assert audience.observations
    assert all(replay for _, replay in audience.observations)


async def test_a_replay_without_an_end_ends_after_a_minute(
    audience: Audience, time: SimulatedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoked = Connection._invoked

    def forgetful(self: Connection, message: dict[str, object]) -> None:
        invoked(self, {**message, "invocationId": None})

    monkeypatch.setattr(Connection, "_invoked", forgetful)
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await audience.saw(109, 1)
    await time.pass_time(59)
    assert audience.stream.replaying(CHARGER)
    await time.pass_time(1)
    assert not audience.stream.replaying(CHARGER)
    assert audience.stream.hears(CHARGER)


@pytest.mark.conformance("EASEE_A2")
async def test_older_observations_are_history(
    cloud: EaseeCloud, audience: Audience, charger: Charger, time: SimulatedTime
) -> None:
    await audience.listen()
    stale = charger.known[40]
    await time.pass_time(600)
    charger.observe(40, 10)
    cloud.hub.tell(CHARGER, "ProductUpdate", stale.update(CHARGER))
    await cloud.until(lambda: audience.values(40)[-2:] == [10, stale.value])
    readings = audience.readings[CHARGER]
    assert readings.value(ChargerId.LED_STRIP_BRIGHTNESS) == 10
    assert readings.channel(ChargerId.LED_STRIP_BRIGHTNESS).at == time()


async def test_an_observation_of_the_future_does_not_silence_what_follows(
    audience: Audience, charger: Charger, time: SimulatedTime
) -> None:
    await audience.listen()
    charger.observe(40, 50, at=time() + timedelta(days=9000))
    await audience.saw(40, 50)
    time.advance(1)
    charger.observe(40, 60)
    await audience.saw(40, 60)
    assert audience.readings[CHARGER].value(40) == 60


async def test_the_same_number_of_another_kind_of_product(audience: Audience) -> None:
    await audience.listen(CHARGER, EQUALIZER)
    assert audience.values(ChargerId.IS_ENABLED) == [True]
    (amps,) = audience.values(EqualizerId.CURRENT_L1, EQUALIZER)
    assert isinstance(amps, float)


@pytest.mark.conformance("EASEE_A16")
async def test_what_nobody_understands_is_told_once_and_survived(
    cloud: EaseeCloud,
    audience: Audience,
    charger: Charger,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, oddities.__name__)
    await audience.listen()
    before = len(audience.observations)
    for _ in range(3):
        charger.pretend(234, "x", data_type=9)
        charger.pretend(31, "maybe", data_type=2)
        cloud.hub.tell(CHARGER, "ProductUpdate", {"mid": CHARGER, "id": 40})
        cloud.hub.tell(CHARGER, "Gossip", {"about": CHARGER})
        cloud.hub.raw("no JSON" + SEPARATOR)
        cloud.hub.raw('{"type":17}' + SEPARATOR)
        cloud.hub.raw("[]" + SEPARATOR)
        cloud.hub.raw('{"type":1,"target":"ProductUpdate"}' + SEPARATOR)
        cloud.hub.raw('{"type":3,"invocationId":"99"}' + SEPARATOR)
        cloud.hub.raw(SEPARATOR)
    charger.pretend(234, "7", data_type=4)
    charger.observe(40, 1)
    await audience.saw(40, 1)
    assert audience.values(234) == [7], "the number is unknown, its type is not"
    assert len(audience.observations) == before + 2
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len({*told}) == len(audience.stream.oddities.seen)
    assert {*audience.stream.oddities.seen} == {
        "a value of observation 234, type 9",
        "a value of observation 31, type 2",
        "observation 40 without a value",
        "method Gossip",
        "a record that is no JSON",
        "a record of type 17",
        "a record that is no message",
        "a record of type 1",
        "an answer to nothing",
        "observation 234",
    }
    assert CHARGER not in caplog.text
    assert cloud.hub.opened == 1


async def test_a_record_without_end_is_let_fall(
    cloud: EaseeCloud, audience: Audience, charger: Charger
) -> None:
    await audience.listen()
    for _ in range(3):
        cloud.hub.raw("x" * (1024 * 1024))
    cloud.hub.raw(SEPARATOR)
    charger.observe(40, 1)
    await audience.saw(40, 1)
    assert audience.stream.oddities.seen == {"a record that is too long": 1}
    assert cloud.hub.opened == 1


async def test_hostile_frames(
    cloud: EaseeCloud, audience: Audience, charger: Charger
) -> None:
    await audience.listen()
    (connection,) = cloud.hub.connections
    update = charger.known[40].update(CHARGER)
    hostile: list[object] = [
        "[" * 500_000,
        '{"type":1,"target":"ProductUpdate","arguments":' + "[" * 100_000,
        '{"type":1,"target":"ProductUpdate","arguments":[1e999]}',
        '{"type":1,"target":"\\ud800","arguments":[]}',
        '{"type":99999999999999999999999999}',
        '{"type":1e9}',
        '{"type":3,"invocationId":"1","error":' + "9" * 5000 + "}",
        '{"type":1,"target":"' + "x" * 500_000 + '","arguments":[]}',
        {"type": 1, "target": "CommandResponse", "arguments": [[]]},
        {"type": 1, "target": "ProductUpdate", "arguments": [update | {"id": 2**63}]},
        {"type": 1, "target": "ProductUpdate", "arguments": [update | {"mid": {}}]},
    ]
    for one in hostile:
        text = one if isinstance(one, str) else json.dumps(one)
        connection.send_raw(text + SEPARATOR)
    await connection._socket.send_bytes(b"\xff" * 1000)
    charger.observe(40, 1)
    await audience.saw(40, 1)
    assert cloud.hub.opened == 1
    assert all(len(one) < 80 for one in audience.stream.oddities.seen)


@pytest.mark.parametrize("frame", ["x" * (4 * 1024 * 1024 + 1), b"\xff"])
async def test_a_frame_against_all_rules_ends_the_connection_only(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime, frame: str | bytes
) -> None:
    await audience.listen()
    (connection,) = cloud.hub.connections
    if isinstance(frame, str):
        connection.send_raw(frame)
    else:
        writer = connection._socket._writer
        assert writer is not None
        await writer.send_frame(frame, WSMsgType.TEXT)
    await cloud.until(lambda: not audience.is_up())
    await time.pass_time(2)
    await audience.heard(CHARGER)
    assert audience.attempts == 2


async def test_oddities_have_an_end(
    cloud: EaseeCloud, audience: Audience, charger: Charger
) -> None:
    await audience.listen()
    for number in range(1000):
        cloud.hub.raw(f'{{"type":{number + 100}}}' + SEPARATOR)
    charger.observe(40, 1)
    await audience.saw(40, 1)
    assert len(audience.stream.oddities.seen) == 100


async def test_who_follows_the_stream_cannot_end_it(
    cloud: EaseeCloud,
    audience: Audience,
    charger: Charger,
    time: SimulatedTime,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    off = audience.stream.connected.subscribe(fail)
    await audience.listen()
    off()
    assert "What follows the stream failed" in caplog.text
    taken = audience.stream._on_observation
    monkeypatch.setattr(audience.stream, "_on_observation", fail)
    monkeypatch.setattr(audience.stream, "_on_command_response", fail)
    charger.observe(40, 1)
    cloud.rogue_response(CHARGER)
    await time.pass_time(1)
    monkeypatch.setattr(audience.stream, "_on_observation", taken)
    charger.observe(40, 2)
    await audience.saw(40, 2)
    assert audience.values(40)[-1:] == [2]
    assert sum(record.exc_info is not None for record in caplog.records) == 3
    assert cloud.hub.opened == 1


async def test_products_may_come_and_go(
    cloud: EaseeCloud, audience: Audience, charger: Charger
) -> None:
    await audience.listen()
    audience.stream.subscribe(SECOND)
    audience.stream.subscribe(SECOND)
    await audience.heard(SECOND)
    assert cloud.hub.subscriptions() == [CHARGER, SECOND]
    audience.stream.unsubscribe(CHARGER)
    audience.stream.unsubscribe(CHARGER)
    await cloud.until(lambda: cloud.hub.subscriptions() == [SECOND])
    assert not audience.stream.hears(CHARGER)
    assert not audience.stream.replaying(CHARGER)
    count = len(audience.observations)
    cloud.hub.tell(SECOND, "ProductUpdate", charger.known[40].update(CHARGER))
    cloud.chargers[SECOND].observe(40, 1)
    await cloud.until(lambda: audience.values(40, SECOND)[-1:] == [1])
    assert len(audience.observations) == count + 1
    assert cloud.hub.opened == 1


async def test_a_product_may_go_before_it_was_heard(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    await audience.listen()
    audience.stream.subscribe(SECOND)
    audience.stream.unsubscribe(SECOND)
    await time.pass_time(120)
    assert cloud.hub.subscriptions() == [CHARGER]
    assert not audience.stream.hears(SECOND)
    assert audience.values(40, SECOND) == []


async def test_what_is_known_to_be_of_no_use_is_no_oddity(
    cloud: EaseeCloud, audience: Audience, charger: Charger
) -> None:
    await audience.listen()
    cloud.hub.tell(CHARGER, "ChargerUpdate", {"id": CHARGER})
    cloud.hub.tell(CHARGER, "SubscribeToMyProduct", {"id": CHARGER})
    cloud.hub.raw('{"type":8,"sequenceId":1}' + SEPARATOR)
    cloud.hub.raw('{"type":9,"sequenceId":1}' + SEPARATOR)
    charger.observe(40, 1)
    await audience.saw(40, 1)
    assert audience.stream.oddities.seen == {}


async def test_a_subscription_that_is_refused_is_tried_again(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    cloud.hub.subscribe_error = "No access"
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await cloud.until(lambda: cloud.hub.subscribe_error is None)
    await time.pass_time(299)
    assert audience.is_up()
    assert not audience.stream.hears(CHARGER)
    await time.pass_time(2)
    assert audience.stream.hears(CHARGER)
    assert cloud.hub.opened == 1
    assert cloud.hub.subscriptions() == [CHARGER]


async def test_a_refused_product_that_is_let_go_is_not_asked_for_again(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    audience.stream.subscribe("EH000000")
    await audience.listen(CHARGER)
    audience.stream.unsubscribe("EH000000")
    await time.pass_time(600)
    asked = '"SubscribeWithCurrentState","arguments":["EH000000"'
    assert cloud.journal.transcript().count(asked) == 1


async def test_outcomes_of_commands_are_told_with_all_that_is_known(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime, session: ClientSession
) -> None:
    await audience.listen()
    cloud.commands.next(Behaviour(reject=4, comment="no car"))
    async with session.post(
        f"{cloud.url}/api/chargers/{CHARGER}/commands/reboot",
        headers={"Authorization": f"Bearer {await audience.guest.token()}"},
    ) as response:
        ticks = (await response.json())["ticks"]
    await time.pass_time(1)
    (told,) = audience.responses
    assert (told.id, told.ticks, told.accepted) == (1, ticks, False)
    assert (told.result, told.comment) == (4, "no car")
    assert told.at == time() - timedelta(seconds=0.7)


async def test_a_hub_may_send_us_elsewhere(
    cloud: EaseeCloud, audience: Audience
) -> None:
    cloud.hub.redirect_next()
    await audience.listen()
    paths = [one.path for one in cloud.journal.find("POST", "negotiate")]
    assert paths == ["/hubs/chargers/negotiate", "/region/hubs/chargers/negotiate"]
    (upgrade,) = cloud.journal.find("GET")
    assert upgrade.path == "/region/hubs/chargers"
    assert upgrade.bearer == "stream-token-1"


async def test_a_hub_may_be_newer(cloud: EaseeCloud, audience: Audience) -> None:
    cloud.hub.negotiate_version = 1
    await audience.listen()
    assert cloud.hub.opened == 1


async def test_a_gateway_may_want_the_token_in_the_address(
    cloud: EaseeCloud, audience: Audience
) -> None:
    cloud.faults.add(Fault(pattern="/hubs/chargers$", status=401))
    await audience.listen()
    refused, good = cloud.journal.find("GET")
    assert refused.status == 401
    assert cloud.hub.opened == 1
    assert refused.bearer == good.bearer


async def test_it_starts_once_and_ends_for_good(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    await audience.listen()
    audience.stream.start()
    assert len(audience.tasks) == 1
    await audience.stream.stop()
    await audience.stream.stop()
    await audience.lost()
    await time.pass_time(7200)
    assert cloud.hub.opened == 1
    audience.stream.start()
    await audience.heard(CHARGER)
    assert cloud.hub.opened == 2


@pytest.mark.parametrize("delayed", ["negotiate", "/hubs/chargers$"])
async def test_it_may_be_stopped_while_it_connects(
    cloud: EaseeCloud, audience: Audience, delayed: str
) -> None:
    cloud.faults.add(Fault(pattern=delayed, delay=10))
    audience.stream.start()
    await cloud.until(lambda: bool(cloud.faults._slow))
    await audience.stream.stop()
    assert audience.tasks[0].done()


async def test_nothing_is_left_after_a_stop(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    await time.pass_time(120)
    timers = sum(not alarm.cancelled for _, _, alarm in time._alarms)
    tasks = asyncio.all_tasks()
    audience.stream.subscribe("EH000000")
    await audience.listen(*ALL)
    await time.pass_time(120)
    await audience.stream.stop()
    await audience.lost()
    await time.pass_time(1)
    assert sum(not alarm.cancelled for _, _, alarm in time._alarms) == timers
    ours = {one.get_name() for one in asyncio.all_tasks() - tasks}
    assert not any("Easee" in name for name in ours)
    assert not audience.is_up()
