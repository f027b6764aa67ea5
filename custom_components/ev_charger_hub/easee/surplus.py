"""Surplus: how an equalizer has cars use what the roof gives and the house does not take.

The app has three modes and the cloud two: charging with so much added import, of which
none at all is what the app calls surplus only.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

import orjson

from .json_values import Json, number

WITH_IMPORT: Final = "chargingWithImport"
OFF: Final = "none"
USUAL_IMPORT: Final = 6.0
"""The added import in A that the app proposes."""

_OFF_WORDS: Final = frozenset({OFF, "0", "false"})
_ON_WORDS: Final = frozenset({WITH_IMPORT.lower(), "1", "true"})


class SurplusMode(StrEnum):
    """What cars may take beside the surplus."""

    NONE = "none"
    """Everything: surplus is nothing special."""
    WITH_IMPORT = "with_import"
    ONLY = "only"


@dataclass(kw_only=True, slots=True, frozen=True)
class Surplus:
    """How surplus is used; `mode` is None if it has a name that is not known here.

    `import_current` is what may be added from the grid in A.
    """

    mode: SurplusMode | None
    raw: str
    """What the cloud calls the mode."""
    import_current: float = 0.0

    @classmethod
    def named(cls, raw: object, import_current: float) -> Self:
        """Return the use of surplus by what the cloud calls it; firmware says 0 or 1."""
        word = str(int(raw)) if isinstance(raw, bool | float) else str(raw)
        return cls(
            mode=_mode(word.lower(), import_current),
            raw=word,
            import_current=import_current,
        )

    def config(self) -> dict[str, Any]:
        """Return it as a request to the cloud; only for modes that are known here."""
        if self.mode is SurplusMode.NONE:
            return {"mode": OFF}
        amps = self.import_current
        most = int(amps) if amps.is_integer() else amps
        added = {"eligible": True, "maximumImportAddedCurrent": most}
        return {"mode": WITH_IMPORT, WITH_IMPORT: added}


def wanted(mode: SurplusMode, import_current: float = USUAL_IMPORT) -> Surplus:
    """Return the use of surplus that somebody asks for."""
    match mode:
        case SurplusMode.NONE:
            return Surplus(mode=mode, raw=OFF)
        case SurplusMode.ONLY:
            return Surplus(mode=mode, raw=WITH_IMPORT)
        case SurplusMode.WITH_IMPORT:
            return Surplus.named(WITH_IMPORT, import_current)


def surplus_of_config(body: Json) -> Surplus:
    """Return the use of surplus as REST tells it."""
    added = body.get(WITH_IMPORT)
    current = (
        added.get("maximumImportAddedCurrent") if isinstance(added, dict) else None
    )
    return Surplus.named(body.get("mode", OFF), number(current) or 0.0)


def surplus_of_reading(text: str) -> Surplus | None:
    """Return the use of surplus as an equalizer reports it (115), None if unreadable."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict) or body.get("mode") is None:
        return None
    current = body.get("standbycurrent", body.get("standbyCurrent"))
    return Surplus.named(body["mode"], number(current) or 0.0)


def _mode(word: str, import_current: float) -> SurplusMode | None:
    if word in _OFF_WORDS:
        return SurplusMode.NONE
    if word not in _ON_WORDS:
        return None
    return SurplusMode.WITH_IMPORT if import_current > 0 else SurplusMode.ONLY
