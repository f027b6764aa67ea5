"""Ways: a station gets another way to dial, and keeps the one that it has (2.x B09)."""

from collections.abc import Awaitable, Callable

from ..networks import NetworkLink, NetworkProfile, NetworkSlots
from ..outcome import Outcome
from .kept import Failure, Upgrade
from .ports import Ports


class Ways:
    """Writes the way of an upgrade into a slot of its own, and takes it back.

    The slot is written down before it is used, so that it can be done again. What the
    station dials now stays its second choice until it was seen with the new one.
    """

    def __init__(self, ports: Ports, keep: Callable[[int], Awaitable[None]]) -> None:
        """Ask `ports` for addresses; `keep` writes down the slot."""
        self._ports = ports
        self._keep = keep

    async def write(self, networks: NetworkLink, upgrade: Upgrade) -> Outcome | Failure:
        """Have the station dial as wanted from its next restart on."""
        outcome, slots = await networks.slots()
        if not outcome.ok or told(slots, upgrade):
            return outcome
        url = upgrade.url or self._ports.address(upgrade.leg)
        if url is None:
            return Failure.NOT_OFFERED
        slot = slots.spare if upgrade.slot is None else upgrade.slot
        if slot is None:
            return Failure.NO_SLOT
        await self._keep(slot)
        if slot in slots.priority:
            # 2.1 writes to no slot that is listed (B09.FR.05).
            outcome = await networks.set_priority(_others(slots, slot))
            if not outcome.ok:
                return outcome
        profile = NetworkProfile(url=url, security_profile=upgrade.leg)
        outcome = await networks.set_network(slot, profile)
        if not outcome.ok:
            return outcome
        return await networks.set_priority((slot, *_others(slots, slot)))

    async def take_back(
        self, networks: NetworkLink, slots: NetworkSlots, slot: int
    ) -> None:
        """Have the station dial as it did before."""
        if others := _others(slots, slot):
            await networks.set_priority(others)

    def is_there(self, slots: NetworkSlots, upgrade: Upgrade) -> bool:
        """Return whether the station came by the new way to another address."""
        if upgrade.url is None:
            return False
        if slots.active is not None:
            return slots.active == upgrade.slot
        dialled = self._ports.address(upgrade.leg)
        return dialled is not None and upgrade.url.startswith(dialled)


def told(slots: NetworkSlots, upgrade: Upgrade) -> bool:
    """Return whether a station dials by the way of an upgrade first, or already."""
    return upgrade.slot is not None and upgrade.slot in {
        slots.used,
        *slots.priority[:1],
    }


def _others(slots: NetworkSlots, slot: int) -> tuple[int, ...]:
    kept = tuple(one for one in slots.priority if one != slot)
    used = () if slots.used in {None, slot} else (slots.used,)
    return kept or tuple(one for one in used if one is not None)
