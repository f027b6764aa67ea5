"""Reconnecting: never given up and never hammered, whatever ends the stream."""

from datetime import timedelta
from functools import partial
from itertools import pairwise

from aiohttp import ClientSession
import pytest

from .audience import ALL, NEGOTIATE, Audience
from custom_components.ev_charger_hub.easee import stream
from custom_components.ev_charger_hub.easee.errors import (
    InvalidCredentials,
    LoginPaused,
    SessionEnded,
    Unavailable,
)
from custom_components.ev_charger_hub.easee.negotiation import negotiate
from custom_components.ev_charger_hub.easee.requests import Lane
from custom_components.ev_charger_hub.easee.stream import StreamTrouble
from simulators.easee_cloud import EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.answers import BLOCKED, HTML
from simulators.easee_cloud.seed import CHARGER

UPGRADE = "/hubs/chargers$"


@pytest.mark.conformance("EASEE_A13")
async def test_a_half_open_stream_is_made_anew(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    await audience.listen(*ALL)
    cloud.hub.fall_silent()
    await time.pass_time(29)
    assert audience.is_up()
    await time.pass_time(2)
    assert not audience.is_up()
    assert audience.attempts == 1
    await time.pass_time(2)
    await audience.heard(*ALL)
    assert audience.attempts == 2
    assert cloud.hub.subscriptions() == sorted(ALL)
    for serial in ALL:
        asked = f'"SubscribeWithCurrentState","arguments":["{serial}",true]'
        assert cloud.journal.transcript().count(asked) == 2


async def test_a_quiet_stream_stays(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    await audience.listen()
    await time.pass_time(3600)
    assert cloud.hub.opened == 1
    pings = cloud.journal.transcript().count('C> {"type":6}')
    assert pings == 360


async def test_pings_of_the_socket_are_no_sign_of_life(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    await audience.listen()
    cloud.hub.fall_silent()
    (connection,) = cloud.hub.connections
    for _ in range(4):
        await connection._socket.ping()
        await connection._socket.send_str("not even a rec")
        await time.pass_time(7)
    assert audience.is_up()
    await time.pass_time(2)
    assert not audience.is_up()


@pytest.mark.conformance("EASEE_A14")
@pytest.mark.parametrize("said", ['"allowReconnect":false', '"error":"go away"'])
async def test_who_is_not_wanted_back_stays_away_for_five_minutes(
    cloud: EaseeCloud, audience: Audience, said: str
) -> None:
    await audience.listen()
    cloud.hub.raw(f'{{"type":7,{said}}}\x1e')
    await audience.lost()
    await audience.idle_for(300)
    await audience.heard(CHARGER)


@pytest.mark.conformance("EASEE_S51")
@pytest.mark.parametrize("code", [1000, 1001, 1012])
async def test_after_a_restart_of_the_server_all_come_back_one_by_one(
    cloud: EaseeCloud,
    time: SimulatedTime,
    session: ClientSession,
    code: int,
) -> None:
    audiences = [Audience(cloud, time, session) for _ in range(8)]
    for audience in audiences:
        audience.stream._jitter = stream._jitter
        await audience.listen()
    await time.pass_time(61)
    start = time()
    cloud.hub.hang_up(code)
    await cloud.until(lambda: not cloud.hub.connections)
    await time.pass_time(2)
    for audience in audiences:
        await audience.heard(CHARGER)
    back = {
        (request.at - start).total_seconds()
        for request in cloud.journal.find("POST", NEGOTIATE, start)
    }
    assert len(back) == len(audiences), "all at other moments"
    assert min(back) >= 1
    assert max(back) <= 2
    for audience in audiences:
        await audience.stream.stop()


@pytest.mark.parametrize(
    ("status", "headers", "seconds", "trouble"),
    [
        (400, {}, 2, None),
        (403, {}, 1800, StreamTrouble.FORBIDDEN),
        (404, {}, 2, StreamTrouble.NOT_FOUND),
        (429, {}, 300, StreamTrouble.RATE_LIMITED),
        (429, {"Retry-After": "120"}, 300, StreamTrouble.RATE_LIMITED),
        (429, {"Retry-After": "600"}, 600, StreamTrouble.RATE_LIMITED),
        (
            429,
            {"Retry-After": "Thu, 01 Oct 2026 06:20:00 GMT"},
            1200,
            StreamTrouble.RATE_LIMITED,
        ),
        (429, {"Retry-After": "soon"}, 300, StreamTrouble.RATE_LIMITED),
        (502, {}, 2, None),
        (503, {"Retry-After": "30"}, 30, None),
    ],
)
@pytest.mark.parametrize("at", [NEGOTIATE, UPGRADE])
async def test_a_refusal_is_heeded(
    cloud: EaseeCloud,
    audience: Audience,
    at: str,
    status: int,
    headers: dict[str, str],
    seconds: float,
    trouble: StreamTrouble | None,
) -> None:
    cloud.faults.add(Fault(pattern=at, status=status, body=HTML, headers=headers))
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await cloud.until(lambda: audience.stream.failures == 1)
    assert audience.trouble() is trouble
    await audience.idle_for(seconds)
    await audience.heard(CHARGER)
    assert audience.trouble() is None


@pytest.mark.parametrize("at", [NEGOTIATE, UPGRADE])
async def test_a_token_that_is_not_taken_is_renewed_at_once(
    cloud: EaseeCloud, audience: Audience, at: str
) -> None:
    # The second time the token comes in the address.
    cloud.faults.add(Fault(pattern=at, status=401, times=1 if at == NEGOTIATE else 2))
    await audience.listen()
    assert audience.guest.renewals == 1
    assert audience.stream.failures == 0


async def test_a_fresh_token_that_is_not_taken_either_means_half_an_hour(
    cloud: EaseeCloud, audience: Audience
) -> None:
    cloud.faults.add(Fault(pattern=NEGOTIATE, status=401, times=2))
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await cloud.until(lambda: audience.stream.failures == 1)
    assert audience.attempts == 2
    assert audience.guest.renewals == 1
    assert audience.trouble() is StreamTrouble.FORBIDDEN
    await audience.idle_for(1800)
    await audience.heard(CHARGER)


@pytest.mark.conformance("EASEE_S50")
async def test_a_stream_that_is_not_found_is_looked_for_all_the_time(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    gone = cloud.faults.add(Fault(pattern=NEGOTIATE, status=404, times=None))
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await time.pass_time(86_400)
    assert audience.trouble() is StreamTrouble.NOT_FOUND
    assert not audience.stream.hears(CHARGER), "so that somebody asks for it"
    assert 1440 <= audience.attempts <= 1450
    gone.times = 0
    await time.pass_time(60)
    assert audience.stream.hears(CHARGER)
    assert audience.trouble() is None


async def test_the_pauses_grow_up_to_a_minute(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    cloud.outage(None)
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await time.pass_time(250)
    assert audience.trouble() is None
    await time.pass_time(100)
    assert audience.trouble() is StreamTrouble.UNREACHABLE
    moments = [request.at for request in cloud.journal.find("POST", NEGOTIATE)]
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert pauses[:8] == [2, 4, 8, 16, 32, 60, 60, 60]
    cloud.recover()
    await time.pass_time(60)
    assert audience.trouble() is None
    assert audience.stream.hears(CHARGER)


async def test_only_good_health_lets_the_pauses_begin_anew(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    for failures, pause in enumerate((2, 4, 8), 1):
        await audience.heard(CHARGER)
        await time.pass_time(59)
        cloud.hub.drop()
        await audience.lost()
        assert audience.stream.failures == failures
        await audience.idle_for(pause)
    await audience.heard(CHARGER)
    await time.pass_time(61)
    assert audience.stream.failures == 0
    cloud.hub.drop()
    await audience.lost()
    await audience.idle_for(2)


async def test_jitter_is_full() -> None:
    drawn = [stream._jitter(1, 60) for _ in range(1000)]
    assert 1 <= min(drawn) < 6
    assert 55 < max(drawn) <= 60


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "The hub is closed."},
        {"error": "x" * 60_000},
        {},
        [],
        None,
        "yes",
        {"connectionId": 7},
        {"connectionId": "a", "availableTransports": [{"transport": "LongPolling"}]},
        {"connectionId": "a", "availableTransports": ["WebSockets"]},
        {"url": "ftp://127.0.0.1/hubs"},
        {"url": "//"},
        {"url": "http://[nowhere"},
        {"url": "relative/path"},
    ],
)
async def test_a_negotiation_that_leads_nowhere(
    cloud: EaseeCloud,
    audience: Audience,
    answer: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(cloud.hub, "negotiate", lambda account, base: answer)
        audience.stream.subscribe(CHARGER)
        audience.stream.start()
        await cloud.until(lambda: audience.stream.failures == 1)
    await audience.idle_for(2)
    await audience.heard(CHARGER)


async def test_a_redirect_to_the_same_place_is_seen_through(
    cloud: EaseeCloud, audience: Audience
) -> None:
    cloud.hub.negotiations.append({"url": cloud.hub_url})
    audience.stream.start()
    await cloud.until(lambda: audience.stream.failures == 1)
    assert audience.attempts == 1


async def test_redirects_have_an_end(
    cloud: EaseeCloud, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        cloud.hub,
        "negotiate",
        lambda account, base: {"url": f"{cloud.hub_url}?hop={audience.attempts}"},
    )
    audience.stream.start()
    await cloud.until(lambda: audience.stream.failures == 1)
    # Before the hundredth of them the budget is used up.
    assert audience.attempts == 85


async def test_the_way_in_shows_no_secrets(
    cloud: EaseeCloud, audience: Audience, session: ClientSession, time: SimulatedTime
) -> None:
    cloud.hub.redirect_next()
    token = await audience.guest.token()
    entrance = await negotiate(
        session, time, cloud.hub_url, token, partial(audience.budget.take, Lane.COMMAND)
    )
    assert repr(entrance) == "Entrance(host='127.0.0.1')"


async def test_a_page_is_no_negotiation(cloud: EaseeCloud, audience: Audience) -> None:
    cloud.faults.add(Fault(pattern=NEGOTIATE, status=200, body=HTML))
    audience.stream.start()
    await cloud.until(lambda: audience.stream.failures == 1)


@pytest.mark.parametrize("pattern", [NEGOTIATE, UPGRADE])
async def test_an_answer_that_does_not_come_is_not_waited_for(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime, pattern: str
) -> None:
    cloud.faults.add(Fault(pattern=pattern, delay=60))
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await time.pass_time(14)
    assert audience.stream.failures == 0
    await time.pass_time(1)
    assert audience.stream.failures == 1
    await time.pass_time(2)
    assert audience.stream.hears(CHARGER)


async def test_a_handshake_may_be_refused(
    cloud: EaseeCloud, audience: Audience
) -> None:
    cloud.hub.handshake_error = "The protocol 'json' is not supported."
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await cloud.until(lambda: audience.stream.failures == 1)
    cloud.hub.handshake_error = None
    await audience.idle_for(2)
    await audience.heard(CHARGER)


@pytest.mark.parametrize("answer", ['{"type":6}', "what?", "[]", None])
async def test_a_handshake_may_be_none(
    cloud: EaseeCloud,
    audience: Audience,
    time: SimulatedTime,
    answer: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = "simulators.easee_cloud.connection.Connection._receive"
    with monkeypatch.context() as patch:
        patch.setattr(
            connection,
            lambda self, message: answer and self.send_raw(f"{answer}\x1e"),
        )
        audience.stream.subscribe(CHARGER)
        audience.stream.start()
        await time.pass_time(15)
    assert audience.stream.failures >= 1
    assert audience.stream.connections == 0
    await time.pass_time(16)
    assert audience.stream.hears(CHARGER)


async def test_a_blocked_address_sends_nothing_at_all(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    cloud.faults.add(Fault(pattern=NEGOTIATE, status=403, body=BLOCKED))
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await cloud.until(lambda: audience.stream.failures == 1)
    assert audience.budget.blocked_until == time() + timedelta(hours=1)
    assert audience.trouble() is StreamTrouble.FORBIDDEN
    await audience.idle_for(3600)
    await audience.heard(CHARGER)


async def test_who_may_send_nothing_does_not_connect(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    audience.budget.hold(time() + timedelta(seconds=120))
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await time.pass_time(60)
    audience.budget.hold(time() + timedelta(seconds=120))
    await audience.idle_for(120)
    await audience.heard(CHARGER)


@pytest.mark.parametrize(
    ("trouble", "seconds"),
    [
        (InvalidCredentials(), 1800),
        (SessionEnded(), 1800),
        (Unavailable(), 2),
        (ZeroDivisionError(), 2),
    ],
)
async def test_who_cannot_log_in_tries_again(
    cloud: EaseeCloud, audience: Audience, trouble: Exception, seconds: float
) -> None:
    audience.guest.trouble = trouble
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await cloud.until(lambda: audience.stream.failures == 1)
    assert audience.trouble() is None, "others tell of that"
    audience.guest.trouble = None
    await audience.idle_for(seconds)
    await audience.heard(CHARGER)


async def test_a_pause_of_logging_in_is_waited_for(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    audience.guest.trouble = LoginPaused(time() + timedelta(minutes=7))
    audience.stream.subscribe(CHARGER)
    audience.stream.start()
    await cloud.until(lambda: audience.stream.failures == 1)
    audience.guest.trouble = None
    await audience.idle_for(420)


async def test_since_when_it_is_so(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    assert audience.stream.since is None
    await audience.listen()
    start = time()
    await time.pass_time(100)
    assert audience.stream.since == start
    cloud.hub.drop()
    await audience.lost()
    await time.pass_time(1)
    assert audience.stream.since == start + timedelta(seconds=100)


async def test_a_clock_that_is_set_back_changes_nothing(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    await audience.listen()
    # Timers go on: only what the clock shows is another time.
    away = timedelta(days=1)
    time._alarms = [(at - away, order, alarm) for at, order, alarm in time._alarms]
    time.now -= away
    cloud.hub.drop()
    await audience.lost()
    assert not audience.is_up()
    await audience.idle_for(2)
    await audience.heard(CHARGER)


@pytest.mark.parametrize("pattern", [NEGOTIATE, UPGRADE])
@pytest.mark.parametrize("status", [None, 401, 500])
async def test_whatever_the_stream_sends_is_in_the_budget(
    cloud: EaseeCloud,
    audience: Audience,
    time: SimulatedTime,
    pattern: str,
    status: int | None,
) -> None:
    """Even what aiohttp sends again by itself, as it does with GET."""
    cloud.faults.add(
        Fault(pattern=pattern, times=None, status=status, cut=status is None)
    )
    audience.stream.start()
    await time.pass_time(200)
    sent = len(cloud.journal.find(None, "/hubs/"))
    assert sent >= 2
    assert audience.budget.taken[Lane.COMMAND] == sent


async def test_a_stream_waits_for_a_budget_that_is_used_up(
    cloud: EaseeCloud, audience: Audience, time: SimulatedTime
) -> None:
    """Others have used it, and it is no trouble of the stream."""
    for _ in range(90):
        await audience.budget.take(Lane.AUTH)
    audience.stream.start()
    await time.pass_time(299)
    assert audience.attempts == 0
    assert audience.trouble() is None
    await time.pass_time(70)
    assert audience.is_up()
