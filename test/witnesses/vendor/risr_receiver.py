"""A receiver as a Python integrator writes one, with the libraries that the vendor's documentation uses: aiohttp and
python-jose. It shares no code with this kit. One secret for each topic, from the environment, as the kit names them.
Started by `npm run prove -- vendor-check`; prints its port, then one line for each delivery it has verified.
"""

import json
import os
import sys

from aiohttp import web
from jose import jws
from jose.exceptions import JWSError

TOPICS = [
    "user_logged_in",
    "user_registered",
    "profile_updated",
    "booking_updated",
    "booking_state_changed",
]


async def receive(request):
    topic = request.match_info["topic"]
    if topic not in TOPICS:
        raise web.HTTPNotFound()
    secret = os.environ["RISR_" + topic.upper() + "_SECRET"]
    token = await request.text()
    try:
        payload = json.loads(jws.verify(token, secret, algorithms=["HS256"]))
    except JWSError:
        return web.json_response({"ok": False}, status=401)
    print("verified", topic, payload.get("webhook_request_id"), flush=True)
    return web.json_response({"ok": True})


async def announce(app):
    print("listening", app["port"], flush=True)


app = web.Application()
app["port"] = int(sys.argv[1])
app.add_routes([web.post("/risr/{topic}", receive)])
app.on_startup.append(announce)
web.run_app(app, host="127.0.0.1", port=app["port"], print=None)
