"""A process that charges without end and says what is durable, until it is killed."""

import asyncio
from datetime import datetime, timedelta
import importlib
from pathlib import Path
import sys
from types import ModuleType

ROOT = "custom_components.ev_charger_hub"


def station_module(name: str) -> ModuleType:
    """Import a module of the ground floor."""
    return importlib.import_module(f"{ROOT}.station.{name}")


async def main(path: Path, first: int, begin: datetime) -> None:
    """Charge session after session, from number `first`."""
    settings = station_module("settings").StationSettings(name="Kill")
    station = station_module("model").ChargingStation("CP1", settings)
    journal = await station_module("journal").Journal.open(path)
    transactions = station_module("transactions").Transactions(
        station, journal, station_module("clock").utc_now
    )
    await transactions.load()
    number = first
    while True:
        at = begin + timedelta(seconds=2 * number)
        started = await transactions.start(
            evse_id=1, id_token="TAG", meter_start=1000 * number, claimed_at=at
        )
        say("start", number, started.transaction_id)
        say("number", await journal.next_number("profile"))
        stopped = await transactions.stop(
            transaction_id=started.transaction_id,
            meter_stop=1000 * number + 500,
            claimed_at=at + timedelta(seconds=1),
            reason=station_module("enums").StopReason.LOCAL,
        )
        say("stop", number, stopped.transaction_id, stopped.energy)
        await journal.store("CP1", "done", number)
        say("fact", number)
        number += 1


def say(*words: object) -> None:
    """Acknowledge something."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    root, file, number_text, begin_text = sys.argv[1:]
    sys.path.insert(0, root)
    # The ground floor alone: Home Assistant takes seconds to import.
    package = ModuleType(ROOT)
    package.__path__ = [str(Path(root, *ROOT.split(".")))]
    sys.modules[ROOT] = package
    asyncio.run(main(Path(file), int(number_text), datetime.fromisoformat(begin_text)))
