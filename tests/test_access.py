"""Who may ask: every case of the table below is sent to a real server, and what it answers is the
table's. Tokens are signed with keys made here."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conftest import DEADLINE_S, Meterline, Server, wait_until

HEADER = "Meter,Date," + ",".join(f"{hour}:00" for hour in range(24)) + "\n"
ROW = ",".join(["1"] * 24)
OWN, FOREIGN, UNKNOWN = "EE1", "DK1", "ZZ1"
FILE = HEADER + f"{OWN},2019-01-01,{ROW}\n" + f"{FOREIGN},2019-01-01,{ROW}\n"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode()


def ask(server, method, path, headers=(), body=None):
    """Headers are pairs, so that one may come twice."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    try:
        names = {name.lower() for name, _ in headers}
        connection.putrequest(method, path, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None and "content-length" not in names:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def send_raw(server, data):
    """The status of the first answer; 0 where the server just closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) as connection:
        connection.sendall(data)
        answer = b""
        while b"\r\n" not in answer and (piece := connection.recv(65536)):
            answer += piece
    return int(answer.split(b" ", 2)[1]) if answer else 0


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


def make_key(meterline, *options, expect=0):
    done = meterline("keys", "create", *options, "--output", "json", expect=expect)
    return done.json if expect == 0 else done


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A store with a meter of one's own and a foreign one."""
    meterline = Meterline(tmp_path_factory.mktemp("access"))
    path = meterline.folder / "both.csv"
    path.write_text(FILE)
    meterline("ingest", path, "--unit", "kWh")
    return meterline


def start(meterline, *options):
    return Server(meterline.start("serve", "--listen", "127.0.0.1:0", "--create", *options))


class Keyed:
    """A server with keys."""

    def __init__(self, meterline):
        create = lambda *options: make_key(meterline, *options)
        self.keys = {
            "reader": create("--scope", "read")["key"],
            "some": create("--scope", "read,upload", "--meters", "EE*")["key"],
            "uploader": create("--scope", "upload")["key"],
            "admin": create("--scope", "admin")["key"],
        }
        revoked = create("--scope", "admin")
        meterline("keys", "revoke", revoked["id"])
        self.keys["revoked"] = revoked["key"]
        self.file = meterline.folder / "meterline-keys.json"
        records = json.loads(self.file.read_text())
        expired = create("--scope", "admin")
        records = json.loads(self.file.read_text())
        records["keys"][-1]["expires"] = "2020-01-01T00:00:00Z"
        self.file.write_text(json.dumps(records))
        self.keys["expired"] = expired["key"]
        self.records = {key["id"]: key for key in records["keys"]}
        tariffs = meterline.folder / "tariffs"
        tariffs.mkdir()
        (tariffs / "t.toml").write_text('otherwise = "all"\n')
        self.server = start(meterline, "--auth", "keys", "--audit-log",
                            meterline.folder / "audit.log", "--audit-reads", "--tariffs", tariffs)
        (self.delivery,) = json.loads(
            ask(self.server, "GET", "/v1/deliveries", bearer(self.keys["reader"])).body
        )["deliveries"]


@pytest.fixture(scope="module")
def keyed(loaded):
    made = Keyed(loaded)
    yield made
    made.server.stop()


def changed(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


# What stands in Authorization -> status of /v1/meters. `key` is that of reader.
FORGED_KEYS = {
    "none": (lambda keyed, key: [], 401),
    "empty": (lambda keyed, key: [("Authorization", "")], 401),
    "scheme alone": (lambda keyed, key: [("Authorization", "Bearer")], 401),
    "scheme and blank": (lambda keyed, key: [("Authorization", "Bearer ")], 401),
    "no scheme": (lambda keyed, key: [("Authorization", key)], 401),
    "basic": (lambda keyed, key: [("Authorization", "Basic " + base64.b64encode(
        f"x:{key}".encode()).decode())], 401),
    "basic with key": (lambda keyed, key: [("Authorization", f"Basic {key}")], 401),
    "last digit": (lambda keyed, key: bearer(changed(key)), 401),
    "first digit": (lambda keyed, key: bearer(key[:17] + changed(key[17:18]) + key[18:]), 401),
    "capitals": (lambda keyed, key: bearer(key.upper()), 401),
    "shorter": (lambda keyed, key: bearer(key[:-1]), 401),
    "longer": (lambda keyed, key: bearer(key + "0"), 401),
    "twice": (lambda keyed, key: bearer(key + key), 401),
    "two headers": (lambda keyed, key: bearer(key) + bearer(key), 401),
    "quoted": (lambda keyed, key: bearer(f'"{key}"'), 401),
    "id alone": (lambda keyed, key: bearer(key[:16]), 401),
    "id and zeros": (lambda keyed, key: bearer(key[:17] + "0" * 64), 401),
    "id of another": (lambda keyed, key: bearer(
        keyed.keys["admin"][:17] + key[17:]), 401),
    "hash from file": (lambda keyed, key: bearer(
        keyed.records[key[4:16]]["sha256"]), 401),
    "hash behind id": (lambda keyed, key: bearer(
        key[:17] + keyed.records[key[4:16]]["sha256"]), 401),
    "revoked": (lambda keyed, key: bearer(keyed.keys["revoked"]), 401),
    "expired": (lambda keyed, key: bearer(keyed.keys["expired"]), 401),
    "long": (lambda keyed, key: bearer("a" * 8000), 401),
    "bytes": (lambda keyed, key: bearer("\xff\xfe"), 401),
    "x-api-key": (lambda keyed, key: [("X-API-Key", key)], 401),
    "cookie": (lambda keyed, key: [("Cookie", f"Authorization=Bearer {key}")], 401),
    "proxy header": (lambda keyed, key: [("Proxy-Authorization", f"Bearer {key}")], 401),
    "jwt none": (lambda keyed, key: bearer("eyJhbGciOiJub25lIn0.e30."), 401),
    "good": (lambda keyed, key: bearer(key), 200),
    "small scheme": (lambda keyed, key: [("Authorization", f"bearer {key}")], 200),
    "two blanks": (lambda keyed, key: [("Authorization", f"Bearer  {key}")], 200),
}


@pytest.mark.parametrize("case", FORGED_KEYS)
def test_forged_keys(keyed, case):
    headers, status = FORGED_KEYS[case]
    answer = ask(keyed.server, "GET", "/v1/meters", headers(keyed, keyed.keys["reader"]))
    assert answer.status == status, answer.body
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="meterline"')
        assert OWN not in answer.body


def test_a_key_in_the_url_opens_nothing(keyed):
    key = keyed.keys["reader"]
    assert ask(keyed.server, "GET", f"/v1/meters?access_token={key}").status == 401


# Each route -> what the key of EE* is answered for its own meter, for any other.
FOREIGN_METERS = {
    "/?meterId=METER&date=01-01-2019": (200, 200),
    "/v1/meters/METER": (200, 404),
    "/v1/meters/METER/consumption?from=2019-01-01": (200, 404),
    "/v1/meters/METER/consumption?from=2019-01-01&resolution=interval": (200, 404),
    "/v1/meters/METER/consumption?from=2019-01-01&resolution=year": (200, 404),
    "/v1/meters/METER/profile?from=2019-01-01": (200, 404),
    "/v1/meters/METER/gaps?from=2019-01-01": (200, 404),
    "/v1/meters/METER/history?date=2019-01-01": (200, 404),
    "/v1/meters/METER/compare?from=2019-01-01": (200, 404),
    "/v1/meters/METER/time-of-use?from=2019-01-01&tariff=t": (200, 404),
    "/v1/meters/METER/base-load?from=2019-01-01": (200, 404),
    "/v1/late?since=2019-02-01&cursor=METER": (200, 200),
    "/v1/meters/METER/registers": (200, 404),
    "/v1/changes?since=2000-01-01&meter=METER": (200, 200),
    "/v1/meters?prefix=METER": (200, 200),
    "/v1/meters?cursor=METER": (200, 200),
    "/v1/gaps?date=2019-01-01&cursor=METER": (200, 200),
    "/v1/changes?since=2000-01-01&cursor=METER": (200, 200),
    "/v1/meters/METER/unknown": (404, 404),
    "/v1/meters/METER%2Fconsumption": (404, 404),
    "/v1/meters/%44K1": (404, 404),
    "/v1/meters/..%2fDK1": (404, 404),
}


@pytest.mark.parametrize("path", FOREIGN_METERS)
def test_foreign_meters(keyed, path):
    own_status, other_status = FOREIGN_METERS[path]
    who = bearer(keyed.keys["some"])
    assert ask(keyed.server, "GET", path.replace("METER", OWN), who).status == own_status
    foreign = ask(keyed.server, "GET", path.replace("METER", FOREIGN), who)
    unknown = ask(keyed.server, "GET", path.replace("METER", UNKNOWN), who)
    assert foreign.status == unknown.status == other_status
    if "cursor" not in path:  # Behind DK1 is EE1.
        assert foreign.body == unknown.body.replace(UNKNOWN, FOREIGN)
    assert foreign.headers["Link"] == unknown.headers["Link"]


# Who -> what he may not be told, and what he is.
ALL_METERS = ["/v1/meters", "/v1/portfolio?from=2019-01-01", "/v1/top?from=2019-01-01",
              "/v1/gaps?date=2019-01-02", "/v1/changes?since=2000-01-01",
              "/v1/compare?from=2019-01-01", "/v1/late?since=2019-02-01"]


@pytest.mark.parametrize("path", ALL_METERS)
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_sums_and_lists_are_of_ones_own(keyed, path, accept):
    both = ask(keyed.server, "GET", path, bearer(keyed.keys["reader"]) + [("Accept", accept)])
    own = ask(keyed.server, "GET", path, bearer(keyed.keys["some"]) + [("Accept", accept)])
    assert both.status == own.status == 200
    assert FOREIGN not in own.body
    assert both.body != own.body


# (who, method, path, body) -> status
SCOPES = [
    ("reader", "GET", "/v1/meters", None, 200),
    ("reader", "HEAD", "/v1/meters", None, 200),
    ("reader", "GET", "/v1/deliveries", None, 200),
    ("reader", "GET", "/v1/deliveries/DELIVERY", None, 200),
    ("reader", "GET", "/v1/deliveries/DELIVERY/findings", None, 200),
    ("reader", "GET", "/metrics", None, 200),
    ("reader", "POST", "/v1/deliveries", b"x", 403),
    ("reader", "POST", "/v1/deliveries/DELIVERY/withdraw", b'{"reason":"x"}', 403),
    ("reader", "DELETE", "/v1/deliveries/DELIVERY/withdraw", None, 403),
    ("some", "GET", "/v1/deliveries", None, 403),
    ("some", "GET", "/v1/deliveries/DELIVERY", None, 403),
    ("some", "GET", "/v1/deliveries/DELIVERY/findings", None, 403),
    ("some", "GET", "/metrics", None, 403),
    ("some", "POST", "/v1/deliveries/DELIVERY/withdraw", b'{"reason":"x"}', 403),
    ("some", "POST", "/v1/deliveries?unit=kWh",
     (HEADER + f"{FOREIGN},2019-02-01,{ROW}\n").encode(), 403),
    ("some", "POST", "/v1/deliveries?unit=kWh",
     (HEADER + f"{UNKNOWN},2019-02-01,{ROW}\n").encode(), 403),
    ("uploader", "GET", "/v1/meters", None, 403),
    ("uploader", "GET", "/?meterId=EE1&date=01-01-2019", None, 403),
    ("uploader", "GET", "/v1/deliveries", None, 403),
    ("uploader", "GET", "/metrics", None, 403),
    ("uploader", "POST", "/v1/deliveries", b"x", 422),
    ("admin", "GET", "/v1/meters", None, 200),
    ("admin", "GET", "/metrics", None, 200),
    (None, "GET", "/metrics", None, 401),
    (None, "GET", "/healthz", None, 200),
    (None, "GET", "/readyz", None, 200),
    (None, "GET", "/docs/", None, 200),
    (None, "GET", "/openapi.json", None, 200),
    (None, "GET", "/problems", None, 200),
    (None, "GET", "/nothing", None, 404),
    (None, "PUT", "/v1/meters", None, 405),
    (None, "OPTIONS", "/v1/meters", None, 405),
    (None, "POST", "/v1/deliveries", b"x", 401),
    (None, "DELETE", "/v1/deliveries/DELIVERY/withdraw", None, 401),
]


@pytest.mark.parametrize("who,method,path,body,status", SCOPES)
def test_scopes(keyed, who, method, path, body, status):
    path = path.replace("DELIVERY", keyed.delivery["id"])
    headers = bearer(keyed.keys[who]) if who else []
    answer = ask(keyed.server, method, path, headers, body)
    assert answer.status == status, answer.body


# Bytes as they are sent, but for KEY -> status; 0: the connection is closed.
GET = b"GET /v1/meters HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer KEY\r\n"
POST = b"POST /v1/deliveries HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer KEY\r\n"
MALFORMED = {
    "good": (GET + b"\r\n", 200),
    "no host": (GET.replace(b"Host: localhost\r\n", b"") + b"\r\n", 400),
    "two hosts": (GET + b"Host: localhost\r\n\r\n", 400),
    "host with a path": (GET.replace(b"localhost", b"localhost/x") + b"\r\n", 400),
    "blank before colon": (GET + b"X : y\r\n\r\n", 400),
    "folded header": (GET + b"X: y\r\n z\r\n\r\n", 200),
    "no version": (b"GET /\r\n\r\n", 400),
    "http 3": (GET.replace(b"HTTP/1.1", b"HTTP/3.0") + b"\r\n", 400),
    "http 2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "tls hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 32, 400),
    "nul in the path": (GET.replace(b"/v1/meters", b"/v1/\0meters") + b"\r\n", 400),
    "percent": (GET.replace(b"/v1/meters", b"/v1/%zz") + b"\r\n", 400),
    "encoded nul": (GET.replace(b"/v1/meters", b"/v1/meters/%00") + b"\r\n", 404),
    "dots": (GET.replace(b"/v1/meters", b"/v1/../../etc/passwd") + b"\r\n", 404),
    "absolute": (GET.replace(b"/v1/meters", b"http://evil/v1/meters") + b"\r\n", 200),
    "absolute without key": (GET.replace(b"/v1/meters", b"http://evil/v1/meters")
                             .replace(b"KEY", b"x") + b"\r\n", 401),
    "encoded path without key": (GET.replace(b"/v1/meters", b"/%761/meters")
                                 .replace(b"KEY", b"x") + b"\r\n", 401),
    "long path": (GET.replace(b"/v1/meters", b"/v1/meters?prefix=" + b"A" * 9000) + b"\r\n", 414),
    "long header": (GET + b"X: " + b"a" * 20000 + b"\r\n\r\n", 431),
    "many headers": (GET + b"X: a\r\n" * 5000 + b"\r\n", 431),
    "unknown parameter": (GET.replace(b"/v1/meters", b"/v1/meters?x=1") + b"\r\n", 400),
    "repeated parameter": (GET.replace(b"/v1/meters", b"/v1/meters?limit=1&limit=2") + b"\r\n",
                           400),
    "limit": (GET.replace(b"/v1/meters", b"/v1/meters?limit=99999999999") + b"\r\n", 400),
    "body of a get": (GET + b"Content-Length: 100000\r\n\r\n", 413),
    "negative length": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
    "huge length": (POST + b"Content-Length: 99999999999\r\n\r\n", 413),
    "length and chunks": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                          b"0\r\n\r\n", 400),
    "gzip chunks": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
    "expectation": (POST + b"Expect: a miracle\r\nContent-Length: 1\r\n\r\nx", 417),
    "no body": (POST + b"Content-Length: 0\r\n\r\n", 400),
    "binary": (POST + b"Content-Length: 4\r\n\r\n\0\1\2\3", 422),
    "refused before its body": (POST.replace(b"KEY", b"x") +
                                b"Content-Length: 1000000000\r\n\r\n", 401),
    "injected header": (GET.replace(b"KEY", b"KEY\r\nX-Evil: 1") + b"\r\n", 200),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_and_oversized(keyed, case):
    data, status = MALFORMED[case]
    assert send_raw(keyed.server, data.replace(b"KEY", keyed.keys["admin"].encode())) == status


# (method, headers) -> status of /v1/meters or an upload.
SITES = [
    ("GET", [("Host", "evil.example")], 403),
    ("GET", [("Host", "localhost.evil.example")], 403),
    ("GET", [("Host", "127.0.0.1.evil.example")], 403),
    ("GET", [("Host", "LOCALHOST:80")], 200),
    ("GET", [("Host", "[::1]:80")], 200),
    ("GET", [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")], 403),
    ("GET", [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")], 200),
    ("GET", [("Sec-Fetch-Site", "same-origin")], 200),
    ("POST", [("Origin", "https://evil.example")], 403),
    ("POST", [("Origin", "null")], 403),
    ("POST", [("Origin", "http://localhost:1")], 403),
    ("POST", [("Sec-Fetch-Site", "same-site")], 403),
    ("POST", [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")], 403),
    ("POST", [("Sec-Fetch-Site", "none")], 422),
]


@pytest.mark.parametrize("method,headers,status", SITES)
def test_pages_of_other_sites(keyed, method, headers, status):
    path, body = ("/v1/meters", None) if method == "GET" else ("/v1/deliveries", b"x")
    answer = ask(keyed.server, method, path, bearer(keyed.keys["admin"]) + headers, body)
    assert answer.status == status, answer.body
    assert answer.headers["Access-Control-Allow-Origin"] is None
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return base64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Signer:
    def __init__(self, algorithm, key_id, bits=2048):
        self.algorithm, self.key_id = algorithm, key_id
        if algorithm == "RS256":
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
            public = self.key.public_key().public_numbers()
            self.jwk = {"kty": "RSA", "n": number(public.n), "e": number(public.e)}
        elif algorithm == "ES256":
            self.key = ec.generate_private_key(ec.SECP256R1())
            public = self.key.public_key().public_numbers()
            self.jwk = {"kty": "EC", "crv": "P-256", "x": number(public.x, 32),
                        "y": number(public.y, 32)}
        else:
            self.key = ed25519.Ed25519PrivateKey.generate()
            raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw)}
        self.jwk["kid"] = key_id

    def sign(self, text):
        if self.algorithm == "RS256":
            return self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.key.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.key.sign(text)

    def token(self, claims, **header):
        header = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT"} | header
        header = {name: value for name, value in header.items() if value is not None}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{base64url(self.sign(text.encode()))}"


def claims(**changed_claims):
    own = {"iss": "https://login.example", "aud": "meterline", "sub": "ann",
           "exp": int(time.time()) + 600, "scope": "read", "meters": ["EE*"]} | changed_claims
    return {name: value for name, value in own.items() if value is not None}


class Tokens:
    """A server with tokens."""

    def __init__(self, meterline):
        self.rsa, self.ec = Signer("RS256", "rsa"), Signer("ES256", "ec")
        self.ed, self.stranger = Signer("EdDSA", "ed"), Signer("RS256", "rsa")
        self.keys = meterline.folder / "jwks.json"
        secret = {"kty": "oct", "kid": "secret", "k": base64url(b"secret")}
        self.keys.write_text(json.dumps(
            {"keys": [self.rsa.jwk, self.ec.jwk, self.ed.jwk, secret]}))
        self.server = start(meterline, *jwt_options(self.keys))

    def hs256(self, secret, key_id):
        head = base64url(json.dumps({"alg": "HS256", "kid": key_id}).encode())
        text = f"{head}.{base64url(json.dumps(claims()).encode())}"
        return f"{text}.{base64url(hmac.digest(secret, text.encode(), 'sha256'))}"


def jwt_options(keys):
    return ("--auth", "jwt", "--jwt-keys", keys, "--jwt-issuer", "https://login.example",
            "--jwt-audience", "meterline", "--jwt-meters-claim", "meters")


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    meterline = Meterline(tmp_path_factory.mktemp("tokens"))
    path = meterline.folder / "both.csv"
    path.write_text(FILE)
    meterline("ingest", path, "--unit", "kWh")
    made = Tokens(meterline)
    yield made
    made.server.stop()


def replaced(token, part, text):
    parts = token.split(".")
    parts[part] = base64url(text)
    return ".".join(parts)


def now(seconds):
    return int(time.time()) + seconds


FORGED_TOKENS = {
    "rs256": (lambda t: t.rsa.token(claims()), 200),
    "es256": (lambda t: t.ec.token(claims()), 200),
    "eddsa": (lambda t: t.ed.token(claims()), 200),
    "no kid": (lambda t: t.rsa.token(claims(), kid=None), 200),
    "audiences": (lambda t: t.rsa.token(claims(aud=["x", "meterline"])), 200),
    "just expired": (lambda t: t.rsa.token(claims(exp=now(-30))), 200),
    "own words": (lambda t: t.rsa.token(claims(scope=["meterline:read", "openid"])), 200),
    "none": (lambda t: replaced(t.rsa.token(claims(), alg="none"), 2, b""), 401),
    "None": (lambda t: replaced(t.rsa.token(claims(), alg="None"), 2, b""), 401),
    "nOnE": (lambda t: t.rsa.token(claims(), alg="nOnE"), 401),
    "no alg": (lambda t: t.rsa.token(claims(), alg=None), 401),
    "alg null": (lambda t: replaced(t.rsa.token(claims()), 0, b'{"alg":null}'), 401),
    "alg list": (lambda t: t.rsa.token(claims(), alg=["RS256"]), 401),
    "rs512": (lambda t: t.rsa.token(claims(), alg="RS512"), 401),
    "ps256": (lambda t: t.rsa.token(claims(), alg="PS256"), 401),
    "small": (lambda t: t.rsa.token(claims(), alg="rs256"), 401),
    "hs256 of public key": (lambda t: t.hs256(json.dumps(t.rsa.jwk).encode(), "rsa"), 401),
    "hs256 of modulus": (lambda t: t.hs256(t.rsa.jwk["n"].encode(), "rsa"), 401),
    "hs256 of a secret in the set": (lambda t: t.hs256(b"secret", "secret"), 401),
    "hs256 of nothing": (lambda t: t.hs256(b"", "rsa"), 401),
    "es as rs": (lambda t: t.ec.token(claims(), alg="RS256"), 401),
    "rs as es": (lambda t: t.rsa.token(claims(), alg="ES256"), 401),
    "ed as es": (lambda t: t.ed.token(claims(), alg="ES256"), 401),
    "stranger's": (lambda t: t.stranger.token(claims()), 401),
    "stranger's without kid": (lambda t: t.stranger.token(claims(), kid=None), 401),
    "kid of another": (lambda t: t.rsa.token(claims(), kid="ec"), 401),
    "kid unknown": (lambda t: t.rsa.token(claims(), kid="x"), 401),
    "kid path": (lambda t: t.rsa.token(claims(), kid="../../../../dev/null"), 401),
    "kid sql": (lambda t: t.rsa.token(claims(), kid="x' UNION SELECT 'k"), 401),
    "kid url": (lambda t: t.stranger.token(claims(), kid="http://127.0.0.1:1/k"), 401),
    "kid number": (lambda t: t.rsa.token(claims(), kid=1), 401),
    "kid empty": (lambda t: t.rsa.token(claims(), kid=""), 401),
    "own jwk": (lambda t: t.stranger.token(claims(), kid=None, jwk=t.stranger.jwk), 401),
    "own jku": (lambda t: t.stranger.token(claims(), jku="http://127.0.0.1:1/jwks"), 401),
    "own x5u": (lambda t: t.stranger.token(claims(), x5u="http://127.0.0.1:1/x5u"), 401),
    "crit": (lambda t: t.rsa.token(claims(), crit=["exp"]), 401),
    "b64": (lambda t: t.rsa.token(claims(), b64=False, crit=["b64"]), 401),
    "zip": (lambda t: t.rsa.token(claims(), zip="DEF"), 401),
    "other claims": (lambda t: replaced(t.rsa.token(claims()), 1,
                                        json.dumps(claims(meters=["*"])).encode()), 401),
    "zeros": (lambda t: replaced(t.ec.token(claims()), 2, b"\0" * 64), 401),
    "short signature": (lambda t: replaced(t.ec.token(claims()), 2, b"\1" * 63), 401),
    "der signature": (lambda t: replaced(t.ec.token(claims()), 2, b"\x30\x06\2\1\1\2\1\1"), 401),
    "empty signature": (lambda t: replaced(t.rsa.token(claims()), 2, b""), 401),
    "two parts": (lambda t: t.rsa.token(claims()).rsplit(".", 1)[0], 401),
    "four parts": (lambda t: t.rsa.token(claims()) + ".x", 401),
    "padded": (lambda t: t.rsa.token(claims()) + "==", 401),
    "five parts": (lambda t: "a.b.c.d.e", 401),
    "dots": (lambda t: "..", 401),
    "claims no object": (lambda t: replaced(t.rsa.token(claims()), 1, b"[]"), 401),
    "expired": (lambda t: t.rsa.token(claims(exp=now(-61))), 401),
    "no exp": (lambda t: t.rsa.token(claims(exp=None)), 401),
    "exp text": (lambda t: t.rsa.token(claims(exp=str(now(600)))), 401),
    "exp huge": (lambda t: t.rsa.token(claims(exp=1e300)), 401),
    "not yet": (lambda t: t.rsa.token(claims(nbf=now(600))), 401),
    "other issuer": (lambda t: t.rsa.token(claims(iss="https://login.example.evil")), 401),
    "issuer list": (lambda t: t.rsa.token(claims(iss=["https://login.example"])), 401),
    "no issuer": (lambda t: t.rsa.token(claims(iss=None)), 401),
    "other audience": (lambda t: t.rsa.token(claims(aud="meterline2")), 401),
    "no audience": (lambda t: t.rsa.token(claims(aud=None)), 401),
    "no subject": (lambda t: t.rsa.token(claims(sub=None)), 401),
    "no scope": (lambda t: t.rsa.token(claims(scope=None)), 403),
    "other scope": (lambda t: t.rsa.token(claims(scope="readall READ other:read")), 403),
    "half admin": (lambda t: t.rsa.token(claims(scope="admin")), 403),
    "bad meters": (lambda t: t.rsa.token(claims(meters=["a b"])), 401),
    "long": (lambda t: t.rsa.token(claims(x="a" * 10000)), 401),
    "key": (lambda t: "mlk_" + "0" * 12 + "_" + "0" * 64, 401),
}


@pytest.mark.parametrize("case", FORGED_TOKENS)
def test_forged_tokens(tokens, case):
    make, status = FORGED_TOKENS[case]
    answer = ask(tokens.server, "GET", "/v1/meters", bearer(make(tokens)))
    assert answer.status == status, answer.body
    assert FOREIGN not in answer.body
    assert (OWN in answer.body) == (status == 200)


def test_a_token_without_meters_sees_none(tokens):
    answer = ask(tokens.server, "GET", "/v1/meters", bearer(tokens.rsa.token(claims(meters=None))))
    assert answer.status == 200 and OWN not in answer.body


def test_the_table_is_large_enough():
    assert len(FORGED_KEYS) + len(FOREIGN_METERS) + len(SCOPES) + len(MALFORMED) + len(SITES) + len(
        FORGED_TOKENS) >= 100


class JwksHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.answer
        self.send_response(200 if body else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def jwks_server():
    server = HTTPServer(("127.0.0.1", 0), JwksHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_public_keys_by_url(meterline, jwks_server):
    signer = Signer("EdDSA", "1")
    jwks_server.answer = json.dumps({"keys": [signer.jwk]}).encode()
    url = f"http://127.0.0.1:{jwks_server.server_port}/keys"
    server = start(meterline, *jwt_options(url))
    try:
        assert ask(server, "GET", "/v1/meters", bearer(signer.token(claims()))).status == 200
        jwks_server.answer = b""  # An outage opens nothing, and closes nothing at once.
        assert ask(server, "GET", "/v1/meters", bearer(signer.token(claims()))).status == 200
        other = Signer("EdDSA", "1")
        assert ask(server, "GET", "/v1/meters", bearer(other.token(claims()))).status == 401
    finally:
        server.stop()
    refused = meterline("serve", "--create", *jwt_options(url), expect=1)
    assert "status 503" in refused.err
    assert "want https" in meterline("serve", "--create", *jwt_options("http://login.example/"),
                                     expect=2).err


def test_keys_are_shown_once_and_followed(meterline, serve):
    first = make_key(meterline, "--scope", "read", "--name", "app")
    file = meterline.folder / "meterline-keys.json"
    assert first["key"] not in file.read_text()
    assert hashlib.sha256(first["key"].encode()).hexdigest() in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    server = serve(meterline, "--auth", "keys")
    assert server.ask("/v1/meters", dict(bearer(first["key"])))[0] == 200
    second = make_key(meterline, "--scope", "read", "--meters", "EE*,X1")
    wait_until(lambda: server.ask("/v1/meters", dict(bearer(second["key"])))[0] == 200, "a new key")
    meterline("keys", "revoke", first["id"])
    wait_until(lambda: server.ask("/v1/meters", dict(bearer(first["key"])))[0] == 401, "a revoked")
    wait_until(lambda: (meterline.folder / "meterline-keys.json.used").exists(), "a last use")
    listed = {key["id"]: key for key in meterline("keys", "list").json["keys"]}
    assert listed[first["id"]]["state"] == "revoked" and listed[first["id"]]["name"] == "app"
    assert listed[second["id"]]["meters"] == ["EE*", "X1"]
    assert listed[first["id"]]["lastUsed"]
    assert first["key"] not in meterline("keys", "list", "--output", "csv").out
    # What cannot be read opens for nobody else.
    file.write_text("{")
    assert server.ask("/v1/meters", dict(bearer(second["key"])))[0] == 200
    assert server.ask("/v1/meters", dict(bearer(first["key"])))[0] == 401


def test_wrong_use_of_keys(meterline):
    assert "read, upload or admin" in make_key(meterline, "--scope", "write", expect=2).err
    assert "--scope" in make_key(meterline, expect=2).err
    assert "names no meters" in make_key(meterline, "--scope", "read", "--meters", "a b",
                                         expect=2).err
    assert "admin" in make_key(meterline, "--scope", "admin", "--meters", "EE*", expect=2).err
    assert "is over" in make_key(meterline, "--scope", "read", "--expires", "2019-01-01",
                                 expect=2).err
    assert "keys create" in meterline("serve", "--create", "--auth", "keys", expect=1).err
    make_key(meterline, "--scope", "read")
    assert "no key" in meterline("keys", "revoke", "0" * 12, expect=1).err
    os.chmod(meterline.folder / "meterline-keys.json", 0o666)
    assert "chmod 600" in meterline("serve", "--auth", "keys", expect=1).err


def test_who_is_open_stays_on_loopback(meterline):
    refused = meterline("serve", "--create", "--listen", "0.0.0.0:0", expect=2)
    assert "--auth keys" in refused.err and "--i-know-it-is-open" in refused.err
    make_key(meterline, "--scope", "read")
    process = meterline.start("serve", "--listen", "0.0.0.0:0", "--auth", "keys")
    server = Server(process)
    assert ask(server, "GET", "/v1/meters").status == 401
    assert ask(server, "GET", "/healthz", [("Host", "any.example")]).status == 200
    assert "in clear" in server.stop().err
    server = start(meterline, "--host", "meters.example,other.example")
    assert ask(server, "GET", "/healthz", [("Host", "Meters.Example:443")]).status == 200
    assert ask(server, "GET", "/healthz", [("Host", "evil.example")]).status == 403
    server.stop()


def test_who_asks_too_often_waits(meterline, serve):
    one, two = (bearer(make_key(meterline, "--scope", "read")["key"]) for _ in range(2))
    server = serve(meterline, "--auth", "keys", "--rate-limit", "3")
    answers = [ask(server, "GET", "/v1/meters", one) for _ in range(50)]
    late = [answer for answer in answers if answer.status == 429]
    assert late and late[0].headers["Retry-After"] == "1"
    assert ask(server, "GET", "/v1/meters", two).status == 200
    server.stop()
    assert "--auth none" in meterline("serve", "--create", "--rate-limit", "3", expect=2).err


def test_other_origins_are_let_in_by_name(meterline, serve):
    server = serve(meterline, "--cors-origin", "https://a.example,https://b.example")
    known = [("Origin", "https://b.example")]
    answer = ask(server, "OPTIONS", "/v1/meters",
                 known + [("Access-Control-Request-Method", "GET")])
    assert answer.status == 204
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert ask(server, "GET", "/v1/meters", known).headers["Access-Control-Allow-Origin"] == (
        "https://b.example")
    other = ask(server, "GET", "/v1/meters", [("Origin", "https://c.example")])
    assert other.headers["Access-Control-Allow-Origin"] is None
    server.stop()
    assert "--cors-origin" in meterline("serve", "--create", "--cors-origin", "*", expect=2).err


def test_audit_log(loaded, keyed):
    path = loaded.folder / "audit.log"
    ask(keyed.server, "GET", f"/v1/meters/{OWN}", bearer(keyed.keys["reader"]))
    ask(keyed.server, "POST", "/v1/deliveries?unit=kWh", bearer(keyed.keys["uploader"]),
        (HEADER + f"{OWN},2019-03-01,{ROW}\n").encode())
    text = path.read_text()
    who = "key:" + keyed.keys["uploader"][4:16]
    assert f'"who":"{who}","method":"POST","route":"deliveries","delivery":"' in text
    assert loaded("audit", "hash", path, OWN).out.strip() in text
    assert not re.search(rf"{OWN}|{FOREIGN}|mlk_", text)
    copy = loaded.folder / "copy.log"
    copy.write_text(text)
    (loaded.folder / "copy.log.salt").write_text(
        (loaded.folder / "audit.log.salt").read_text())
    intact = loaded("audit", "check", copy).json
    assert intact["intact"] and intact["lines"] == text.count("\n")
    assert loaded("audit", "check", copy, "--hash", intact["hash"]).json["intact"]
    lines = text.splitlines(keepends=True)
    copy.write_text("".join(lines[:-1]))
    assert loaded("audit", "check", copy).json["intact"]
    assert "cut off" in loaded("audit", "check", copy, "--hash", intact["hash"], expect=1).err
    copy.write_text("".join(lines[:3] + lines[4:]))
    broken = loaded("audit", "check", copy, expect=1)
    assert broken.json["line"] == 4 and "line 4 is the first" in broken.err
    assert "another process" in loaded("serve", "--create", "--listen", "127.0.0.1:0",
                                       "--audit-log", path, "--store",
                                       f"rocksdb:{loaded.folder}/other", expect=1).err


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                    folder / "tls.key", "-out", folder / "new.crt"],
                   check=True, capture_output=True)
    (folder / "new.crt").rename(folder / "tls.crt")


def names_of(server, path, version=ssl.TLSVersion.TLSv1_3):
    """The certificate of a server, and the status of an answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    context.maximum_version = version
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(b"GET /v1/meters HTTP/1.1\r\nHost: localhost\r\n"
                               b"Connection: close\r\n\r\n")
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            subject = dict(part[0] for part in connection.getpeercert()["subject"])
    return subject["commonName"], int(answer.split(b" ")[1])


def test_tls(meterline):
    folder = meterline.folder
    make_certificate(folder, "one")
    options = ("--tls-cert", folder / "tls.crt", "--tls-key", folder / "tls.key")
    server = start(meterline, *options)
    try:
        assert server.url.startswith("https://")
        assert names_of(server, folder / "tls.crt") == ("one", 200)
        assert names_of(server, folder / "tls.crt", ssl.TLSVersion.TLSv1_2) == ("one", 200)
        with pytest.warns(DeprecationWarning), pytest.raises(OSError):
            names_of(server, folder / "tls.crt", ssl.TLSVersion.TLSv1_1)
        assert send_raw(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") == 0

        file = (HEADER + "".join(f"M{i},2019-01-{day:02},{ROW}\n" for i in range(500)
                                 for day in range(1, 29))).encode()
        context = ssl.create_default_context(cafile=folder / "tls.crt")
        connection = http.client.HTTPSConnection("localhost", server.port, context=context,
                                                 timeout=DEADLINE_S)
        for path, body, status in [("/v1/deliveries?unit=kWh", file, 201),
                                   ("/v1/meters?limit=500", None, 200),
                                   ("/v1/portfolio?from=2019-01-01", None, 200)]:
            connection.request("POST" if body else "GET", path, body)
            answer = connection.getresponse()
            assert (answer.status, len(answer.read()) > 0) == (status, True)
        connection.close()

        make_certificate(folder, "two")

        def is_followed():
            try:
                return names_of(server, folder / "tls.crt") == ("two", 200)
            except ssl.SSLError:
                return False
        wait_until(is_followed, "the new certificate")
    finally:
        server.stop()
    assert "give both" in meterline("serve", "--create", "--tls-cert", folder / "tls.crt",
                                   expect=2).err
    (folder / "tls.key").write_text("no key")
    assert "private key" in meterline("serve", *options, expect=2).err
