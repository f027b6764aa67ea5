"""Arbitrary input: nothing escapes, and the next message is answered."""

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings, strategies as st
import pytest

from .rpc_peer import Peer
from custom_components.ev_charger_hub.ocpp.dialect import STATION_ACTIONS, Dialect
from custom_components.ev_charger_hub.ocpp.rpc import Reply

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["connectorId", "idTag", "status", "meterValue"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)
ACTIONS = st.sampled_from(
    sorted({action for actions in STATION_ACTIONS.values() for action in actions})
)
FRAMES = st.lists(JSON, max_size=6) | st.tuples(
    st.integers(-1, 9),
    JSON | st.text(min_size=1, max_size=36),
    ACTIONS | JSON,
    JSON,
)
INPUT = (
    st.text()
    | st.binary()
    | JSON.map(json.dumps)
    | FRAMES.map(json.dumps)
    | FRAMES.map(lambda frame: json.dumps(frame).encode())
    | FRAMES.flatmap(
        lambda frame: st.integers(0, 60).map(lambda end: json.dumps(frame)[:end])
    )
)


def handle(action: str, payload: dict[str, Any]) -> Any:
    if action == "Authorize":
        return slowly()
    if action == "DataTransfer":
        raise ValueError(payload)
    return Reply({})


async def slowly() -> Reply:
    return Reply({})


@pytest.mark.conformance("RPC_06")
@pytest.mark.conformance("RPC_07")
@pytest.mark.conformance("RPC_08")
@pytest.mark.conformance("RPC_09")
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(Dialect), st.lists(INPUT, min_size=1, max_size=5))
@example(Dialect.V16, ['[2,"1",["x"],{}]', "[" * 2000, '[4,"-1"]', "[3]"])
def test_whatever_comes_the_heartbeat_is_answered(
    dialect: Dialect, inputs: list[str | bytes]
) -> None:
    asyncio.run(_feed(dialect, inputs))


async def _feed(dialect: Dialect, inputs: list[str | bytes]) -> None:
    peer = Peer(handle, dialect=dialect)
    call = asyncio.create_task(peer.rpc.call("ClearCache", {}))
    for text in inputs:
        await peer.receive(text)
    await peer.receive([2, "the-next-one", "Heartbeat", {}])
    assert peer.sent[-1] == [3, "the-next-one", {}]
    for frame in peer.answers:
        assert frame[0] in {3, 4, 5}
        assert isinstance(frame[1], str)
        assert 0 < len(frame[1]) <= 36
    assert not call.done()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    peer.rpc.close()
