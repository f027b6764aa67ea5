"""Measure the integration in a running Home Assistant against a bare websocket."""

import argparse
import asyncio
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import socket
import sys
import tempfile
from typing import Any

from .process import Measured, listening, settled, start

ROOT = Path(__file__).parents[1]
FLEETS = (1, 50, 300)
EXPLANATION = """\
Before each measurement the server has to settle: to be idle for three seconds. So what
an arrival leaves to be done is no part of the figures of the steady state.

figures, in this order:
  strangers_ready_ms  all dial in at once, unknown: until the last one is accepted
  arrival_cpu_ms      CPU time per charger from dialing in until the server has settled,
                      which is mostly Home Assistant taking in the new entities
  frames_per_s        rush: each charger sends MeterValues as fast as answers come, and
                      is read as fast, unlike elsewhere: 50 frames a second at most
  cpu_us_per_frame    CPU time of the whole server process per frame of the rush
  rush_p99_ms         what 99 % of the answers take at most in the rush
  paced_p50_ms        pace: each charger sends once a second, thirty times as often as
  paced_p99_ms        it does by default; what half and 99 % of the answers take at
  paced_worst_ms      most, and the slowest one (a full garbage collection shows here)
  paced_cpu_us        CPU time of the whole process per frame of the pace: states are
                      written and recorded as often as values change
  known_ready_ms      all have been here, left, and dial in at once again
  memory_kib          memory per charger after all this

Nothing but the ratios can be compared between machines.
"""


@dataclass(kw_only=True, slots=True, frozen=True)
class Fleet:
    """So many chargers of one OCPP version."""

    chargers: int
    version: str


@dataclass(kw_only=True, slots=True)
class Figures:
    """What one server did with one fleet; times in ms, memory in KiB per charger."""

    server: str
    version: str
    chargers: int
    strangers_ready_ms: float
    arrival_cpu_ms: float
    frames_per_s: float
    cpu_us_per_frame: float
    rush_p99_ms: float
    paced_p50_ms: float
    paced_p99_ms: float
    paced_worst_ms: float
    paced_cpu_us: float
    known_ready_ms: float
    memory_kib: float


