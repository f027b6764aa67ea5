"""F8 and F10: limits, blocks, outages, faults by count, and the journal."""

import asyncio

import aiohttp
import pytest

from .plain import PlainClient
from simulators.easee_cloud import EaseeCloud, Fault, Quota, SimulatedTime
from simulators.easee_cloud.answers import BLOCKED

CHARGERS = "/api/chargers"


async def test_a_fault_strikes_as_often_as_told(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    cloud.faults.add(
        Fault(pattern="/api/chargers$", times=2, status=502, body="<html>")
    )
    seen = [(await client.ask("GET", CHARGERS))[0] for _ in range(3)]
    assert seen == [502, 502, 200]


async def test_over_quota_comes_429_then_the_block(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime
) -> None:
    await client.login()
    cloud.limits.quotas = [Quota(count=2, seconds=300)]
    cloud.limits.retry_after = 120
    cloud.limits.offences_before_block = 2
    answers = [await client.ask("GET", CHARGERS) for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 200, 429, 403]
    assert answers[2][2]["Retry-After"] == "120"
    assert answers[3][1] == BLOCKED
    time.advance(3599)
    assert (await client.ask("POST", "/api/accounts/login", {}))[0] == 403
    time.advance(1)
    assert await client.login() == 200


async def test_a_quota_recovers_with_time(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime
) -> None:
    await client.login()
    cloud.limits.quotas = [Quota(count=1, seconds=300)]
    assert (await client.ask("GET", CHARGERS))[0] == 200
    status, _, headers = await client.ask("GET", CHARGERS)
    assert (status, "Retry-After" in headers) == (429, False)
    time.advance(300)
    assert (await client.ask("GET", CHARGERS))[0] == 200


async def test_documented_limits_are_ten_an_hour(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    cloud.limits.strict()
    seen = [(await client.ask("GET", "/api/sites/1"))[0] for _ in range(11)]
    assert seen == [200] * 10 + [429]
    assert (await client.ask("GET", CHARGERS))[0] == 200
    path = "/api/equalizers/QP123456/commands/configure_max_allocated_current"
    answers = [await client.ask("POST", path, {"maxCurrent": 20}) for _ in range(2)]
    assert [status for status, _, _ in answers] == [202, 429]


@pytest.mark.parametrize("status", [500, 503])
async def test_an_outage_takes_everything_with_it(
    cloud: EaseeCloud, client: PlainClient, status: int
) -> None:
    await client.listen()
    cloud.outage(status)
    await client.closed.wait()
    assert (await client.ask("GET", CHARGERS))[0] == status
    assert await client.login() == status
    assert (await client.ask("POST", "/hubs/chargers/negotiate"))[0] == status
    cloud.recover()
    assert (await client.ask("GET", CHARGERS))[0] == 200


async def test_an_outage_can_cut_connections(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    cloud.outage(None)
    with pytest.raises(aiohttp.ClientError):
        await client.login()


async def test_a_slow_answer_takes_the_time_of_the_clock(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime
) -> None:
    await client.login()
    cloud.faults.add(Fault(pattern="/api/chargers$", delay=30))
    asking = asyncio.create_task(client.ask("GET", CHARGERS))
    await cloud.until(lambda: bool(cloud.journal.find("GET", CHARGERS)))
    time.advance(29)
    await asyncio.sleep(0)
    assert not asking.done()
    time.advance(1)
    assert (await asking)[0] == 200


async def test_a_client_that_gave_up_leaves_nothing_behind(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    cloud.faults.add(Fault(pattern="/api/chargers$", delay=30))
    asking = asyncio.create_task(client.ask("GET", CHARGERS))
    await cloud.until(lambda: bool(cloud.journal.find("GET", CHARGERS)))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await cloud.stop()
    assert cloud.journal.find("GET", CHARGERS)[0].status is None


async def test_clients_on_its_clock_keep_up_with_time(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime
) -> None:
    seen: list[int] = []

    async def poll() -> None:
        while True:
            seen.append((await client.ask("GET", "/health"))[0])
            await cloud.faults.wait(60)

    polling = asyncio.create_task(poll())
    await time.pass_time(3599)
    cloud.outage(503)
    await time.pass_time(3600)
    cloud.recover()
    await time.pass_time(60)
    assert seen == [200] * 60 + [503] * 60 + [200]
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    assert cloud.journal.busiest(60, "GET", "/health") == 1


async def test_a_lost_answer_leaves_its_effect(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    cloud.faults.add(Fault(method="PUT", status=504, after=True))
    assert (await client.ask("PUT", "/api/chargers/EH123456/access", 3))[0] == 504
    assert cloud.chargers["EH123456"].access == 3


async def test_the_journal_tells_who_asked_what_when(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime
) -> None:
    await client.login()
    time.advance(60)
    await client.get(CHARGERS)
    await client.ask("GET", "/api/chargers/EH123456/config?x=1")
    first, second, third = cloud.journal
    assert (first.method, first.path, first.bearer) == (
        "POST",
        "/api/accounts/login",
        None,
    )
    assert (second.at - first.at).total_seconds() == 60
    assert second.bearer == client.tokens["accessToken"]
    assert (third.query, third.status) == ("?x=1", 200)
    assert cloud.journal.busiest(60, "GET", CHARGERS) == 2
    assert cloud.journal.busiest(60, None, "") == 2
    assert cloud.journal.busiest(61, None, "") == 3


async def test_the_transcript_keeps_no_secret(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    await client.refresh()
    await client.get("/api/chargers/EH123456/details")
    written = cloud.journal.transcript()
    for secret in (*client.tokens.values(), "correct horse", "1234"):
        if isinstance(secret, str) and secret != "Bearer":
            assert secret not in written.replace("EH123456", "")
    assert '"password":"<secret>"' in written
