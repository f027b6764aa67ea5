"""Adapter: the messages of an OCPP 2.x station, each to the block that answers it."""

from dataclasses import replace
from typing import cast

from ...station.clock import CallLater, call_later as loop_call_later
from ...station.link import Capability, Link, LinkKind
from ...station.outcome import Outcome
from ..adapter import StationContext
from ..blocks import Answer, BlockAdapter
from ..boot import Boot, BootFacts, Caller
from ..oddities import Oddities
from ..sender import CallSender
from ..stepwise import Stepwise
from .availability import Availability
from .mapping import station_info


class TriggerLink(CallSender):
    """A link that asks for messages and carries nothing else."""

    kind = LinkKind.OCPP

    @property
    def connected(self) -> bool:
        """Return whether a command would be sent now."""
        return self._context.connected()

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Return what this link can carry."""
        return frozenset({Capability.TRIGGER})

    async def trigger(self, message: str, evse_id: int | None) -> Outcome:
        """Send TriggerMessage (F06)."""
        evse = {} if evse_id is None else {"evse": {"id": evse_id}}
        return await self.send("TriggerMessage", {"requestedMessage": message} | evse)


class V201Adapter(BlockAdapter):
    """OCPP 2.0.1 of one station."""

    def __init__(
        self, context: StationContext, *, call_later: CallLater = loop_call_later
    ) -> None:
        """Translate between the station's messages and the model of `context`."""
        caller = Caller(context)
        context = replace(context, call=caller)
        oddities = Oddities(context.station.identity)
        self.link = link = cast(Link, TriggerLink(context))
        setup = Stepwise(context, {})
        availability = Availability(context, oddities, call_later)
        facts = BootFacts(info=station_info, restarted=availability.booted)
        boot = Boot(context, caller, facts, link, setup, call_later)
        answers: dict[str, Answer] = {
            "BootNotification": boot.boot_notification,
            "Heartbeat": boot.heartbeat,
            "StatusNotification": availability.status_notification,
        }
        super().__init__(
            context.station,
            boot=boot,
            statuses=availability,
            setup=setup,
            answers=answers,
        )
