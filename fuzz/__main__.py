"""Attack a really running Home Assistant, and watch what becomes of others."""

import argparse
import asyncio
import json
from pathlib import Path
import sys
import tempfile
from typing import Any

from benchmarks.__main__ import Loader, free_port, settle
from benchmarks.load import name
from benchmarks.process import Measured, listening, start

from .attack import VERSIONS
from .verdict import MIB, Limits, Outcome, violations

ROOT = Path(__file__).parents[1]
CALM = 10.0
AFTERMATH = 5.0
RATE = 5.0
CALM_VERSIONS = ("1.6", "2.1")
EXPLANATION = """\
Hostile clients send what the corpus (fuzz/corpus) and recorded stations say, mutated;
they flood, break the rules of websockets, send compressed bombs, read slowly, hang up
in the middle, leave handshakes half open, send garbage instead of one, make identities
up and come as somebody else. Their own identities are approved, so that everything they
send is handled. A third of them each speaks OCPP 1.6, 2.0.1 and 2.1; messages of 2.x
are also made up by their schemas, and of all versions about things that were never heard
of. Well-behaved chargers, every other one of 2.1, send MeterValues five times a second
meanwhile.

It fails if a valid CALL stays unanswered, gets an InternalError, or is an event of 2.x
and gets any error, an error is in the log, the server ends, an impostor is let in, a call
of a well-behaved charger fails, the p99 of their answers is above --unnoticed ms and
above --ratio times what it was before, or memory grows by more than --growth MiB.
"""


async def prepare(config: Path, port: int, chargers: list[str], log: Path) -> None:
    """Write the configuration of a Home Assistant that knows everybody of these."""
    made = await start(
        sys.executable,
        "-m",
        "scripts.lib.prepare_config",
        str(config),
        *("--port", str(free_port()), "--ocpp-port", str(port)),
        *("--user", "fuzz", "--password", "fuzz", "--more-chargers", *chargers),
        log=log,
    )
    if await made.process.wait():
        raise RuntimeError(log.read_text(encoding="utf-8"))


async def watch(server: Measured, memory: list[int]) -> None:
    """Note the memory once a second, as long as the server runs."""
    while server.process.returncode is None:
        memory.append(server.memory)
        await asyncio.sleep(1)


async def measured(citizens: Loader, seconds: float) -> dict[str, Any]:
    """Return how others are answered while nothing happens."""
    await citizens.do("begin", rate=RATE)
    await asyncio.sleep(seconds)
    return await citizens.do("end")


