"""Battery swapping: asked for, and told of by the station (2.1 S)."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...station.battery_swap import BatteriesSwapped, Battery, SwapKind, SwapNotAllowed
from ...station.enums import AuthorizationStatus
from ...station.outcome import Outcome
from ..adapter import StationContext
from ..blocks import Answer
from ..link import unspeakable
from ..rpc import Reply
from .reports import Reports
from .sender import Sender
from .tokens import token_payload

type Json = dict[str, Any]

AVAILABLE = "BatterySwapCtrlr.Available"

MAX_BATTERIES = 32
MAX_OPEN = 64
"""How many swaps of our own are remembered until their batteries went out."""

SERIES = "battery swaps"
"""The numbers of swaps: none is ever used twice, not even after a restart."""

_MAX_SERIAL = 50
_KINDS = {
    "BatteryIn": SwapKind.BATTERY_IN,
    "BatteryOut": SwapKind.BATTERY_OUT,
    "BatteryOutTimeout": SwapKind.BATTERY_OUT_TIMEOUT,
}


class BatterySwapCommands(Sender):
    """The part of a link that asks for swaps."""

    def __init__(self, context: StationContext, reports: Reports) -> None:
        """Carry commands over `context.call`."""
        super().__init__(context, reports)
        self.open: dict[int, None] = {}
        """The numbers of the swaps that were asked for, oldest first."""

    async def request_swap(self, id_token: str) -> tuple[Outcome, int]:
        """Send RequestBatterySwap (S02)."""
        identity = self._context.station.identity
        verdict = self._context.authorizer.authorize(identity, id_token)
        if verdict.status is not AuthorizationStatus.ACCEPTED:
            raise SwapNotAllowed
        number = await self._context.journal.next_number(SERIES)
        if self.dialect != "2.1":
            return unspeakable(self.dialect, ValueError("RequestBatterySwap")), number
        payload = {
            "idToken": token_payload(self._context, id_token),
            "requestId": number,
        }
        # A station may tell of the first battery before its answer is read.
        self.open[number] = None
        while len(self.open) > MAX_OPEN:
            del self.open[next(iter(self.open))]
        outcome = await self.send("RequestBatterySwap", payload)
        if outcome.answer and not outcome.ok:
            self.open.pop(number, None)
        return outcome, number


class BatterySwapBlock:
    """What a station tells of batteries."""

    def __init__(self, context: StationContext, commands: BatterySwapCommands) -> None:
        """Tell the station of `context` what happened; `commands` began some of it."""
        self._context = context
        self._commands = commands

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {"BatterySwap": self.battery_swap}

    def battery_swap(self, payload: Json) -> Reply:
        """Take note of batteries that went in or out (S03)."""
        kind = _KINDS.get(payload["eventType"])
        number = payload["requestId"]
        requested = number in self._commands.open
        if kind is not None:
            event = BatteriesSwapped(
                kind=kind,
                request_id=number,
                requested=requested,
                id_token=payload["idToken"]["idToken"],
                batteries=tuple(_batteries(payload["batteryData"])),
            )
            self._context.station.emit(event)
            if kind is not SwapKind.BATTERY_IN:
                self._commands.open.pop(number, None)
        return Reply({})


def _batteries(told: list[Json]) -> Iterator[Battery]:
    for one in told[:MAX_BATTERIES]:
        yield Battery(
            evse_id=one["evseId"],
            serial=one["serialNumber"][:_MAX_SERIAL],
            charge=one["soC"],
            health=one["soH"],
        )
