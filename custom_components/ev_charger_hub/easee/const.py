"""Where the Easee cloud is: every address of it is here, and nowhere else (S49, S50)."""

from typing import Final

API_URL: Final = "https://api.easee.com"
"""Where commands and questions go."""

STREAM_URL: Final = "https://streams.easee.com/hubs/chargers"
"""Where chargers and equalizers are heard (SignalR)."""
