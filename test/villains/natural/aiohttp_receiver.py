"""A correct receiver on aiohttp, as a good engineer writes it who has never heard of the suite. Reads its secrets from
standard input as JSON: {"/path": {"text": "..."}}; prints its port, and the one of GET /effects.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import re
import sys
import time
from urllib.parse import parse_qs

from aiohttp import web

MOST_BYTES = 1_100_000
MOST_LINE = 32_768
TOLERANCE_S = 300
EFFECTS, QUARANTINED, SEEN, NEWEST = [], [], set(), {}


class Unproven(Exception):
    pass


def receiver(path, secret):
    is_callback = path.startswith("/hotdocs/") and path != "/hotdocs/ActionLink"
    methods = ["POST", "GET", "PUT"] if is_callback else ["POST"]

    async def handle(request):
        if request.method not in methods:
            return refused(405, Allow=", ".join(methods))
        body = await request.read()
        try:
            content = proven(request, path, body, secret)
        except Unproven:
            return refused(401, **{"WWW-Authenticate": "Signature"})
        keep(path, content)
        if path == "/hotdocs/ActionLink":
            return web.Response(text="<!doctype html><title>Done</title>", content_type="text/html")
        return web.json_response({} if is_callback else {"ok": True})

    return handle


def refused(status, **headers):
    return web.json_response({"ok": False}, status=status, headers=headers)


def proven(request, path, body, secret):
    if path == "/phenixid":
        given = request.headers.get("X-Signature", "")
        try:
            signature = bytes.fromhex(given) if len(given) == 64 else base64.b64decode(given, validate=True)
        except ValueError:
            raise Unproven from None
        if not hmac.compare_digest(signature, digest(secret, body)):
            raise Unproven
        return body
    if path.startswith("/risr/"):
        return verified(body.strip(), secret)
    carried = request.query_string if request.method == "GET" else body.decode("latin-1")
    token = parse_qs(carried).get("token", [""])[0]
    content = verified(token.encode(), secret)
    if not in_time(members_of(content) or {}):
        raise Unproven
    return content


def digest(secret, content):
    return hmac.new(secret, content, hashlib.sha256).digest()


def verified(token, secret):
    try:
        header, content, signature = token.split(b".")
        members = members_of(decoded(header)) or {}
        if members.get("alg") != "HS256" or "crit" in members:
            raise Unproven
        if not hmac.compare_digest(decoded(signature), digest(secret, header + b"." + content)):
            raise Unproven
        return decoded(content)
    except ValueError:
        raise Unproven from None


def decoded(part):
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def in_time(claims):
    now = time.time()
    try:
        return claims.get("exp", now) + TOLERANCE_S > now and claims.get("nbf", now) - TOLERANCE_S < now
    except TypeError:
        return False


def members_of(content):
    try:
        members = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def keep(path, content):
    """Every event once, no state of a document after a newer one, and what cannot be read put aside."""
    members = members_of(content)

    def text(*names):
        values = ((members or {}).get(name) for name in names)
        return next((value for value in values if isinstance(value, str) and value), "")

    _, source, *served = path.split("/")
    kind = text("eventType") or "".join(served)
    came = {"type": kind, "ref": text("eventId", "webhook_request_id", "taskId", "orderId", "workItemId")}
    is_known = kind == served[0] if served else re.fullmatch(r"Order[A-Z]\w+", kind)
    if members is None or not is_known:
        QUARANTINED.append(came)
        return
    has_id = source != "phenixid" and kind != "ActionLink"
    key, document = (path, came["ref"]), (path, text("id"))
    match = re.match(r"(\d{1,15})-", text("rev"))
    revision = int(match[1]) if match else None
    if (has_id and key in SEEN) or (revision is not None and revision < NEWEST.get(document, 0)):
        return
    SEEN.add(key)
    if revision is not None:
        NEWEST[document] = revision
    EFFECTS.append(came)


async def effects(_request):
    return web.json_response({"effects": EFFECTS, "quarantined": QUARANTINED})


async def listen(*routes):
    app = web.Application(client_max_size=MOST_BYTES)
    app.add_routes(routes)
    # A genuine token in the address takes more than the 8 KiB that aiohttp reads unless it is told.
    runner = web.AppRunner(app, access_log=None, max_line_size=MOST_LINE)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner.addresses[0][1]


async def main():
    credentials = json.load(sys.stdin)
    hooks = [
        web.route("*", path, receiver(path, credential["text"].encode()))
        for path, credential in credentials.items()
    ]
    print("listening", await listen(*hooks), await listen(web.get("/effects", effects)), flush=True)
    await asyncio.Event().wait()


# Each request that aiohttp cannot read would be told with its stack.
logging.disable()
asyncio.run(main())
