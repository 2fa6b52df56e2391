"""The answers of the HTTP API as plain objects, named and nested as in its document.

Sums and readings are `Decimal`, never a float; `None` is what nobody knows, and never zero.
"""
from __future__ import annotations

import dataclasses
import datetime
import functools
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import (Any, Optional, Type, TypeVar, Union, cast, get_args, get_origin,
                    get_type_hints)

Start = Union[datetime.datetime, datetime.date]  # A day, or a local time below a day.


@dataclass(frozen=True)
class Quality:
    """How many readings are of which quality."""
    actual: int
    substituted: int
    estimated: int
    missing: int


@dataclass(frozen=True)
class Version:
    """When something was stated to be made, and when the store received it."""
    stated: datetime.datetime
    received: datetime.datetime


@dataclass(frozen=True)
class Note:
    """What the source itself says of a reading."""
    flag: Optional[str]
    method: Optional[str]
    reason_code: Optional[str]
    reason_text: Optional[str]


@dataclass(frozen=True)
class DaySum:
    meter_id: str
    date: str  # dd-MM-yyyy, as it was asked.
    sum: Decimal  # 0 also where nothing is known: ask for consumption() to tell.


@dataclass(frozen=True)
class Channel:
    channel: str
    flow: str  # consumption, generation, reactive or other.
    unit: Optional[str]


@dataclass(frozen=True)
class Total:
    sum: Optional[Decimal]  # None where no reading is known, or where they do not add up.
    readings: int  # What the sum rests on,
    expected: int  # of so many.
    quality: Quality
    version: Optional[Version]  # The newest that gave a reading.


@dataclass(frozen=True)
class Period:
    from_: datetime.date
    to: datetime.date  # Inclusive.


@dataclass(frozen=True)
class Question(Period):
    as_of: Optional[datetime.datetime]


@dataclass(frozen=True)
class MeterQuestion(Question):
    meter: str


@dataclass(frozen=True)
class Point(Total):
    start: Start
    note: Optional[Note] = None  # Of an interval, where the source says something of it.


@dataclass(frozen=True)
class ConsumptionChannel(Total, Channel):
    series: list[Point]


@dataclass(frozen=True)
class Consumption(MeterQuestion):
    resolution: str
    channels: list[ConsumptionChannel]


@dataclass(frozen=True)
class NoAnswer:
    """Of a meter of a batch that has none."""
    meter: str
    problem: str


@dataclass(frozen=True)
class Batches:
    answers: list[Union[Consumption, NoAnswer]]  # In the order of the meters.


@dataclass(frozen=True)
class Extreme:
    start: Start
    sum: Optional[Decimal]


@dataclass(frozen=True)
class Mean:
    average: Optional[Decimal]
    count: int


@dataclass(frozen=True)
class ProfileSlot:
    start: str  # HH:MM of the day.
    weekday: Mean
    weekend: Mean


@dataclass(frozen=True)
class ProfileChannel(Channel):
    average: Optional[Decimal]
    count: int
    peak: Optional[Extreme]
    lowest: Optional[Extreme]
    load_factor: Optional[Decimal]
    profile: list[ProfileSlot]


@dataclass(frozen=True)
class Profile(MeterQuestion):
    resolution: str
    channels: list[ProfileChannel]


@dataclass(frozen=True)
class PortfolioTotal(Total):
    average: Optional[Decimal]
    meters: int  # With at least one reading,
    meters_incomplete: int  # of which so many lack some.


@dataclass(frozen=True)
class PortfolioPoint(PortfolioTotal):
    start: datetime.date


@dataclass(frozen=True)
class PortfolioChannel(PortfolioTotal, Channel):
    series: list[PortfolioPoint]


@dataclass(frozen=True)
class Portfolio(Question):
    resolution: str
    channels: list[PortfolioChannel]


@dataclass(frozen=True)
class TopMeter:
    meter: str
    sum: Optional[Decimal]
    readings: int
    days: int  # Of which all readings are there.


@dataclass(frozen=True)
class TopChannel(Channel):
    meters: int
    top: list[TopMeter]


@dataclass(frozen=True)
class Top(Question):
    order: str
    channels: list[TopChannel]


@dataclass(frozen=True)
class CompareChannel(PortfolioTotal, Channel):
    against: PortfolioTotal
    difference: Optional[Decimal]
    percent: Optional[Decimal]


@dataclass(frozen=True)
class Compare(Question):
    against: Period
    channels: list[CompareChannel]


@dataclass(frozen=True)
class MeterCompareChannel(Total, Channel):
    against: Total
    difference: Optional[Decimal]
    percent: Optional[Decimal]


@dataclass(frozen=True)
class MeterCompare(MeterQuestion):
    against: Period
    channels: list[MeterCompareChannel]


@dataclass(frozen=True)
class Band(Total):
    band: str
    straddling: int  # Readings of intervals that reach into another band.


@dataclass(frozen=True)
class BandsOfSpan:
    start: datetime.date
    bands: list[Band]


