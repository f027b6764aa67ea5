"""The yardstick: a bare aiohttp websocket that answers every OCPP call, and no more."""

import asyncio
import json
import sys

from aiohttp import WSMsgType, web

PROTOCOLS = ("ocpp2.1", "ocpp2.0.1", "ocpp1.6")
ANSWERS = {
    "BootNotification": {
        "status": "Accepted",
        "currentTime": "2026-11-21T10:00:00Z",
        "interval": 300,
    }
}


async def serve(request: web.Request) -> web.StreamResponse:
    """Answer calls until the socket closes."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS, compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            frame = json.loads(message.data)
            answer = ANSWERS.get(frame[2], {})
            await socket.send_str(json.dumps([3, frame[1], answer]))
    return socket


async def main(port: int) -> None:
    """Serve until told to stop."""
    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
