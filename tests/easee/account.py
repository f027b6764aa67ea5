"""An account of the virtual cloud, as the client holds it."""

import asyncio
from typing import override

from custom_components.ev_charger_hub.easee.tokens import TokenPair, TokenStore
from simulators.easee_cloud import EaseeCloud, SimulatedTime

ACCOUNTS = "^/api/accounts/(login|refresh_token)$"
LOGIN = "^/api/accounts/login$"
REFRESH = "^/api/accounts/refresh_token$"


class MemoryStore(TokenStore):
    """What survives a kill: only what was saved to the end."""

    def __init__(self, stored: dict[str, str] | None = None) -> None:
        """Start with what was stored before."""
        self.stored = stored
        self.loads = 0
        self.saving = False
        """Whether something waits to be stored."""
        self.gate: asyncio.Event | None = None
        """What saving waits for."""
        self.error: OSError | None = None
        """Why nothing can be saved."""

    @override
    async def load(self) -> TokenPair | None:
        self.loads += 1
        await asyncio.sleep(0)
        return None if self.stored is None else TokenPair.from_dict(self.stored)

    @override
    async def save(self, pair: TokenPair | None) -> None:
        if self.error is not None:
            raise self.error
        if self.gate is not None:
            self.saving = True
            await self.gate.wait()
        self.stored = None if pair is None else pair.as_dict()


def asked(cloud: EaseeCloud, pattern: str = ACCOUNTS) -> list[int | None]:
    """Return how the requests to some paths were answered, None if cut."""
    return [request.status for request in cloud.journal.find(None, pattern)]


async def after[T](
    time: SimulatedTime, seconds: float, task: asyncio.Task[T]
) -> T | BaseException:
    """Return what became of something that is over when so many seconds passed."""
    await time.pass_time(seconds)
    assert task.done()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    return result


def secrets_of(cloud: EaseeCloud) -> set[str]:
    """Return everything that nobody may read in a log."""
    return {
        *cloud.tokens.issued,
        *(account.password for account in cloud.tokens.accounts),
        *(charger.pin_code for charger in cloud.chargers.values()),
        *cloud.chargers,
        *cloud.equalizers,
    }
