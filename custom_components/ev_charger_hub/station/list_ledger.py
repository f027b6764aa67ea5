"""What a local authorization list holds because of us, and what to send to change it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import batched
import json
from typing import Any

from .authorization import Verdict, key_of
from .commands import ListEntry, LocalListSupport
from .enums import AuthorizationStatus

MAX_VERSION = 2**31 - 1
PER_MESSAGE = 100
"""Entries of one message to a station that does not say how many it takes."""

type Entries = Mapping[str, Verdict]


@dataclass(kw_only=True, slots=True, frozen=True)
class ListLedger:
    """What a station holds: `entries` at `version`; None is that nobody knows.

    `last` is the highest version that was ever sent: none stands for two contents, so
    that a version which a station reports tells what it holds. `unsupported_by` is
    the firmware that said that it has no list.
    """

    version: int = 0
    entries: Entries | None = None
    last: int = 0
    unsupported_by: str | None = None

    def holds(self, version: int) -> Entries | None:
        """Return what a station holds that reports `version`, None if unknown."""
        if version == 0:
            return {}
        return self.entries if version == self.version else None

    def reserve(self, reported: int, count: int) -> tuple[ListLedger, range]:
        """Return `count` versions above any other, and the ledger that knows of them."""
        base = max(reported, self.last)
        if base + count > MAX_VERSION:
            # A full list may have any version; only a differential one has to rise.
            base = 0
        last = base + count
        return replace(self, last=last), range(base + 1, last + 1)

    def dump(self) -> dict[str, Any]:
        """Return the ledger as JSON, for the journal."""
        return {
            "version": self.version,
            "hash": fingerprint(self.entries or {}),
            "entries": None if self.entries is None else _plain(self.entries),
            "last": self.last,
            "unsupported_by": self.unsupported_by,
        }

    @classmethod
    def parse(cls, kept: Mapping[str, Any]) -> ListLedger:
        """Return the ledger that `dump` wrote; raises ValueError if it is damaged."""
        entries = None
        if kept["entries"] is not None:
            entries = {token: _verdict(one) for token, one in kept["entries"].items()}
        if fingerprint(entries or {}) != kept["hash"]:
            raise ValueError("the entries are not those that were written")
        return cls(
            version=int(kept["version"]),
            entries=entries,
            last=int(kept["last"]),
            unsupported_by=kept["unsupported_by"],
        )


def fingerprint(entries: Entries) -> str:
    """Return the hash of a list: the same for the same entries in any order."""
    text = json.dumps(_plain(entries), sort_keys=True)
    return sha256(text.encode()).hexdigest()[:16]


def fitted(entries: Entries, support: LocalListSupport) -> dict[str, Verdict]:
    """Return what a station has room for: of each token one, the accepted ones first."""
    by_token: dict[str, tuple[str, Verdict]] = {}
    for token, verdict in entries.items():
        if 0 < len(token) <= (support.max_token or len(token)):
            # Tokens are compared without case (OCPP 1.6 CiString).
            by_token.setdefault(key_of(token), (token, _listed(verdict)))
    found = sorted(
        by_token.values(),
        key=lambda one: one[1].status is not AuthorizationStatus.ACCEPTED,
    )
    return dict(found[: _told(support.max_entries)])


def difference(before: Entries, after: Entries) -> list[ListEntry] | None:
    """Return what turns one list into another, removals first; None if nothing can.

    A token that is only spelt differently may be the same to a station, or another.
    """
    spelt = {key_of(token): token for token in before}
    if any(spelt.get(key_of(token), token) != token for token in after):
        return None
    gone = [ListEntry(id_token=one, verdict=None) for one in before if one not in after]
    return gone + [
        ListEntry(id_token=token, verdict=verdict)
        for token, verdict in after.items()
        if before.get(token) != verdict
    ]


def whole(entries: Entries) -> list[ListEntry]:
    """Return every entry of a list."""
    return [
        ListEntry(id_token=token, verdict=verdict) for token, verdict in entries.items()
    ]


def chunks(
    changes: list[ListEntry], support: LocalListSupport
) -> list[tuple[ListEntry, ...]]:
    """Return messages no longer than a station takes them; at least one."""
    size = _told(support.max_per_message) or PER_MESSAGE
    return list(batched(changes, size, strict=False)) or [()]


def applied(before: Entries, changes: Iterable[ListEntry]) -> dict[str, Verdict]:
    """Return what a list becomes by changes."""
    after = dict(before)
    for change in changes:
        if change.verdict is None:
            after.pop(change.id_token, None)
        else:
            after[change.id_token] = change.verdict
    return after


def _listed(verdict: Verdict) -> Verdict:
    # That a token charges elsewhere is news for a moment, and nothing for a list.
    if verdict.status is AuthorizationStatus.CONCURRENT_TX:
        return replace(verdict, status=AuthorizationStatus.ACCEPTED)
    return verdict


def _told(number: int | None) -> int | None:
    """Return a limit; stations that mean none tell 0."""
    return number if number is not None and number > 0 else None


def _plain(entries: Entries) -> dict[str, Any]:
    return {
        token: [
            verdict.status,
            verdict.expires and verdict.expires.isoformat(),
            verdict.group,
        ]
        for token, verdict in entries.items()
    }


def _verdict(kept: list[Any]) -> Verdict:
    status, expires, group = kept
    return Verdict(
        status=AuthorizationStatus(status),
        expires=expires and datetime.fromisoformat(expires),
        group=group,
    )
