"""F7: negotiation, frames and records, pings, subscriptions, and all that ends them."""

import json

import pytest

from .plain import SEPARATOR, PlainClient
from simulators.easee_cloud import Charger, EaseeCloud, Fault, Framing, SimulatedTime

SERIAL = "EH123456"


async def test_the_handshake_comes_with_a_ping_in_one_frame(
    client: PlainClient,
) -> None:
    await client.login()
    await client.connect()
    assert client.frames == ['{}\x1e{"type":6}\x1e']


async def test_the_handshake_can_be_refused(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    cloud.hub.handshake_error = "no"
    await client.login()
    await client.connect()
    await client.closed.wait()
    assert client.records == [{"error": "no"}]


@pytest.mark.parametrize(
    ("status", "headers"), [(401, {}), (403, {}), (429, {"Retry-After": "300"})]
)
async def test_negotiation_can_fail_alone(
    cloud: EaseeCloud, client: PlainClient, status: int, headers: dict[str, str]
) -> None:
    await client.login()
    cloud.faults.add(Fault(pattern="/negotiate", status=status, headers=headers))
    code, _, seen = await client.ask("POST", "/hubs/chargers/negotiate")
    assert code == status
    assert headers.items() <= seen.items()
    assert (await client.ask("GET", "/api/chargers"))[0] == 200
    assert "connectionId" in await client.negotiate()


async def test_negotiation_can_send_elsewhere(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    cloud.hub.redirect_next()
    answer = await client.negotiate()
    async with client.session.post(
        f"{answer['url']}/negotiate?negotiateVersion=1",
        headers={"Authorization": f"Bearer {answer['accessToken']}"},
    ) as response:
        identity = (await response.json())["connectionId"]
    async with client.session.ws_connect(
        f"{answer['url']}?id={identity}&access_token={answer['accessToken']}"
    ) as socket:
        await socket.send_str('{"protocol":"json","version":1}' + SEPARATOR)
        assert (await socket.receive_str()).startswith("{}\x1e")


async def test_negotiation_can_be_an_error_or_of_version_1(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    cloud.hub.negotiations.append({"error": "closed"})
    assert await client.negotiate() == {"error": "closed"}
    cloud.hub.negotiate_version = 1
    answer = await client.negotiate()
    await client.connect(answer["connectionToken"])
    assert client.records[0] == {}


async def test_a_replay_keeps_the_times_in_any_order(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime, charger: Charger
) -> None:
    time.advance(3 * 86_400)
    charger.go_offline()
    await client.login()
    await client.connect()
    completion = await client.subscribe()
    assert completion == {"type": 3, "invocationId": "1", "result": None}
    updates = client.of_target("ProductUpdate")
    assert {one["id"] for one in updates} == {*charger.known}
    by_id = {one["id"]: one for one in updates}
    assert by_id[31]["timestamp"] == "2026-10-01T06:00:00.0000000Z"
    assert by_id[250]["value"] == "0"
    assert all(isinstance(one["value"], str) for one in updates)
    order = [one["id"] for one in updates]
    assert order != sorted(order)


async def test_only_who_subscribes_hears(
    client: PlainClient, charger: Charger, cloud: EaseeCloud
) -> None:
    await client.listen()
    assert cloud.hub.subscriptions() == [SERIAL]
    cloud.chargers["EH654321"].observe(40, 1)
    charger.observe(40, 2)
    await client.saw(40, "2")
    assert client.values(40) == ["2"]


async def test_methods_can_be_called_otherwise(
    cloud: EaseeCloud, client: PlainClient, charger: Charger
) -> None:
    await client.listen()
    cloud.hub.camel_case = True
    charger.observe(40, 1)
    cloud.hub.tell(SERIAL, "ChargerUpdate", {"id": SERIAL})
    await client.until(lambda: len(client.of_type(1)) == 2)
    targets = [one["target"] for one in client.of_type(1)]
    assert targets == ["productUpdate", "chargerUpdate"]


@pytest.mark.parametrize("framing", [*Framing])
async def test_records_are_spread_over_frames(
    cloud: EaseeCloud, client: PlainClient, charger: Charger, framing: Framing
) -> None:
    await client.listen()
    cloud.hub.framing = framing
    client.frames.clear()
    charger.observe(40, 1)
    charger.observe(36, "here")
    await client.saw(36, "here")
    records = [frame.count(SEPARATOR) for frame in client.frames]
    expected = {Framing.SINGLE: [1, 1], Framing.JOINED: [2], Framing.SPLIT: [1, 1]}
    assert records == expected[framing]
    if framing is Framing.SPLIT:
        assert not client.frames[0].endswith(SEPARATOR)


async def test_what_nobody_understands(
    cloud: EaseeCloud, client: PlainClient, charger: Charger
) -> None:
    await client.listen()
    charger.pretend(234, "x", data_type=9)
    charger.pretend(121, 0.0)
    await client.saw(121, "0")
    assert client.of_target("ProductUpdate")[0]["dataType"] == 9
    assert 234 not in charger.known
    client.frames.clear()
    cloud.hub.raw('{"type":1}' + SEPARATOR)
    await client.until(lambda: client.frames == ['{"type":1}\x1e'])


@pytest.mark.parametrize("error", ["No access", None])
async def test_a_subscription_can_fail(
    cloud: EaseeCloud, client: PlainClient, error: str | None
) -> None:
    await client.login()
    await client.connect()
    cloud.hub.subscribe_error = error
    completion = await client.subscribe(SERIAL if error else "EH000000")
    assert "result" not in completion
    assert error is None or completion["error"] == error
    assert cloud.hub.subscriptions() == []


async def test_unsubscribed_is_unheard(
    cloud: EaseeCloud, client: PlainClient, charger: Charger
) -> None:
    await client.listen()
    assert client.socket is not None
    message = {"type": 1, "target": "unsubscribe", "arguments": [SERIAL]}
    await client.socket.send_str(json.dumps(message) + SEPARATOR)
    await cloud.until(lambda: cloud.hub.subscriptions() == [])
    charger.observe(40, 1)
    cloud.hub.raw('{"type":6}' + SEPARATOR)
    await client.until(lambda: bool(client.of_type(6)))
    assert client.values(40) == []


async def test_the_cloud_pings_and_drops_who_is_silent(
    client: PlainClient, time: SimulatedTime
) -> None:
    await client.listen()
    time.advance(30)
    await client.until(lambda: len(client.of_type(6)) == 2)
    time.advance(15)
    await client.closed.wait()
    assert client.of_type(7) == [
        {"type": 7, "error": "Client timeout", "allowReconnect": True}
    ]


async def test_who_pings_stays(client: PlainClient, time: SimulatedTime) -> None:
    await client.listen()
    assert client.socket is not None

    def pings() -> int:
        return sum(
            line.startswith('C> {"type":6}') for line in client.cloud.journal.lines
        )

    for _ in range(4):
        before = pings()
        await client.socket.send_str('{"type":6}' + SEPARATOR)
        await client.until(lambda before=before: pings() > before)  # type: ignore[misc]
        time.advance(20)
    assert not client.closed.is_set()


@pytest.mark.parametrize("reconnect", [True, False])
async def test_a_farewell_says_whether_to_come_back(
    cloud: EaseeCloud, client: PlainClient, reconnect: bool
) -> None:
    await client.listen()
    cloud.hub.close("server shutdown", reconnect=reconnect)
    await client.closed.wait()
    (farewell,) = client.of_type(7)
    assert farewell["allowReconnect"] is reconnect


async def test_a_restart_closes_with_a_code(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.listen()
    cloud.hub.hang_up(1012)
    await client.closed.wait()
    assert client.socket is not None
    assert client.socket.close_code == 1012
    assert client.records == []


async def test_a_connection_can_be_half_open(
    cloud: EaseeCloud, client: PlainClient, charger: Charger, time: SimulatedTime
) -> None:
    await client.listen()
    cloud.hub.fall_silent()
    charger.observe(40, 1)
    time.advance(60)
    await client.get("/api/chargers")
    assert client.records == []
    assert not client.closed.is_set()


async def test_a_connection_can_be_cut(cloud: EaseeCloud, client: PlainClient) -> None:
    await client.listen()
    cloud.hub.drop()
    await client.closed.wait()
    await cloud.until(lambda: cloud.hub.connections == [])
    await client.connect()
    assert cloud.hub.opened == 2


async def test_a_connection_id_is_good_once(client: PlainClient) -> None:
    await client.login()
    identity = (await client.negotiate())["connectionId"]
    await client.connect(identity)
    status, _, _ = await client.ask("GET", f"/hubs/chargers?id={identity}")
    assert status == 404
