"""A correct receiver of all three sources in Python, with nothing but its standard library. It shares no code with this
kit, nor a language. Reads its secrets from standard input as JSON: {"/path": {"kind": "SECRET", "text": "..."}}; prints
its port. `GET /effects` on the second port it prints tells what became of the events; they are kept in memory.
"""

import base64
import hashlib
import hmac
import html
import json
import re
import socketserver
import sys
import threading
import time
from urllib.parse import parse_qsl

MOST_HEAD = 32_768
MOST_BODY = {"hotdocs": 1_048_576, "phenixid": 16_384, "risr": 1_048_576}
MOST_CHUNKS = 10_000
MOST_FIELDS = 100
PATIENCE_S = 5
REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 413: "Content Too Large", 415: "Unsupported Media Type", 417: "Expectation Failed",
    431: "Request Header Fields Too Large", 500: "Internal Server Error",
}  # fmt: skip
TOKEN_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN_NAME + rb") ([\x21-\x7e]+) HTTP/1\.([01])")
FIELD = re.compile(rb"(" + TOKEN_NAME + rb"):([\t\x20-\x7e\x80-\xff]*)")
CREDENTIALS = json.load(sys.stdin)


class Refusal(Exception):
    def __init__(self, status, **headers):
        super().__init__(status)
        self.status = status
        self.headers = headers


class Request:
    def __init__(self, method, target, fields):
        self.method = method
        self.path, _, self.query = target.partition("?")
        self.fields = fields
        self.body = b""

    def all(self, name):
        return [value for field, value in self.fields if field == name]

    def one(self, name):
        values = self.all(name)
        if len(values) != 1:
            raise Refusal(401)
        return values[0]


class Connection(socketserver.StreamRequestHandler):
    """http.server would accept folded headers, two lengths and bare line feeds, so the framing is read here."""

    def handle(self):
        try:
            while self.handle_one():
                pass
        except (ConnectionError, TimeoutError):
            pass

    def handle_one(self):
        self.until = time.monotonic() + PATIENCE_S
        try:
            request = self.read_head()
            if request is None:
                return False
            status, content_type, body, headers = answer(request, self.read_body)
            keep = [value.lower() for value in request.all("connection")] != ["close"] and not self.http10
        except TimeoutError:
            status, content_type, body, headers, keep = 408, "", "", {}, False
        except Refusal as refusal:
            status, headers = refusal.status, refusal.headers
            content_type, body = "application/json", '{"ok":false}'
            keep = False
        if status == 401:
            headers["WWW-Authenticate"] = "Signature"
        self.reply(status, content_type, body, headers, keep)
        return keep

    def reply(self, status, content_type, body, headers, keep):
        data = body.encode()
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Length: {len(data)}"]
        lines += [f"Content-Type: {content_type}"] if content_type else []
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [] if keep else ["Connection: close"]
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        self.wfile.flush()
        if not keep:
            self.linger()

    def linger(self):
        """Whoever is still sending would lose the reply if the connection were reset."""
        self.request.shutdown(1)
        self.until = time.monotonic() + 1
        try:
            while self.some(65_536):
                pass
        except (TimeoutError, ConnectionError):
            pass

    def some(self, most):
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.request.settimeout(left)
        return self.rfile.read1(most)

    def line(self, most, otherwise=431):
        """One line without its end; `b""` also when the connection ended before it began."""
        self.request.settimeout(max(self.until - time.monotonic(), 0.01))
        line = self.rfile.readline(most + 1)
        if len(line) > most:
            raise Refusal(otherwise)
        if line and not line.endswith(b"\r\n"):
            raise Refusal(400)
        return line[:-2]

    def read_head(self):
        first = self.line(MOST_HEAD)
        if first == b"":
            return None
        match = REQUEST_LINE.fullmatch(first)
        if match is None:
            raise Refusal(400)
        fields, size = [], len(first)
        while line := self.line(MOST_HEAD):
            field = FIELD.fullmatch(line)
            size += len(line)
            if field is None:
                raise Refusal(400)
            if size > MOST_HEAD:
                raise Refusal(431)
            fields.append((field[1].decode().lower(), field[2].strip(b" \t").decode("latin-1")))
        self.http10 = match[3] == b"0"
        request = Request(match[1].decode(), match[2].decode(), fields)
        if len(request.all("host")) != 1 and not (self.http10 and not request.all("host")):
            raise Refusal(400)
        return request

    def read_body(self, request, most):
        lengths, codings = request.all("content-length"), request.all("transfer-encoding")
        if len(lengths) + len(codings) > 1 or (codings and codings[0].lower() != "chunked"):
            raise Refusal(400)
        if lengths and not re.fullmatch(r"[0-9]{1,18}", lengths[0]):
            raise Refusal(400)
        if lengths and int(lengths[0]) > most:
            raise Refusal(413)
        for expected in request.all("expect"):
            if expected.lower() != "100-continue":
                raise Refusal(417)
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if codings:
            return self.chunks(most)
        return self.exactly(int(lengths[0]) if lengths else 0)

    def exactly(self, size):
        data = bytearray()
        while len(data) < size:
            more = self.some(size - len(data))
            if not more:
                raise Refusal(400)
            data += more
        return bytes(data)

    def chunks(self, most):
        data = bytearray()
        for _ in range(MOST_CHUNKS):
            size = re.fullmatch(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]{0,200})?", self.line(300, otherwise=400))
            if size is None:
                raise Refusal(400)
            length = int(size[1], 16)
            if len(data) + length > most:
                raise Refusal(413)
            if length == 0:
                return self.trailers(bytes(data))
            data += self.exactly(length)
            if self.line(2, otherwise=400) != b"":
                raise Refusal(400)
        raise Refusal(413)

    def trailers(self, data):
        for _ in range(100):
            if self.line(1000) == b"":
                return data
        raise Refusal(431)


