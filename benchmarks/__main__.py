"""Measure: `python -m benchmarks --help`."""

import argparse
import asyncio
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import socket
import sys
import tempfile
from typing import Any

from .process import Measured, listening, start

ROOT = Path(__file__).parents[1]
FLEETS = (1, 50, 300)


@dataclass(kw_only=True, slots=True)
class Figures:
    """What one server did with one fleet; times in ms, memory in KiB per charger."""

    server: str
    chargers: int
    ready_ms: float
    frames_per_s: float
    cpu_us_per_frame: float
    rush_p99_ms: float
    paced_p50_ms: float
    paced_p99_ms: float
    memory_kib: float


class Loader:
    """The load process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Talk to a started process."""
        self._process = process

    @classmethod
    async def start(cls) -> Loader:
        """Start the process."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "benchmarks.load",
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
        self._process.terminate()
        await self._process.wait()


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def measure(
    name: str, server: Measured, port: int, chargers: int, seconds: float
) -> Figures:
    """Put one fleet on one server and return the figures."""
    loader = await Loader.start()
    try:
        before = server.memory
        connected = await loader.do("connect", port=port, number=chargers)
        await loader.do("rush", seconds=seconds / 4)
        await asyncio.sleep(2)
        cpu = server.cpu
        rush = await loader.do("rush", seconds=seconds)
        cpu = server.cpu - cpu
        await asyncio.sleep(2)
        paced = await loader.do("pace", seconds=seconds, rate=1.0)
        memory = server.memory - before
        await loader.do("stop")
    finally:
        await loader.stop()
    return Figures(
        server=name,
        chargers=chargers,
        ready_ms=connected["seconds"] * 1000,
        frames_per_s=rush["frames"] / rush["seconds"],
        cpu_us_per_frame=cpu / rush["frames"] * 1e6,
        rush_p99_ms=rush["p99"] * 1000,
        paced_p50_ms=paced["p50"] * 1000,
        paced_p99_ms=paced["p99"] * 1000,
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
    folder: Path, port: int, chargers: int, seconds: float
) -> Figures:
    """Measure the integration in a fresh Home Assistant."""
    config = folder / f"home-{chargers}"
    await prepare(config, port, folder / "prepare.log")
    server = await start(
        sys.executable,
        "-m",
        "homeassistant",
        "--config",
        str(config),
        "--skip-pip",
        log=folder / f"home-{chargers}.log",
    )
    try:
        await listening(port, server)
        await asyncio.sleep(5)  # start-up work of others is not ours to measure
        return await measure("integration", server, port, chargers, seconds)
    finally:
        await server.stop()


async def on_yardstick(
    folder: Path, port: int, chargers: int, seconds: float
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
        return await measure("yardstick", server, port, chargers, seconds)
    finally:
        await server.stop()


def ratios(ours: Figures, bare: Figures) -> dict[str, float]:
    """Return ours over the yardstick, figure by figure (memory has no yardstick)."""
    names = ("ready_ms", "frames_per_s", "cpu_us_per_frame", "paced_p99_ms")
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
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="per measurement")
    parser.add_argument("--chargers", type=int, action="append", help="fleet size")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "benchmark.json")
    args = parser.parse_args()
    rows: list[Figures] = []
    compared: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for chargers in args.chargers or FLEETS:
            print(f"measuring {chargers} chargers ...", file=sys.stderr, flush=True)
            bare = await on_yardstick(folder, free_port(), chargers, args.seconds)
            ours = await on_home_assistant(folder, free_port(), chargers, args.seconds)
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
    asyncio.run(main())
