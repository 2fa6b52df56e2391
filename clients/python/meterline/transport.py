"""Requests and answers over HTTP, by urllib."""
from __future__ import annotations

import gzip
import http.client
import io
import ssl
import time
import urllib.error
import urllib.request
from typing import Any, BinaryIO, Iterator, Mapping, Optional, Union, cast
from urllib.parse import urlsplit

from .answers import Delivery, Loaded, LoadReport, decoded, exact
from .problem import Problem, Unreachable, not_stored

PIECE_BYTES = 65536
Body = Union[None, bytes, BinaryIO]


def _sends(base: Any) -> Any:
    """A connection that reads the answer also where the server would not take the whole body:
    one that is refused before it is sent says why."""

    class Connection(base):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, blocksize=PIECE_BYTES, **options)

        def request(self, *args: Any, **options: Any) -> None:
            try:
                super().request(*args, **options)
            except (BrokenPipeError, ConnectionResetError):
                if self.sock is None:
                    raise

    return Connection


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_sends(http.client.HTTPConnection), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, context: Optional[ssl.SSLContext]) -> None:
        self.chosen = context or ssl.create_default_context()
        super().__init__(context=self.chosen)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_sends(http.client.HTTPSConnection), request, context=self.chosen)


class _SameServer(urllib.request.HTTPRedirectHandler):
    """The key is for one server, so that no other one is followed to."""

    def redirect_request(self, request: urllib.request.Request, *args: Any,
                         ) -> Optional[urllib.request.Request]:
        old, new = urlsplit(request.full_url), urlsplit(args[-1])
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            return None
        return super().redirect_request(request, *args)


class Answer:
    """An open answer of 200 or 201. Read it in pieces, or whole; close it."""

    def __init__(self, response: Any) -> None:
        self.response = response

    def pieces(self) -> Iterator[bytes]:
        try:
            while piece := self.response.read(PIECE_BYTES):
                yield piece
            if self.response.length:  # Python 3.9 to 3.13 do not say so when read in pieces.
                raise Unreachable(f"the answer ended {self.response.length} bytes early")
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"the answer ended early: {error}") from error
        finally:
            self.response.close()

    def bytes(self) -> bytes:
        body = b"".join(self.pieces())
        packed = self.response.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(body) if packed else body


class Transport:
    """One server, and how often to ask it again."""

    def __init__(self, url: str, key: Optional[str], timeout_s: float, retries: int,
                 retry_wait_max_s: float, context: Optional[ssl.SSLContext]) -> None:
        self.url = url.rstrip("/")
        self.headers = {"User-Agent": "meterline-python"}
        if key is not None:
            self.headers["Authorization"] = f"Bearer {key}"
        self.timeout_s, self.retries = timeout_s, retries
        self.retry_wait_max_s = retry_wait_max_s
        self.opener = urllib.request.build_opener(_Http(), _Https(context), _SameServer())

    def send(self, method: str, target: str, headers: Mapping[str, str], body: Body = None,
             ) -> Answer:
        """Asks again on 429 and 503 when the server says after how long, and a body can be sent
        again. Fails with a Problem, or Unreachable."""
        begin = None if body is None or isinstance(body, bytes) or not body.seekable() \
            else body.tell()
        retries = self.retries if isinstance(body, (bytes, type(None))) or begin is not None else 0
        wait_left_s = self.retry_wait_max_s
        while True:
            failed = self._once(method, target, headers, body)
            if isinstance(failed, Answer):
                return failed
            wait_s = _retry_after_s(failed)
            if retries == 0 or wait_s is None or wait_s > wait_left_s:
                raise _problem(failed)
            failed.close()
            retries, wait_left_s = retries - 1, wait_left_s - wait_s
            time.sleep(wait_s)
            if begin is not None:
                cast(BinaryIO, body).seek(begin)

    def _once(self, method: str, target: str, headers: Mapping[str, str], body: Body,
              ) -> Union[Answer, urllib.error.HTTPError]:
        request = urllib.request.Request(self.url + target, data=body, method=method,
                                         headers={**self.headers, **headers})
        try:
            return Answer(self.opener.open(request, timeout=self.timeout_s))
        except urllib.error.HTTPError as error:
            return error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(f"{self.url} does not answer: {reason!r}") from error


def _retry_after_s(error: urllib.error.HTTPError) -> Optional[int]:
    text = error.headers.get("Retry-After", "")
    return int(text) if error.code in (429, 503) and text.isdigit() else None


def _problem(error: urllib.error.HTTPError) -> Problem:
    body = Answer(error).bytes().decode("utf-8", "replace")
    try:
        members = exact(body)
    except ValueError:
        members = None
    if not isinstance(members, dict):  # Of a proxy, say.
        return Problem(error.code, error.reason, body[:1000])
    if "detail" in members:
        return Problem(error.code, members["title"], members["detail"], members["type"])
    if "state" in members:
        return not_stored(error.code, decoded(Delivery, body))
    if "deliveries" in members:
        return not_stored(error.code, decoded(LoadReport, body))
    return Problem(error.code, error.reason, str(members.get("error", body[:1000])))


class Progress(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, tell: Any) -> None:
        self.file, self.tell_progress, self.sent = file, tell, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.file.seekable()

    def tell(self) -> int:
        return self.file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        self.sent = 0
        return self.file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        piece = self.file.read(size)
        self.sent += len(piece)
        if piece:
            self.tell_progress(self.sent)
        return piece