KEEP_OUT = {"Cache-Control": "no-store"}


def answer(request, read_body):
    path = "/phenixid" if re.fullmatch(r"/phenixid/{0,2}", request.path) else request.path
    if path not in CREDENTIALS:
        raise Refusal(404)
    source = path.split("/")[1]
    methods = ["POST", "GET", "PUT"] if source == "hotdocs" and path != "/hotdocs/ActionLink" else ["POST"]
    if request.method not in methods:
        raise Refusal(405, Allow=", ".join(methods))
    if any(coding.lower() not in ("", "identity") for coding in request.all("content-encoding")):
        raise Refusal(415)
    request.body = read_body(request, MOST_BODY[source])
    keep(prove(request, path, source, CREDENTIALS[path]), path)
    if path == "/hotdocs/ActionLink":
        return 200, "text/html; charset=utf-8", f"<!doctype html><title>{html.escape('Done')}</title>", KEEP_OUT
    return 200, "application/json", "{}" if source == "hotdocs" else '{"ok":true}', KEEP_OUT


def prove(request, path, source, credential):
    key = credential["text"].encode()
    if source == "phenixid":
        return signed(request, key, credential.get("key"))
    if source == "risr":
        return verified(request.body.strip(b" \t\r\n").decode("latin-1"), key, 300, strict=False)
    if credential["kind"] == "TOKEN":
        return vouched_for(request, key)
    return verified(token_of(request), key, 90, strict=True)


def signed(request, key, installation):
    fields = parse_qsl(request.query, keep_blank_values=True)
    if [value for name, value in fields if name == "key"] != ([] if installation is None else [installation]):
        raise Refusal(401)
    given = re.sub(r"^(?:sha256|sha-256|hmac-sha256)[=:]", "", request.one("x-signature"), flags=re.IGNORECASE)
    digest = hmac.new(key, request.body, hashlib.sha256).digest()
    base = base64.b64encode(digest).decode()
    url = base64.urlsafe_b64encode(digest).decode()
    spellings = [digest.hex(), base, base[:-1], url, url[:-1]]
    text = given.lower() if re.fullmatch(r"[0-9A-Fa-f]{64}", given) else given
    if not any(same(text, spelling) for spelling in spellings):
        raise Refusal(401)
    return request.body


def same(one, other):
    return hmac.compare_digest(one.encode("latin-1"), other.encode("latin-1"))


def token_of(request):
    try:
        in_body, in_query = (
            [value for name, value in parse_qsl(text, max_num_fields=MOST_FIELDS) if name == "token"]
            for text in (request.body.decode("latin-1"), request.query)
        )
    except ValueError:
        raise Refusal(401) from None
    found, elsewhere = (in_query, in_body) if request.method == "GET" else (in_body, in_query)
    if len(found) != 1 or elsewhere:
        raise Refusal(401)
    return found[0]


FORBIDDEN = {"crit", "b64", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "zip", "enc", "cty", "__proto__"}


