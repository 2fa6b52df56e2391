"""The HTTP API of a meterline server, a method for each of its questions."""
from __future__ import annotations

import datetime
import json
import os
import ssl
import uuid
from pathlib import Path
from typing import (TYPE_CHECKING, Any, BinaryIO, Callable, Iterable, Iterator, Literal, Mapping,
                    Optional, Protocol, Type, TypeVar, Union, cast)
from urllib.parse import quote, urlencode

from . import answers, tables
from .answers import member_of
from .transport import Answer, Progress, Transport

if TYPE_CHECKING:
    import pyarrow

Day = Union[datetime.date, str]  # yyyy-MM-dd.
Time = Union[datetime.datetime, datetime.date, str]  # A day means its end in UTC.
Resolution = Literal["interval", "hour", "day", "week", "month", "quarter", "year"]
Flow = Literal["consumption", "generation", "reactive", "other"]
Against = Literal["year-before", "52-weeks-before", "period-before"]
Table = Literal["readings", "days", "months"]
Format = Literal["arrow", "parquet", "csv"]
File = Union[str, "os.PathLike[str]", BinaryIO]
T = TypeVar("T")


class Page(Protocol):
    @property
    def next(self) -> Optional[str]: ...


P = TypeVar("P", bound=Page)


class Client:
    """Asks one server. Dates are inclusive; what is left out is as the HTTP API has it by default.

    Every method fails with a `Problem`, or with `Unreachable`. Where the server says 429 or 503
    and after how many seconds to ask again, a request is sent up to `retries` times more, as long
    as that takes at most `retry_wait_max_s` together. Threads may share a client.
    """

    def __init__(self, url: str, key: Optional[str] = None, *, timeout_s: float = 150,
                 retries: int = 3, retry_wait_max_s: float = 60,
                 context: Optional[ssl.SSLContext] = None) -> None:
        self.transport = Transport(url, key, timeout_s, retries, retry_wait_max_s, context)

    # What one meter used.

    def day_sum(self, meter_id: str, date: Day) -> answers.DaySum:
        """The first customer's contract: 0 also where nothing is known."""
        day = date if isinstance(date, str) else date.strftime("%d-%m-%Y")
        return self._get(answers.DaySum, "/", meter_id=meter_id, date=day)

    def consumption(self, meter: str, from_: Day, to: Optional[Day] = None, *,
                    resolution: Optional[Resolution] = None, unit: Optional[str] = None,
                    channel: Optional[str] = None, flow: Optional[Flow] = None,
                    as_of: Optional[Time] = None) -> answers.Consumption:
        return self._get(answers.Consumption, _of(meter, "consumption"), from_=from_, to=to,
                         resolution=resolution, unit=unit, channel=channel, flow=flow, as_of=as_of)

    def batch(self, meters: Iterable[str], from_: Day, to: Optional[Day] = None, *,
              resolution: Optional[Resolution] = None, unit: Optional[str] = None,
              channel: Optional[str] = None, flow: Optional[Flow] = None,
              as_of: Optional[Time] = None) -> answers.Batches:
        """consumption() of up to 10,000 meters in one request."""
        return self._post(answers.Batches, "/v1/consumption:batch", {"meters": list(meters)},
                          from_=from_, to=to, resolution=resolution, unit=unit, channel=channel,
                          flow=flow, as_of=as_of)

    def profile(self, meter: str, from_: Day, to: Optional[Day] = None, *,
                resolution: Optional[Literal["interval", "hour"]] = None,
                unit: Optional[str] = None, channel: Optional[str] = None,
                flow: Optional[Flow] = None, as_of: Optional[Time] = None) -> answers.Profile:
        """What a day looks like."""
        return self._get(answers.Profile, _of(meter, "profile"), from_=from_, to=to,
                         resolution=resolution, unit=unit, channel=channel, flow=flow, as_of=as_of)

    def time_of_use(self, meter: str, from_: Day, to: Optional[Day] = None, *, tariff: str,
                    resolution: Optional[Literal["day", "week", "month", "quarter", "year",
                                                 "total"]] = None,
                    unit: Optional[str] = None, channel: Optional[str] = None,
                    flow: Optional[Flow] = None, as_of: Optional[Time] = None,
                    ) -> answers.TimeOfUse:
        """Sums by the bands of a tariff of the server."""
        return self._get(answers.TimeOfUse, _of(meter, "time-of-use"), from_=from_, to=to,
                         tariff=tariff, resolution=resolution, unit=unit, channel=channel,
                         flow=flow, as_of=as_of)

    def base_load(self, meter: str, from_: Day, to: Optional[Day] = None, *,
                  channel: Optional[str] = None, flow: Optional[Flow] = None,
                  as_of: Optional[Time] = None) -> answers.BaseLoad:
        """The load that is always on."""
        return self._get(answers.BaseLoad, _of(meter, "base-load"), from_=from_, to=to,
                         channel=channel, flow=flow, as_of=as_of)

    def meter_compare(self, meter: str, from_: Day, to: Optional[Day] = None, *,
                      against: Optional[Against] = None, against_from: Optional[Day] = None,
                      against_to: Optional[Day] = None, unit: Optional[str] = None,
                      channel: Optional[str] = None, flow: Optional[Flow] = None,
                      as_of: Optional[Time] = None) -> answers.MeterCompare:
        """Two periods beside each other."""
        return self._get(answers.MeterCompare, _of(meter, "compare"), from_=from_, to=to,
                         against=against, against_from=against_from, against_to=against_to,
                         unit=unit, channel=channel, flow=flow, as_of=as_of)

    def registers(self, meter: str, from_: Optional[Day] = None, to: Optional[Day] = None, *,
                  channel: Optional[str] = None, flow: Optional[Flow] = None,
                  as_of: Optional[Time] = None, limit: Optional[int] = None,
                  cursor: Optional[str] = None) -> answers.Registers:
        """What its registers showed when they were read."""
        return self._get(answers.Registers, _of(meter, "registers"), from_=from_, to=to,
                         channel=channel, flow=flow, as_of=as_of, limit=limit, cursor=cursor)

    def meter_gaps(self, meter: str, from_: Optional[Day] = None, to: Optional[Day] = None, *,
                   date: Optional[Day] = None, channel: Optional[str] = None,
                   flow: Optional[Flow] = None, as_of: Optional[Time] = None,
                   ) -> answers.MeterGaps:
        """Which days lack readings."""
        return self._get(answers.MeterGaps, _of(meter, "gaps"), from_=from_, to=to, date=date,
                         channel=channel, flow=flow, as_of=as_of)

    def history(self, meter: str, date: Day, *, channel: Optional[str] = None,
                flow: Optional[Flow] = None) -> answers.History:
        """How a day came to be: all of its versions."""
        return self._get(answers.History, _of(meter, "history"), date=date, channel=channel,
                         flow=flow)

    def meter(self, meter: str) -> answers.Meter:
        return self._get(answers.Meter, _of(meter))

    # All meters, or those of a group.

    def meters(self, prefix: Optional[str] = None, *, group: Optional[str] = None,
               limit: Optional[int] = None, cursor: Optional[str] = None) -> answers.Meters:
        return self._get(answers.Meters, "/v1/meters", prefix=prefix, group=group, limit=limit,
                         cursor=cursor)

    def portfolio(self, from_: Day, to: Optional[Day] = None, *, group: Optional[str] = None,
                  resolution: Optional[Literal["day", "week", "month", "quarter", "year"]] = None,
                  unit: Optional[str] = None, channel: Optional[str] = None,
                  flow: Optional[Flow] = None, as_of: Optional[Time] = None,
                  ) -> answers.Portfolio:
        """What all meters used together."""
        return self._get(answers.Portfolio, "/v1/portfolio", from_=from_, to=to, group=group,
                         resolution=resolution, unit=unit, channel=channel, flow=flow, as_of=as_of)

    def top(self, from_: Day, to: Optional[Day] = None, *, group: Optional[str] = None,
            order: Optional[Literal["highest", "lowest"]] = None, unit: Optional[str] = None,
            channel: Optional[str] = None, flow: Optional[Flow] = None,
            as_of: Optional[Time] = None, limit: Optional[int] = None) -> answers.Top:
        """The meters that used the most."""
        return self._get(answers.Top, "/v1/top", from_=from_, to=to, group=group, order=order,
                         unit=unit, channel=channel, flow=flow, as_of=as_of, limit=limit)

    def compare(self, from_: Day, to: Optional[Day] = None, *, group: Optional[str] = None,
                against: Optional[Against] = None, against_from: Optional[Day] = None,
                against_to: Optional[Day] = None, unit: Optional[str] = None,
                channel: Optional[str] = None,
                flow: Optional[Flow] = None, as_of: Optional[Time] = None) -> answers.Compare:
        """Two periods of all meters beside each other."""
        return self._get(answers.Compare, "/v1/compare", from_=from_, to=to, group=group,
                         against=against, against_from=against_from, against_to=against_to,
                         unit=unit, channel=channel, flow=flow, as_of=as_of)

    def gaps(self, from_: Optional[Day] = None, to: Optional[Day] = None, *,
             date: Optional[Day] = None, group: Optional[str] = None,
             channel: Optional[str] = None, flow: Optional[Flow] = None,
             as_of: Optional[Time] = None, absent: Optional[bool] = None,
             limit: Optional[int] = None, cursor: Optional[str] = None) -> answers.Gaps:
        """Which meters lack days or readings."""
        return self._get(answers.Gaps, "/v1/gaps", from_=from_, to=to, date=date, group=group,
                         channel=channel, flow=flow, as_of=as_of, absent=absent, limit=limit,
                         cursor=cursor)

    def late(self, since: Time, *, by: Optional[Literal["day", "receipt"]] = None,
             group: Optional[str] = None, channel: Optional[str] = None,
             flow: Optional[Flow] = None, limit: Optional[int] = None,
             cursor: Optional[str] = None) -> answers.Late:
        """Which meters have nothing since then."""
        return self._get(answers.Late, "/v1/late", since=since, by=by, group=group,
                         channel=channel, flow=flow, limit=limit, cursor=cursor)

    def changes(self, since: Time, *, meter: Optional[str] = None, group: Optional[str] = None,
                from_: Optional[Day] = None, to: Optional[Day] = None,
                channel: Optional[str] = None, flow: Optional[Flow] = None,
                limit: Optional[int] = None, cursor: Optional[str] = None) -> answers.Changes:
        """The days whose answer now is another than it was then."""
        return self._get(answers.Changes, "/v1/changes", since=since, meter=meter, group=group,
                         from_=from_, to=to, channel=channel, flow=flow, limit=limit,
                         cursor=cursor)

    def groups(self) -> answers.Groups:
        """The named lists of meters."""
        return self._get(answers.Groups, "/v1/groups")

    def group(self, group: str) -> answers.Group:
        """The meters of a group; `EE0*` stands for all whose ids begin so."""
        return self._get(answers.Group, f"/v1/groups/{_part(group)}")

    def set_group(self, group: str, meters: Iterable[str]) -> answers.GroupCounts:
        """Makes a group, or gives it other meters."""
        return self._post(answers.GroupCounts, f"/v1/groups/{_part(group)}",
                          {"meters": list(meters)})

    def remove_group(self, group: str) -> None:
        """Forgets a group; its meters stay."""
        self._ask("DELETE", f"/v1/groups/{_part(group)}").bytes()

    def pages(self, question: Callable[..., P], *args: Any, **parameters: Any) -> Iterator[P]:
        """All pages of a question that has them: `client.pages(client.meters, prefix="EE")`."""
        page = question(*args, **parameters)
        yield page
        while page.next is not None:
            page = question(*args, **parameters, cursor=page.next)
            yield page

    # Tables.

    def readings(self, from_: Day, to: Optional[Day] = None, *, meters: Iterable[str] = (),
                 group: Optional[str] = None, as_of: Optional[Time] = None) -> pyarrow.Table:
        """A row for each interval of a stored day. Needs pyarrow."""
        return self._table("readings", from_, to, meters=meters, group=group, as_of=as_of)

    def days(self, from_: Day, to: Optional[Day] = None, *, meters: Iterable[str] = (),
             group: Optional[str] = None, as_of: Optional[Time] = None) -> pyarrow.Table:
        """A row for each stored day. Needs pyarrow."""
        return self._table("days", from_, to, meters=meters, group=group, as_of=as_of)

    def months(self, from_: Day, to: Optional[Day] = None, *, meters: Iterable[str] = (),
               group: Optional[str] = None, as_of: Optional[Time] = None) -> pyarrow.Table:
        """A row for each month with a stored day. Needs pyarrow."""
        return self._table("months", from_, to, meters=meters, group=group, as_of=as_of)

    def export(self, file: File, table: Table, from_: Day, to: Optional[Day] = None, *,
               meters: Iterable[str] = (), group: Optional[str] = None,
               format: Format = "parquet", as_of: Optional[Time] = None,
               wide: bool = False) -> None:
        """A table into a file, in pieces; one named by a path gets its name when it is whole.

        `wide`, of readings as CSV: a row for each day."""
        pieces = self._ask("GET", "/v1/export", table=table, from_=from_, to=to,
                           meters=",".join(meters) or None, group=group, format=format,
                           as_of=as_of, wide=wide or None).pieces()
        if not isinstance(file, (str, os.PathLike)):
            for piece in pieces:
                file.write(piece)
            return
        path = Path(file)
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        try:
            with open(part, "xb") as out:
                for piece in pieces:
                    out.write(piece)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)

    # Deliveries.

    def upload(self, file: File, *, progress: Optional[Callable[[int, Optional[int]], Any]] = None,
               source: Optional[str] = None, unit: Optional[str] = None,
               zone: Optional[str] = None, feed: Optional[str] = None,
               meter: Optional[str] = None, stamp: Optional[Literal["start", "end"]] = None,
               dates: Optional[str] = None, step: Optional[int] = None,
               strict: Optional[Literal[True]] = None, delivered_at: Optional[Time] = None,
               idempotency_key: Optional[str] = None) -> answers.Loaded:
        """Loads a file, sent in pieces: a path, which also names the source, or what was opened
        for reading in binary. `progress` is called with the bytes sent, and all where that is
        known. One that is refused or fails is a Problem with the report as `loaded`."""
        if isinstance(file, (str, os.PathLike)):
            with open(file, "rb") as opened:
                return self.upload(opened, progress=progress, source=source or Path(file).name,
                                   unit=unit, zone=zone, feed=feed, meter=meter, stamp=stamp,
                                   dates=dates, step=step, strict=strict,
                                   delivered_at=delivered_at, idempotency_key=idempotency_key)
        size = _bytes_left(file)
        headers = {"Content-Type": "application/octet-stream",
                   "Idempotency-Key": f'"{idempotency_key or uuid.uuid4()}"'}
        if size is not None:
            headers["Content-Length"] = str(size)
        sent = Progress(file, lambda done: progress and progress(done, size))
        answer = self._ask("POST", "/v1/deliveries", headers, cast(BinaryIO, sent), source=source,
                           unit=unit, zone=zone, feed=feed, meter=meter, stamp=stamp, dates=dates,
                           step=step, strict=strict, delivered_at=delivered_at)
        loaded = answers.decoded(cast(Any, answers.Loaded), answer.bytes().decode())
        return cast(answers.Loaded, loaded)

    def deliveries(self, *, limit: Optional[int] = None, cursor: Optional[str] = None,
                   source: Optional[str] = None, withdrawn: Optional[Literal[True]] = None,
                   ) -> answers.Deliveries:
        """What was delivered, the latest first."""
        return self._get(answers.Deliveries, "/v1/deliveries", limit=limit, cursor=cursor,
                         source=source, withdrawn=withdrawn)

    def delivery(self, id: str) -> answers.Delivery:
        return self._get(answers.Delivery, f"/v1/deliveries/{_part(id)}")

    def findings(self, id: str) -> answers.Findings:
        return self._get(answers.Findings, f"/v1/deliveries/{_part(id)}/findings")

    def withdraw(self, id: str, reason: str, who: Optional[str] = None) -> answers.Withdrawal:
        """Takes a delivery back: what it said does not count from now on."""
        body = {"reason": reason} if who is None else {"reason": reason, "who": who}
        return self._post(answers.Withdrawal, f"/v1/deliveries/{_part(id)}/withdraw", body)

    def restore(self, id: str, *, reason: Optional[str] = None, who: Optional[str] = None,
                ) -> answers.Withdrawal:
        """Lets a delivery count again that was withdrawn."""
        answer = self._ask("DELETE", f"/v1/deliveries/{_part(id)}/withdraw", reason=reason,
                           who=who)
        return answers.decoded(answers.Withdrawal, answer.bytes().decode())

    # The server.

    def health(self) -> answers.Status:
        return self._get(answers.Status, "/healthz")

    def ready(self) -> answers.Status:
        return self._get(answers.Status, "/readyz")

    def metrics(self) -> str:
        """Text as Prometheus reads it."""
        return self._ask("GET", "/metrics").bytes().decode()

    def openapi(self) -> Any:
        """The description of the API, OpenAPI 3.1."""
        return answers.exact(self._ask("GET", "/openapi.json").bytes().decode())

    def page(self, path: str) -> str:
        """A page for people, or a file of one: /problems, /ui/, /docs/."""
        return self._ask("GET", path).bytes().decode()

    def _get(self, kind: Type[T], path: str, **parameters: Any) -> T:
        return answers.decoded(kind, self._ask("GET", path, **parameters).bytes().decode())

    def _post(self, kind: Type[T], path: str, members: Mapping[str, Any], **parameters: Any) -> T:
        answer = self._ask("POST", path, {"Content-Type": "application/json"},
                           json.dumps(members).encode(), **parameters)
        return answers.decoded(kind, answer.bytes().decode())

    def _ask(self, method: str, path: str, headers: Mapping[str, str] = {},
             body: Union[None, bytes, BinaryIO] = None, **parameters: Any) -> Answer:
        query = urlencode({member_of(name): _text(value) for name, value in parameters.items()
                           if value is not None}, safe=":,@/")
        accepted = {} if path == "/v1/export" else {"Accept-Encoding": "gzip"}
        return self.transport.send(method, f"{path}?{query}" if query else path,
                                   {**accepted, **headers}, body)

    def _table(self, table: Table, from_: Day, to: Optional[Day], **which: Any) -> pyarrow.Table:
        return tables.read(lambda file: self.export(file, table, from_, to, format="arrow",
                                                    **which))


def _of(meter: str, *question: str) -> str:
    return "/".join(("/v1/meters", _part(meter), *question))


def _part(text: str) -> str:
    return quote(text, safe=":")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime) and value.utcoffset() is None:
        raise ValueError(f"{value!r} has no time zone: give it one, like datetime.timezone.utc")
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def _bytes_left(file: BinaryIO) -> Optional[int]:
    """How many bytes a file has from where it stands, where it can tell."""
    if not file.seekable():
        return None
    here = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(here)
    return end - here