@dataclass(frozen=True)
class TimeOfUseChannel(Total, Channel):
    bands: list[Band]
    series: list[BandsOfSpan]


@dataclass(frozen=True)
class TimeOfUse(MeterQuestion):
    tariff: str
    resolution: str
    channels: list[TimeOfUseChannel]


@dataclass(frozen=True)
class BaseLoadChannel(Channel):
    base: Optional[Decimal]
    base_unit: Optional[str]
    days: int
    complete: int
    intervals: int


@dataclass(frozen=True)
class BaseLoad(MeterQuestion):
    channels: list[BaseLoadChannel]


@dataclass(frozen=True)
class GapsTotal:
    meters: int
    meters_with_gaps: int
    days: int
    stored: int
    complete: int


@dataclass(frozen=True)
class GapsChannel(Channel):
    days: int
    stored: int
    complete: int
    first_gap: datetime.date


@dataclass(frozen=True)
class MeterWithGaps:
    meter: str
    channels: list[GapsChannel]


@dataclass(frozen=True)
class Gaps(Question):
    absent: bool
    total: GapsTotal
    meters: list[MeterWithGaps]
    next: Optional[str]


@dataclass(frozen=True)
class Gap(Period):
    kind: str  # missing or incomplete.
    days: int
    readings: int
    expected: Optional[int]


@dataclass(frozen=True)
class MeterGapsChannel(Channel):
    days: int
    stored: int
    complete: int
    gaps: list[Gap]


@dataclass(frozen=True)
class MeterGaps(MeterQuestion):
    channels: list[MeterGapsChannel]


@dataclass(frozen=True)
class LateChannel(Channel):
    last: datetime.date


@dataclass(frozen=True)
class LateMeter:
    meter: str
    channels: list[LateChannel]


@dataclass(frozen=True)
class Late:
    since: Start
    by: str
    meters: list[LateMeter]
    next: Optional[str]


@dataclass(frozen=True)
class GroupCounts:
    """How many meters a group names, and beginnings of meters; or why it cannot be read."""
    group: str
    ids: Optional[int] = None
    prefixes: Optional[int] = None
    changed: Optional[datetime.datetime] = None
    fault: Optional[str] = None


@dataclass(frozen=True)
class Groups:
    groups: list[GroupCounts]


@dataclass(frozen=True)
class Group:
    group: str
    changed: datetime.datetime
    meters: list[str]


@dataclass(frozen=True)
class Event:
    kind: str  # withdrawn or restored.
    at: datetime.datetime
    who: str
    reason: str


@dataclass(frozen=True)
class DeliveryOfVersion:
    id: str
    source: Optional[str]
    state: Optional[str]
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True)
class NoteRun(Note):
    start: Start
    intervals: int


@dataclass(frozen=True)
class SlotChange:
    start: Start
    before: Optional[Decimal]
    after: Optional[Decimal]
    quality_before: str
    quality_after: str
    note_before: Optional[Note] = None
    note_after: Optional[Note] = None


@dataclass(frozen=True)
class DayVersion:
    version: Version
    origin: str
    delivery: DeliveryOfVersion
    counts: bool  # Whether a reading of today's answer is its own.
    interval_minutes: int
    zone: Optional[str]
    sum: Optional[Decimal]
    readings: int
    expected: int
    quality: Quality
    notes: list[NoteRun]
    changes: list[SlotChange]
    serial: Optional[str] = None
    register: Optional[str] = None
    unit_sent: Optional[str] = None


@dataclass(frozen=True)
class HistoryChannel(Channel):
    versions: list[DayVersion]  # The one received last first.


@dataclass(frozen=True)
class History:
    meter: str
    date: datetime.date
    channels: list[HistoryChannel]


@dataclass(frozen=True)
class PreviousRead:
    time: Start
    value: Optional[Decimal]
    quality: str
    note: Optional[Note] = None


@dataclass(frozen=True)
class RegisterRead(Channel):
    register: Optional[str]
    serial: Optional[str]
    time: Start
    value: Optional[Decimal]
    quality: str
    previous: Optional[PreviousRead]
    counted: Optional[Decimal]
    next_read: Optional[datetime.date]
    version: Version
    delivery: str
    note: Optional[Note] = None


@dataclass(frozen=True)
class Registers:
    meter: str
    from_: Optional[datetime.date]
    to: Optional[datetime.date]
    as_of: Optional[datetime.datetime]
    reads: list[RegisterRead]
    next: Optional[str]


@dataclass(frozen=True)
class ChangedDay(Channel):
    meter: str
    date: datetime.date
    readings_changed: int
    before: Optional[Total]
    after: Optional[Total]


@dataclass(frozen=True)
class Changes:
    since: datetime.datetime
    meter: Optional[str]
    from_: Optional[datetime.date]
    to: Optional[datetime.date]
    days: list[ChangedDay]
    next: Optional[str]