def verified(token, key, tolerance, strict):
    match = re.fullmatch(r"([\w-]{1,1000})\.([\w-]+)\.([\w-]{43})", token, re.ASCII)
    if match is None:
        raise Refusal(401)
    header, content, signature = (decoded(part) for part in match.groups())
    members = members_of(header, once=True)
    typ, kid = members.get("typ", "JWT"), members.get("kid", "")
    if members.get("alg") != "HS256" or FORBIDDEN & members.keys():
        raise Refusal(401)
    if not isinstance(kid, str) or not re.fullmatch(r"[\w.-]{0,64}", kid, re.ASCII):
        raise Refusal(401)
    if strict and (not isinstance(typ, str) or typ.upper() != "JWT"):
        raise Refusal(401)
    if not hmac.compare_digest(hmac.new(key, f"{match[1]}.{match[2]}".encode(), hashlib.sha256).digest(), signature):
        raise Refusal(401)
    check_times(members_of(content), tolerance, strict)
    return content


def decoded(part):
    """Only what comes out again as it went in."""
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) if len(part) % 4 != 1 else b""
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != part:
        raise Refusal(401)
    return data


def members_of(data, once=False):
    def of_pairs(pairs):
        if once and len({name for name, _ in pairs}) < len(pairs):
            raise Refusal(401)
        return dict(pairs)

    try:
        members = json.loads(data.decode("utf-8"), object_pairs_hook=of_pairs)
    except (ValueError, RecursionError):
        raise Refusal(401) from None
    if not isinstance(members, dict):
        raise Refusal(401)
    return members


def check_times(claims, tolerance, strict):
    now = time.time()
    times = {}
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and 0 <= value < 253_402_300_800:
            times[name] = value
        elif number or (strict and name in claims):
            raise Refusal(401)
    late = times.get("exp", now + 1) + (tolerance if "exp" in times else 0) <= now
    early = times.get("nbf", 0) - tolerance > now or (strict and times.get("iat", 0) - tolerance > now)
    if late or early:
        raise Refusal(401)


def vouched_for(request, key):
    given = request.one("authorization").encode("latin-1")
    bare = re.sub(rb"^(?:bearer|token)[ \t]+", b"", given, flags=re.IGNORECASE)
    if not (hmac.compare_digest(given, key) or hmac.compare_digest(bare, key)):
        raise Refusal(401)
    if request.method != "GET":
        return request.body
    return json.dumps(dict(parse_qsl(request.query))).encode()


EFFECTS, QUARANTINED, SEEN, NEWEST = [], [], set(), {}
ONE_AT_A_TIME = threading.Lock()


def keep(content, path):
    """In any case: what cannot be read, or is not known, waits for a human."""
    try:
        members = members_of(content)
    except Refusal:
        members = {}
    _, source, *served = path.split("/")
    names = ("eventId", "webhook_request_id", "taskId", "orderId", "workItemId")
    ref = next((members[name] for name in names if isinstance(members.get(name), str)), "")
    named = members.get("eventType", served[0] if served else "?")
    kind = named if isinstance(named, str) else "?"
    if kind == "LoadInterviewEvent":  # HotDocs has two names for one event
        kind = "InterviewLoadEvent"
    known = members and (kind == served[0] if served else re.fullmatch(r"Order[A-Z]\w+", kind))
    document = (path, str(members.get("id")))
    count = re.match(r"\d{1,15}(?=-)", str(members.get("rev")))
    revision = int(count[0]) if count else None
    # Notifications of PhenixID and clicks on an action link have no id, and are never duplicates.
    has_id = source != "phenixid" and kind != "ActionLink"
    with ONE_AT_A_TIME:
        is_new = not (has_id and (path, ref) in SEEN)
        if not known:
            QUARANTINED.append({"type": kind, "ref": ref})
        elif is_new and (revision is None or revision >= NEWEST.get(document, 0)):
            if revision is not None:
                NEWEST[document] = revision
            SEEN.add((path, ref))
            EFFECTS.append({"type": kind, "ref": ref})


class Probe(socketserver.StreamRequestHandler):
    def handle(self):
        with ONE_AT_A_TIME:
            data = json.dumps({"effects": EFFECTS, "quarantined": QUARANTINED}).encode()
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


servers = [Server(("127.0.0.1", 0), handler) for handler in (Connection, Probe)]
for server in servers:
    threading.Thread(target=server.serve_forever).start()
print("listening", *(server.server_address[1] for server in servers), flush=True)
