"""Chunks: a list in as many messages as a station takes it in."""

from collections.abc import Iterator, Sequence
import json
from typing import Any

OVERHEAD = 100
"""Characters of a message beside the list."""


def chunks[T: Any](
    items: Sequence[T], most: int, room: int | None
) -> Iterator[list[T]]:
    """Yield the items, up to `most` together and in up to `room` characters of JSON."""
    chunk: list[T] = []
    used = OVERHEAD
    for item in items:
        size = len(json.dumps(item)) + 1
        if chunk and (len(chunk) >= most or (room and used + size > room)):
            yield chunk
            chunk, used = [], OVERHEAD
        chunk.append(item)
        used += size
    if chunk:
        yield chunk
