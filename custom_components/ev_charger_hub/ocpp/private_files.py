"""Private files: written whole or not at all, and read by nobody else."""

import os
from pathlib import Path

_TEMPORARY = ".new"


def write_private(path: Path, content: bytes) -> None:
    """Replace a file that only its owner may read, durably; blocking."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(path.name + _TEMPORARY)
    # What a killed write left behind may have other rights.
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