class Loader:
    """The load process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Talk to a started process."""
        self._process = process

    @classmethod
    async def start(cls, module: str = "benchmarks.load") -> Loader:
        """Start the process, which is another module where more is to be done."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=ROOT,
            )
        )

    async def do(self, what: str, **arguments: Any) -> dict[str, Any]:
        """Have a command done and return its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"do": what, **arguments})
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()
        if not (answer := await self._process.stdout.readline()):
            raise RuntimeError("the load process ended early")
        result: dict[str, Any] = json.loads(answer)
        return result

    async def stop(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def settle(name: str, server: Measured) -> None:
    """Let a server finish what it has to do; say so if it does not."""
    if not await settled(server):
        print(f"{name} does not settle; figures include it", file=sys.stderr)


async def measure(
    name: str, server: Measured, port: int, fleet: Fleet, seconds: float
) -> Figures:
    """Put one fleet on one server and return the figures."""
    chargers = fleet.chargers
    crowd = {"port": port, "number": chargers, "versions": [fleet.version]}
    loader = await Loader.start()
    try:
        await settle(name, server)
        memory, cpu = server.memory, server.cpu
        strangers = await loader.do("connect", **crowd)
        await settle(name, server)
        arrival_cpu = server.cpu - cpu
        # The first values make entities, which is no part of the steady state.
        await loader.do("rush", seconds=seconds / 4)
        await settle(name, server)
        cpu = server.cpu
        rush = await loader.do("rush", seconds=seconds)
        rush_cpu = server.cpu - cpu
        await settle(name, server)
        cpu = server.cpu
        paced = await loader.do("pace", seconds=seconds, rate=1.0)
        paced_cpu = server.cpu - cpu
        await loader.do("stop")
        await settle(name, server)
        known = await loader.do("connect", **crowd)
        await settle(name, server)
        memory = server.memory - memory
        await loader.do("stop")
    finally:
        await loader.stop()
    return Figures(
        server=name,
        version=fleet.version,
        chargers=chargers,
        strangers_ready_ms=strangers["seconds"] * 1000,
        arrival_cpu_ms=arrival_cpu / chargers * 1000,
        frames_per_s=rush["frames"] / rush["seconds"],
        cpu_us_per_frame=rush_cpu / rush["frames"] * 1e6,
        rush_p99_ms=rush["p99"] * 1000,
        paced_p50_ms=paced["p50"] * 1000,
        paced_p99_ms=paced["p99"] * 1000,
        paced_worst_ms=paced["worst"] * 1000,
        paced_cpu_us=paced_cpu / paced["frames"] * 1e6,
        known_ready_ms=known["seconds"] * 1000,
        memory_kib=memory / chargers / 1024,
    )


async def prepare(config: Path, port: int, log: Path) -> None:
    """Write the configuration of a Home Assistant that accepts every charger."""
    made = await start(
        sys.executable,
        "-m",
        "scripts.lib.prepare_config",
        str(config),
        *("--port", str(free_port()), "--ocpp-port", str(port)),
        *("--user", "benchmark", "--password", "benchmark", "--policy", "accept"),
        log=log,
    )
    if await made.process.wait():
        raise RuntimeError(log.read_text(encoding="utf-8"))


async def on_home_assistant(
    folder: Path, port: int, fleet: Fleet, seconds: float
) -> Figures:
    """Measure the integration in a fresh Home Assistant."""
    name = f"home-{fleet.version}-{fleet.chargers}"
    config = folder / name
    await prepare(config, port, folder / "prepare.log")
    server = await start(
        sys.executable,
        "-m",
        "benchmarks.unpaced",
        "--config",
        str(config),
        "--skip-pip",
        log=folder / f"{name}.log",
    )
    try:
        await listening(port, server)
        return await measure("integration", server, port, fleet, seconds)
    finally:
        await server.stop()


async def on_yardstick(
    folder: Path, port: int, fleet: Fleet, seconds: float
) -> Figures:
    """Measure the bare websocket."""
    server = await start(
        sys.executable,
        "-m",
        "benchmarks.yardstick",
        str(port),
        log=folder / "yardstick.log",
    )
    try:
        await listening(port, server)
        return await measure("yardstick", server, port, fleet, seconds)
    finally:
        await server.stop()


def ratios(ours: Figures, bare: Figures) -> dict[str, float]:
    """Return ours over the yardstick, figure by figure (memory has no yardstick)."""
    names = (
        "strangers_ready_ms",
        "known_ready_ms",
        "frames_per_s",
        "cpu_us_per_frame",
        "paced_p99_ms",
    )
    return {name: getattr(ours, name) / getattr(bare, name) for name in names}


def table(rows: list[Figures]) -> str:
    """Return the figures as a Markdown table."""
    names = list(asdict(rows[0]))
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [
        " | ".join(
            f"{value:.1f}" if isinstance(value, float) else str(value)
            for value in asdict(row).values()
        )
        for row in rows
    ]
    return "\n".join(f"| {line} |" for line in lines)


async def main() -> None:
    """Measure every fleet on both servers, and print and write the result."""
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark",
        description=__doc__,
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=10, help="per measurement")
    parser.add_argument("--chargers", type=int, action="append", help="fleet size")
    parser.add_argument(
        "--version", choices=["1.6", "2.0.1", "2.1"], default="1.6", help="of OCPP"
    )
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "benchmark.json")
    args = parser.parse_args()
    rows: list[Figures] = []
    compared: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for chargers in args.chargers or FLEETS:
            print(f"measuring {chargers} chargers ...", file=sys.stderr, flush=True)
            fleet = Fleet(chargers=chargers, version=args.version)
            bare = await on_yardstick(folder, free_port(), fleet, args.seconds)
            ours = await on_home_assistant(folder, free_port(), fleet, args.seconds)
            rows += [bare, ours]
            compared[chargers] = ratios(ours, bare)
    print(table(rows))
    print("\nintegration / yardstick:")
    for chargers, one in compared.items():
        text = ", ".join(f"{key} x{value:.2f}" for key, value in one.items())
        print(f"- {chargers} chargers: {text}")
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(
        json.dumps({"figures": [asdict(row) for row in rows], "ratios": compared}),
        encoding="utf-8",
    )


if __name__ == "__main__":
    if not Path("/proc/self/stat").exists():
        sys.exit("benchmark: CPU time and memory are read from /proc, as on Linux")
    try:
        asyncio.run(main())
    except RuntimeError as err:
        sys.exit(f"benchmark: {err}")
