"""Answers of the cloud that are no success, in all the shapes seen in the field."""

import json
from typing import Any, override

from aiohttp import web

BLOCKED = (
    "Too many requests, please check your error handling and backoff logic. "
    "Your IP is registered in our systems and is now blocked. "
    "Contact support if you believe this is a mistake."
)
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"


def answer(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an answer in JSON without blanks, as ASP.NET writes it."""
    text = json.dumps(body, separators=(",", ":"))
    return web.json_response(text=text, status=status, headers=headers)


class Refused(Exception):
    """A request that the cloud does not carry out."""

    def __init__(
        self,
        status: int,
        body: dict[str, Any] | list[Any] | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer it with a status and a body: JSON, text, or none at all."""
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}

    def response(self) -> web.Response:
        """Return the answer."""
        match self.body:
            case None:
                return web.Response(status=self.status, headers=self.headers)
            case str() as text:
                kind = "text/html" if text.startswith("<") else "text/plain"
                return web.Response(
                    status=self.status,
                    text=text,
                    content_type=kind,
                    headers=self.headers,
                )
        return answer(self.body, self.status, self.headers)


class NotFound(Refused):
    """Nothing is there; normal for a schedule or an OCPP configuration."""

    @override
    def __init__(self) -> None:
        super().__init__(
            404,
            {
                "type": "https://tools.ietf.org/html/rfc7231#section-6.5.4",
                "title": "Not Found",
                "status": 404,
                "traceId": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
            },
        )


class Invalid(Refused):
    """A body that ASP.NET did not even hand on."""

    @override
    def __init__(self, **errors: str) -> None:
        super().__init__(
            400,
            {
                "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
                "title": "One or more validation errors occurred.",
                "status": 400,
                "traceId": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
                "errors": {field: [text] for field, text in errors.items()},
            },
        )


def refusal(code: int, name: str, title: str, status: int = 400) -> Refused:
    """Return a refusal with one of the cloud's own error codes."""
    return Refused(
        status,
        {
            "errorCode": code,
            "errorCodeName": name,
            "type": None,
            "title": title,
            "status": status,
            "detail": "[Empty in production]",
            "instance": None,
            "extensions": {},
        },
    )


def forbidden() -> Refused:
    """Return the refusal for a user without the access level."""
    return Refused(403, {"message": "Forbidden"})
