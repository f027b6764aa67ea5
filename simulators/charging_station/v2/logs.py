"""Diagnostics: logs that are uploaded, and what is known of a customer (block N)."""

import json
from typing import TYPE_CHECKING

from ..clock import stamp
from ..transfer import Parcel, TransferFailed, Way, upload
from .values import IdToken, Json, LogStatus

if TYPE_CHECKING:
    from .station import ChargingStation


class Logs:
    """The part of a station that tells its story."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station that uploads nothing."""
        self._station = station
        self.way = Way.PUT
        self.append = True
        """Whether the file's name is added to the location."""
        self.busy = False
        self._status = LogStatus.IDLE
        self._request = 0
        self.handlers = {
            "CustomerInformation": self._customer_information,
            "GetLog": self._get_log,
        }

    def notify(self, status: LogStatus, request_id: int) -> None:
        """Tell how far an upload is."""
        self._status, self._request = status, request_id
        self._send(asked=False)

    def _send(self, *, asked: bool) -> None:
        payload = {"requestId": self._request, "status": self._status}
        self._station.queue.post("LogStatusNotification", payload, asked=asked)

    async def trigger(self) -> None:
        """Tell how far an upload is, because it was asked for."""
        self._send(asked=True)

    async def _get_log(self, payload: Json) -> Json:
        """OCPP 2.0.1 N01; a new request takes the place of the one that runs."""
        request_id = payload["requestId"]
        security = payload["logType"] == "SecurityLog"
        name = f"{'security' if security else 'diagnostics'}-{request_id}.log"
        status = "AcceptedCanceled" if self.busy else "Accepted"
        self._request = request_id
        location = payload["log"]["remoteLocation"]
        content = self._content(security=security)

        async def begin() -> None:
            self._station.later(self._upload(request_id, location, name, content))

        self._station.afterwards(begin)
        return {"filename": name, "status": status}

    async def _upload(
        self, request_id: int, location: str, name: str, content: str
    ) -> None:
        """Upload a file, and tell how it goes."""
        station = self._station
        self.busy = True
        await station.on_log_status_notification(LogStatus.UPLOADING, request_id)
        try:
            await upload(
                location,
                Parcel(name=name, content=content.encode()),
                way=self.way,
                append=self.append,
                roots=station.security.roots["CSMSRootCertificate"],
            )
            outcome = LogStatus.UPLOADED
        except TransferFailed as err:
            outcome = LogStatus(str(err))
        if self._request != request_id:
            await station.on_log_status_notification(
                LogStatus.ACCEPTED_CANCELED, request_id
            )
            return
        self.busy = False
        await station.on_log_status_notification(outcome, request_id)
        self._status, self._request = LogStatus.IDLE, 0

    def _content(self, *, security: bool) -> str:
        """Return what there is to tell, one JSON value a line."""
        station = self._station
        lines: list[Json] = [{"identity": station.identity}, *station.security.events]
        if not security:
            lines += [{"received": action} for action, _ in station.received]
        return "".join(f"{json.dumps(line)}\n" for line in lines)

    # Customers

    async def _customer_information(self, payload: Json) -> Json:
        """OCPP 2.0.1 N09, N10: what the station knows of a token, told and forgotten."""
        station, token = self._station, payload.get("idToken")
        named = [token, payload.get("customerIdentifier")]
        named.append(payload.get("customerCertificate"))
        if sum(one is not None for one in named) != 1:
            return {"status": "Invalid"}
        text = self._known(token) if token is not None else ""
        if payload["clear"] and token is not None:
            station.authorization.forget(IdToken.read(token))
        if payload["report"] or payload["clear"]:
            told = text if payload["report"] else ""
            request_id = payload["requestId"]

            async def send() -> None:
                station.queue.post(
                    "NotifyCustomerInformation",
                    {
                        "data": told[:512],
                        "generatedAt": stamp(station.clock()),
                        "requestId": request_id,
                        "seqNo": 0,
                        "tbc": False,
                    },
                    asked=True,
                )

            station.afterwards(send)
        return {"status": "Accepted"}

    def _known(self, token: Json) -> str:
        known = self._station.authorization.known(IdToken.read(token))
        return "" if known is None else json.dumps({"idToken": token, "info": known})
