"""Constants of EV Charger Hub."""

from typing import Final

DOMAIN: Final = "ev_charger_hub"
