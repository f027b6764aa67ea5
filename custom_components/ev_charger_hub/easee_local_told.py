"""Local told: what somebody says of a charger that cannot go on, as a sentence."""

from collections.abc import Mapping
from typing import Final, Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN
from .easee.local_progress import Trouble
from .issues import plain

_OF_TROUBLE: Final[Mapping[str, str]] = {
    Trouble.FOREIGN: "address",
    Trouble.LOST: "operator",
    Trouble.OTHER_OPERATOR: "operator",
}


class Texts:
    """The sentences that are put together, in the language of Home Assistant."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Take the texts from translations by their full keys."""
        self._texts = texts

    @classmethod
    @callback
    def async_cached(cls, hass: HomeAssistant) -> Self:
        """Return the sentences, which are loaded with the integration."""
        language = hass.config.language
        return cls(async_get_cached_translations(hass, language, "common", DOMAIN))

    def told(self, trouble: str, detail: str) -> str:
        """Return what is known of a trouble beside its name, nothing for nothing."""
        if not detail:
            return (
                self._text("local_told_nowhere") if trouble == Trouble.FOREIGN else ""
            )
        who = _OF_TROUBLE.get(trouble, "easee")
        return self._text(f"local_told_{who}", detail=quoted(detail))

    def _text(self, key: str, **placeholders: str) -> str:
        text = self._texts.get(f"component.{DOMAIN}.common.{key}", key)
        return text.format(**placeholders)


def quoted(detail: str) -> str:
    """Return what somebody else says, so that it is no Markdown; nothing for nothing."""
    return f"`{plain(detail)}`" if detail else ""