async def attacked(args: argparse.Namespace, port: int) -> dict[str, Any]:
    """Let the hostile clients loose; return their tally."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fuzz.attack",
        *("--port", str(port), "--frames", str(args.frames)),
        *("--clients", str(args.clients), "--victims", str(args.citizens)),
        *("--seed", str(args.seed), "--only", *args.only),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the attack itself failed, see above")
    tally: dict[str, Any] = json.loads(output)
    return tally


def spoken(citizens: int, clients: int) -> list[str]:
    """Return the version that each charger speaks: well-behaved ones, then hostile ones."""
    calm = [CALM_VERSIONS[index % len(CALM_VERSIONS)] for index in range(citizens)]
    return calm + [VERSIONS[index % len(VERSIONS)] for index in range(clients)]


async def run(args: argparse.Namespace, folder: Path, server: Measured) -> Outcome:
    """Attack a server that listens."""
    citizens = await Loader.start("fuzz.citizens")
    try:
        # All have been here once: the first values make entities, which is no part of
        # the comparison.
        versions = spoken(args.citizens, args.clients)
        await citizens.do(
            "connect", port=args.port, number=len(versions), versions=versions
        )
        await measured(citizens, AFTERMATH)
        await settle("Home Assistant", server)
        await citizens.do("stop")
        await citizens.do(
            "connect", port=args.port, number=args.citizens, versions=versions
        )
        await settle("Home Assistant", server)
        calm = await measured(citizens, CALM)
        logged = server.log.stat().st_size
        memory: list[int] = []
        watching = asyncio.create_task(watch(server, memory))
        await citizens.do("begin", rate=RATE)
        tally = await attacked(args, args.port)
        await asyncio.sleep(AFTERMATH)
        storm = await citizens.do("end")
        watching.cancel()
    finally:
        await citizens.stop()
    with server.log.open("rb") as log:
        log.seek(logged)
        lines = log.read().decode(errors="replace").splitlines()
    if args.log is not None:
        args.log.write_text("\n".join(lines), encoding="utf-8")
    return Outcome(
        tally=tally,
        calm_p50=calm["p50"] * 1000,
        calm_p99=calm["p99"] * 1000,
        attacked_p50=storm["p50"] * 1000,
        attacked_p99=storm["p99"] * 1000,
        failures=calm["failures"] + storm["failures"],
        memory=memory,
        log=lines,
        crashed=server.process.returncode is not None,
    )


def report(outcome: Outcome) -> str:
    """Return the figures in words."""
    tally = outcome.tally
    step = max(1, len(outcome.memory) // 10)
    memory = ", ".join(f"{one / MIB:.0f}" for one in outcome.memory[::step])
    return "\n".join(
        (
            f"frames sent              {tally['sent']}",
            f"sockets opened           {tally['sockets']}",
            f"sockets refused          {sum(tally['refused'].values())}",
            f"valid CALLs              {tally['calls']}",
            f"  answered               {tally['answered']}",
            f"  unanswered             {tally['unanswered']}",
            f"  refused wrongly        {tally['refusals']}",
            f"errors in the log        {len(outcome.complaints)}",
            f"impostors let in         {tally['takeovers']}",
            f"calls of others failed   {len(outcome.failures)}",
            f"p50 of others, calm      {outcome.calm_p50:.1f} ms",
            f"p50 of others, attacked  {outcome.attacked_p50:.1f} ms",
            f"p99 of others, calm      {outcome.calm_p99:.1f} ms",
            f"p99 of others, attacked  {outcome.attacked_p99:.1f} ms",
            f"  ratio                  {outcome.ratio:.2f}",
            f"seconds                  {len(outcome.memory)}",
            f"memory in MiB            {memory}",
            f"  growth                 {outcome.growth:.1f}",
        )
    )


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz",
        description=__doc__,
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--frames", type=int, default=50_000, help="in all")
    parser.add_argument("--clients", type=int, default=30, help="hostile ones")
    parser.add_argument("--citizens", type=int, default=20, help="well-behaved ones")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same frames")
    parser.add_argument(
        "--only", nargs="*", default=(), help="clients of these names (fuzz/clients.py)"
    )
    parser.add_argument("--ratio", type=float, default=4.0)
    parser.add_argument("--unnoticed", type=float, default=500.0)
    parser.add_argument("--growth", type=float, default=64.0)
    parser.add_argument("--log", type=Path, help="keep what the server logged")
    return parser.parse_args()


async def main() -> int:
    """Run one attack, print its figures; return 1 if something must not have been."""
    args = arguments()
    args.port = free_port()
    known = [name(number) for number in range(args.citizens + args.clients)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        await prepare(folder / "home", args.port, known, folder / "prepare.log")
        server = await start(
            sys.executable,
            "-m",
            "homeassistant",
            *("--config", str(folder / "home"), "--skip-pip"),
            log=folder / "home.log",
        )
        try:
            await listening(args.port, server)
            outcome = await run(args, folder, server)
        finally:
            await server.stop()
    print(report(outcome))
    limits = Limits(ratio=args.ratio, growth=args.growth, unnoticed=args.unnoticed)
    found = violations(outcome, limits)
    for one in found:
        print(f"VIOLATION: {one}")
    return 1 if found else 0


if __name__ == "__main__":
    if not Path("/proc/self/stat").exists():
        sys.exit("fuzz: memory is read from /proc, as on Linux")
    try:
        sys.exit(asyncio.run(main()))
    except RuntimeError as err:
        sys.exit(f"fuzz: {err}")
