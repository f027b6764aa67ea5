"""Home Assistant that reads every charger as fast as it sends, which a rush measures.

Chargers are read at 50 frames a second at most (docs/security.md): a fleet in a rush
would measure that, and not what a frame costs.
"""

from dataclasses import replace
import runpy

from custom_components.ev_charger_hub.ocpp import session, transport

ENDLESS = 1e9

if __name__ == "__main__":
    endless = replace(
        transport.CHARGER,
        frames=ENDLESS,
        frames_at_once=ENDLESS,
        octets=ENDLESS,
        octets_at_once=ENDLESS,
    )
    setattr(session, "CHARGER", endless)  # noqa: B010
    runpy.run_module("homeassistant", run_name="__main__")
