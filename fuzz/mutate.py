"""Mutation: what real stations sent, made wrong in every way that comes to mind."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
import json
from pathlib import Path
import random
from typing import Any
from uuid import UUID

from .grammar import FOLDERS, WORDS, frame as grammatical

ROOT = Path(__file__).parents[1]
CORPUS = Path(__file__).parent / "corpus"
TRACES = ROOT / "tests" / "traces"

GRAMMATICAL = 400
"""How many messages of 2.x are made up, beside those that stations sent."""

INVENTED = frozenset(WORDS)
"""Words of the grammar that stand for names, which a station may make up."""

DATES = (
    "222222017-10-05T04:31:22Z",
    "2026-11-21T24:00:00Z",
    "2026-02-30T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2026-11-21T10:00:00",
    "2026-11-21 10:00:00+14:00",
    "2026-11-21T10:00:00.1234567890123456789Z",
    "-2026-11-21T10:00:00Z",
    "2026-W47-6",
    "20261121T100000Z",
    "2026-11-21T10:00:00+99:99",
    "now",
    "",
)
TEXTS = (
    "",
    " ",
    "\x00",
    "\u202e\u2066x",
    "\U0001f50c" * 50,
    "e\u0301" * 200,
    "\ufeff",
    "\ud7ff",
    "A" * 20_000,
    "../../../../etc/passwd",
    "<script>alert(1)</script>",
    "`[x](//evil.example)`",
    "{{ states }}",
    "%s%n%x",
    "'; DROP TABLE sessions; --",
    "null",
    "NaN",
    "1e999",
    "\u0661\u0662\u0663",
)
NUMBERS = (0, -1, 1, 2**31 - 1, 2**31, 2**63, 2**64, 10**40, 0.1, -0.0, 1e308, 64, 65)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": {}}, [None] * 500)


@dataclass(kw_only=True, slots=True, frozen=True)
class Corpus:
    """What is sent: frames of OCPP, bytes that are none, and requests of HTTP."""

    version: str
    frames: tuple[list[Any], ...]
    texts: tuple[bytes, ...]
    requests: tuple[bytes, ...]


def load(version: str) -> Corpus:
    """Return what the repository keeps, and what stations of a version sent."""
    frames: list[list[Any]] = []
    texts = [
        bytes.fromhex(row["hex"]) if "hex" in row else row["text"].encode()
        for row in _rows(CORPUS / "frames.jsonl")
    ]
    for path in sorted(TRACES.glob(f"*{version}.jsonl")):
        frames += [
            row["frame"]
            for row in _rows(path)
            if row.get("from") == "station" and row["frame"][0] == 2
        ]
    for text in texts:
        try:
            parsed = json.loads(text)
        except ValueError, RecursionError:
            continue
        if isinstance(parsed, list) and len(parsed) == 4 and parsed[0] == 2:
            frames.append(parsed)
    if version in FOLDERS:
        chance = random.Random(version)
        frames += [grammatical(version, chance, "0") for _ in range(GRAMMATICAL)]
    requests = tuple(
        bytes.fromhex(row["hex"]) if "hex" in row else row["text"].encode("latin-1")
        for row in _rows(CORPUS / "requests.jsonl")
    )
    return Corpus(
        version=version,
        frames=tuple(frames),
        texts=tuple(texts),
        requests=requests,
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


class Mutator:
    """Makes frames, the same ones for the same seed."""

    def __init__(self, corpus: Corpus, random_: random.Random) -> None:
        """Draw from a corpus."""
        self._corpus = corpus
        self._random = random_
        self._actions = sorted({str(one[2]) for one in corpus.frames})
        self.version = corpus.version

    def unique(self) -> str:
        """Return a message id that nobody had before."""
        return str(UUID(int=self._random.getrandbits(128)))

    def frame(self) -> bytes:
        """Return the next frame."""
        chance = self._random.random()
        if chance < 0.1:
            return self._random.choice(self._corpus.texts)
        frame = json.loads(json.dumps(self._random.choice(self._corpus.frames)))
        if self.version in FOLDERS and chance < 0.4:
            frame = grammatical(self.version, self._random, "0")
        frame[1] = self.unique()
        for _ in range(self._random.choice((0, 1, 1, 1, 2, 5))):
            frame = self._changed(frame)
        text = json.dumps(frame, ensure_ascii=self._random.random() < 0.5)
        data = text.encode("utf-8", "surrogatepass")
        return self._torn(data) if chance > 0.85 else data

    def invented(self) -> bytes:
        """Return a frame without a fault, of names and numbers that nobody had before."""
        if self.version in FOLDERS:
            frame = grammatical(self.version, self._random, "0")
        else:
            frame = json.loads(json.dumps(self._random.choice(self._corpus.frames)))
        frame[1] = self.unique()
        for holder, key in list(_places(frame)):
            match holder[key]:
                case bool():
                    continue
                case str(word) if word in INVENTED or self._random.random() < 0.1:
                    holder[key] = f"{word[:8]}{self._random.getrandbits(40):x}"
                case int() if self._random.random() < 0.3:
                    holder[key] = self._random.randrange(100_000)
        return json.dumps(frame).encode("utf-8", "surrogatepass")

    def _changed(self, frame: list[Any]) -> Any:
        """Return a frame with one thing wrong."""
        match self._random.randrange(12):
            case 0:
                frame[2] = self._random.choice(self._actions)
            case 1:
                position = self._random.randrange(len(frame))
                frame[position] = self._odd()
            case 2:
                frame.insert(self._random.randrange(len(frame) + 1), self._odd())
            case 3 if len(frame) > 1:
                frame.pop(self._random.randrange(len(frame)))
            case _:
                self._change_within(frame)
        return frame if len(frame) > 2 else [2, self.unique(), "Heartbeat", {}]

    def _change_within(self, frame: Any) -> None:
        """Change one value somewhere below."""
        places = list(_places(frame))
        if not places:
            return
        holder, key = self._random.choice(places)
        match self._random.randrange(6):
            case 0 if isinstance(holder, dict):
                del holder[key]
            case 1 if isinstance(holder, list):
                holder += holder[:50]
            case 2 if isinstance(holder, dict):
                holder[str(self._random.choice(TEXTS))[:200]] = self._odd()
            case 3:
                holder[key] = self._nested()
            case _:
                holder[key] = self._odd()

    def _odd(self) -> Any:
        kinds: tuple[tuple[Any, ...], ...] = (DATES, TEXTS, NUMBERS, OTHERS)
        # A frame that is changed further must not change what the next ones get.
        return deepcopy(self._random.choice(self._random.choice(kinds)))

    def _nested(self) -> Any:
        value: Any = self._odd()
        for _ in range(self._random.choice((2, 10, 40, 300))):
            value = [value] if self._random.random() < 0.5 else {"a": value}
        return value

    def _torn(self, data: bytes) -> bytes:
        """Return bytes of which some are wrong, missing or there twice."""
        torn = bytearray(data)
        for _ in range(self._random.choice((1, 1, 3, 10))):
            at = self._random.randrange(len(torn) or 1)
            match self._random.randrange(4):
                case 0:
                    torn[at : at + 1] = self._random.randbytes(1)
                case 1:
                    del torn[at:]
                case 2:
                    torn[at:at] = torn[:200]
                case _:
                    del torn[at : at + 5]
        return bytes(torn)


def _places(node: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Yield every holder and key below the first three elements of a frame."""
    if depth > 12:
        return
    keys: Any = ()
    if isinstance(node, dict):
        keys = list(node)
    elif isinstance(node, list):
        keys = range(3 if depth == 0 else 0, len(node))
    for key in keys:
        yield node, key
        yield from _places(node[key], depth + 1)
