"""Authorization: who is in front of the station (OCPP 1.6 4.1)."""

from typing import Any

from ..authorization import TokenDesk
from ..rpc import Reply
from .mapping import id_tag_info


class Authorization(TokenDesk):
    """Answers about id tags."""

    def authorize(self, payload: dict[str, Any]) -> Reply:
        """Answer whether an id tag may charge."""
        return Reply({"idTagInfo": id_tag_info(self.asked(payload["idTag"]))})