@dataclass(frozen=True)
class MeterChannel(Channel):
    interval: int  # Minutes.
    first: datetime.date
    last: datetime.date
    zone: Optional[str]
    serial: Optional[str] = None
    register: Optional[str] = None
    unit_sent: Optional[str] = None


@dataclass(frozen=True)
class Meter:
    meter: str
    channels: list[MeterChannel]
    register_reads: bool = False


@dataclass(frozen=True)
class Meters:
    meters: list[Meter]
    next: Optional[str]


@dataclass(frozen=True)
class RowCounts:
    read: int
    stored: int
    repeated: int
    rejected: int


@dataclass(frozen=True)
class ReadingCounts(RowCounts):
    missing: int


@dataclass(frozen=True)
class Feed:
    name: str
    sha256: str


@dataclass(frozen=True)
class Finding:
    line: int
    column: int
    code: str
    severity: str  # note, warning or loss.
    text: str
    excerpt: str


@dataclass(frozen=True)
class DeliverySummary:
    id: str
    source: str
    state: str  # stored, skipped, refused, failed or withdrawn.
    reason: Optional[str]
    format: Optional[str]
    delivered_at: datetime.datetime
    received_at: datetime.datetime
    bytes: int
    sha256: str
    unit: Optional[str]
    reader: int
    rows: RowCounts
    readings: ReadingCounts
    finding_counts: dict[str, int]
    recognised_by: Optional[str] = None
    zone: Optional[str] = None
    feed: Optional[Feed] = None
    object_version: Optional[str] = None
    events: list[Event] = field(default_factory=list)
    register_reads: Optional[RowCounts] = None


@dataclass(frozen=True)
class Delivery(DeliverySummary):
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Deliveries:
    deliveries: list[DeliverySummary]
    next: Optional[str]


@dataclass(frozen=True)
class Findings:
    id: str
    finding_counts: dict[str, int]
    findings: list[Finding]


@dataclass(frozen=True)
class LoadTotal:
    deliveries: int
    stored: int
    skipped: int
    refused: int
    failed: int
    rows: RowCounts
    readings: ReadingCounts
    register_reads: Optional[RowCounts] = None


@dataclass(frozen=True)
class LoadReport:
    """Of a zip with several files: each is a delivery."""
    deliveries: list[Delivery]
    total: LoadTotal


Loaded = Union[Delivery, LoadReport]


@dataclass(frozen=True)
class Withdrawal:
    changed: bool
    delivery: DeliverySummary


@dataclass(frozen=True)
class Status:
    status: str


T = TypeVar("T")


def exact(text: str) -> Any:
    """JSON with its numbers as they were written."""
    return json.loads(text, parse_float=Decimal)


def decoded(kind: Type[T], text: str) -> T:
    """The text of an answer as an object; members that this version does not know are left out."""
    made: T = _value(kind, exact(text))
    return made


def member_of(name: str) -> str:
    """What the API calls a field or a parameter: `from_` is `from`, `as_of` is `asOf`."""
    first, *others = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in others)


@functools.lru_cache(maxsize=None)
def _members(kind: Any) -> list[tuple[str, str, Any, bool]]:
    """Field, member, type, and whether it has to be there."""
    hints = get_type_hints(kind)
    return [(each.name, member_of(each.name), hints[each.name],
             each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING)
            for each in dataclasses.fields(kind)]


def _value(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin is Union:
        return None if value is None else _value(_chosen(get_args(kind), value), value)
    if origin is list:
        return [_value(get_args(kind)[0], each) for each in value]
    if dataclasses.is_dataclass(kind):
        members: list[tuple[str, str, Any, bool]] = _members(cast(Any, kind))
        return cast(Any, kind)(**{name: _value(hint, value[member])
                                  for name, member, hint, needed in members
                                  if needed or member in value})
    if kind is Decimal:
        return Decimal(value)
    if kind is datetime.date:
        return datetime.date.fromisoformat(value)
    return time_of(value) if kind is datetime.datetime else value


def _chosen(kinds: tuple[Any, ...], value: Any) -> Any:
    """Which of a union's types a value that is not null has."""
    if datetime.datetime in kinds:
        return datetime.datetime if "T" in value or datetime.date not in kinds else datetime.date
    kinds = tuple(kind for kind in kinds if kind is not type(None))
    return next((kind for kind in kinds[:-1] if all(
        member in value for _, member, _, needed in _members(kind) if needed)), kinds[-1])


def time_of(text: str) -> datetime.datetime:
    """A time of RFC 3339, or a local one without an offset; Python 3.9 reads few of them."""
    found = re.fullmatch(r"([^.Z+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", text)
    if found is None:
        raise ValueError(f"want a time, got {text!r}")
    plain, fraction, offset = found.groups()
    micros = ("." + fraction[:6].ljust(6, "0")) if fraction else ""
    return datetime.datetime.fromisoformat(plain + micros + (offset or "").replace("Z", "+00:00"))
