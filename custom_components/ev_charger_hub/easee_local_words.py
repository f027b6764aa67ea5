"""Local words: what is known of a charger's local OCPP, as sentences that users read."""

from collections.abc import Iterable
from typing import Final, Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import CONF_UNKNOWN_TOKENS, DOMAIN
from .easee.local_problems import Problem
from .easee.local_progress import Progress
from .easee_errors import local_time
from .easee_local import LocalStatus, status_of
from .easee_local_charger import LocalCharger
from .easee_local_findings import Consequences, Findings
from .easee_local_told import Texts, quoted
from .models import EvChargerHubConfigEntry
from .station.tokens import UnknownTokens

_ICON: Final = '<ha-icon icon="mdi:{}"></ha-icon>'
WELL: Final = _ICON.format("check-circle")
WARNING: Final = _ICON.format("alert")
STOP: Final = _ICON.format("close-octagon")


class Words(Texts):
    """The sentences of the guide."""

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> Self:
        """Return the sentences in the language of Home Assistant."""
        texts: dict[str, str] = {}
        for category in ("common", "selector"):
            texts |= await async_get_translations(
                hass, hass.config.language, category, {DOMAIN}
            )
        return cls(texts)

    def problem(self, problem: Problem) -> str:
        """Return what is wrong, and what to do about it."""
        return self._text(f"local_check_{problem.check}", detail=quoted(problem.detail))

    def warnings(self, problems: Iterable[Problem]) -> str:
        """Return problems as the lines of a list."""
        return "\n".join(self._line(problem) for problem in problems)

    def checks(self, findings: Findings) -> str:
        """Return everything that was looked at as the lines of a list."""
        lines = [
            self._line(problem)
            if problem is not None
            else f"- {WELL} {self._text(f'local_subject_{subject}')}"
            for subject, problem in findings.checks.items()
        ]
        return "\n".join(lines)

    def session(self, consequences: Consequences) -> str:
        """Return what to say of a session that goes on, nothing if there is none."""
        return self._text("local_session_open") if consequences.session_open else ""

    def tokens(self, server: EvChargerHubConfigEntry) -> str:
        """Return what happens at a server with tokens that nobody has added."""
        chosen = server.options.get(CONF_UNKNOWN_TOKENS, UnknownTokens.ACCEPT)
        path = f"component.{DOMAIN}.selector.{CONF_UNKNOWN_TOKENS}.options.{chosen}"
        return self._texts.get(path, chosen)

    def state(self, charger: LocalCharger, progress: Progress) -> str:
        """Return how far a charger is, and what is wrong if something is."""
        status = status_of(progress)
        key = f"local_state_{status}"
        if status is LocalStatus.TROUBLE:
            key = f"local_trouble_{progress.trouble}"
        elif charger.stranded.value:
            key = "local_stranded"
        again = charger.next_attempt
        return self._text(
            key,
            again=self._text("local_never") if again is None else local_time(again),
            charger=charger.name,
            connection=self._text(
                "local_here" if charger.arrivals.here.value else "local_away"
            ),
            detail=self.told(progress.trouble or "", progress.detail),
            url=progress.details.url,
        ).strip()

    def _line(self, problem: Problem) -> str:
        sign = WARNING if problem.overridable else STOP
        return f"- {sign} {self.problem(problem)}"
