"""Processes under measurement: their CPU time, their memory, their end."""

import asyncio
from dataclasses import dataclass
import os
from pathlib import Path
import resource

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()
LINES = 20
"""How much of what a process wrote is shown when it fails."""
IDLE = 0.05
"""CPU seconds per second below which a process counts as idle."""


@dataclass(kw_only=True, slots=True)
class Measured:
    """A running child process."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def cpu(self) -> float:
        """Return the CPU time used so far, all threads, in seconds."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def memory(self) -> int:
        """Return the resident memory in bytes."""
        text = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii")
        return int(text.split()[1]) * PAGE

    async def stop(self) -> None:
        """End the process."""
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()


async def start(*command: str, log: Path) -> Measured:
    """Start a process whose output goes to a file."""
    with log.open("wb") as output:
        return Measured(
            process=await asyncio.create_subprocess_exec(
                *command, stdout=output, stderr=output
            ),
            log=log,
        )


async def settled(measured: Measured, seconds: int = 120) -> bool:
    """Wait until the process has next to nothing to do; return whether it came to it.

    Idle is less than a twentieth of a core in each of three seconds.
    """
    quiet = 0
    for _ in range(seconds):
        before = measured.cpu
        await asyncio.sleep(1)
        quiet = quiet + 1 if measured.cpu - before < IDLE else 0
        if quiet == 3:
            return True
    return False


async def listening(port: int, measured: Measured, seconds: int = 180) -> None:
    """Wait until somebody listens on a loopback port; raises RuntimeError if not."""
    for _ in range(seconds * 5):
        if measured.process.returncode is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.2)
            continue
        writer.close()
        await writer.wait_closed()
        return
    said = measured.log.read_text(encoding="utf-8", errors="replace").splitlines()
    raise RuntimeError(
        "\n".join([*said[-LINES:], f"nothing listens on port {port}, see above"])
    )
