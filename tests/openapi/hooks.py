"""What schemathesis cannot know of the server that it asks: which meters and deliveries there are,
and what one parameter means for another. Values that break the schema stay as they are."""
import json
import os
import re

import schemathesis

METER = re.compile("[A-Za-z0-9_.:-]{1,64}")
GROUP = re.compile("[A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,63}")
METERS = re.compile("[A-Za-z0-9_.:,-]+")
DELIVERY = re.compile("[0-9A-Fa-f]{32}")
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME = re.compile("[0-9-]{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")
ZONES = ["UTC", "+10:00", "Europe/London", "unknown"]
REAL = json.loads(os.environ["METERLINE_REAL"])
HEADER = "Meter,Date," + ",".join(f"{hour}:00" for hour in range(24)) + "\n"


def is_like(pattern, value):
    return isinstance(value, str) and pattern.fullmatch(value)


def one_of(choices, value):
    """Always the same for a value."""
    return choices[sum(value.encode(errors="replace")) % len(choices)]


def name_what_there_is(path, names):
    if is_like(METER, names.get("meter")):
        names["meter"] = one_of(REAL["meters"], names["meter"])
    if is_like(DELIVERY, names.get("id")):
        is_change = path.endswith("/withdraw")
        names["id"] = REAL["spare"] if is_change else one_of(REAL["deliveries"], names["id"])


def name_a_group(case):
    """One that is there and stays; others are made and forgotten."""
    group = (case.path_parameters or {}).get("group")
    if is_like(GROUP, group):
        own = REAL["group"] if case.method == "GET" else "spare"
        case.path_parameters["group"] = own
    if is_like(GROUP, case.query.get("group")):
        case.query["group"] = REAL["group"]


def order_days(path, query):
    """A day, or a span of at most 40 years; its first day is there, and not the later one."""
    first, last = query.get("from"), query.get("to")
    if is_like(DAY, query.get("date")):
        if all(end is None or is_like(DAY, end) for end in (first, last)):
            query.pop("from", None)
            query.pop("to", None)
    elif is_like(DAY, last) and (first is None or is_like(DAY, first)):
        query["from"] = min(max(first or last, f"{int(last[:4]) - 39}-12-31"), last)
    elif path.endswith("/gaps") and "date" not in query and first is None and last is None:
        query["date"] = "2019-01-01"


def choose_days_to_compare_with(query):
    """Those before or in a time of their own; there must be such days."""
    first, last = query.get("againstFrom"), query.get("againstTo")
    if "against" in query and all(end is None or is_like(DAY, end) for end in (first, last)):
        query.pop("againstFrom", None)
        query.pop("againstTo", None)
    elif is_like(DAY, last) and (first is None or is_like(DAY, first)):
        query["againstFrom"] = max(min(first or last, last), f"{int(last[:4]) - 39}-12-31")
        query["againstFrom"] = min(query["againstFrom"], last)
    for end in ("from", "to"):
        if is_like(DAY, query.get(end)) and query[end] < "1950":
            query[end] = "1950" + query[end][4:].replace("02-29", "02-28")


def make_wide(query):
    """Readings of one length, as CSV."""
    if query.get("table") in ("days", "months"):
        query["table"] = "readings"
    if query.get("format") in (None, "parquet", "arrow"):
        query["format"] = "csv"
    if "meters" not in query or is_like(METERS, query["meters"]):
        query["meters"] = "EE00027"


@schemathesis.hook
def before_call(context, case, kwargs):
    path = case.operation.path
    if case.path_parameters:
        name_what_there_is(path, case.path_parameters)
    if path.endswith("/compare"):
        choose_days_to_compare_with(case.query)
    order_days(path, case.query)
    name_a_group(case)
    if isinstance(case.query.get("tariff"), str) and case.query["tariff"]:
        case.query["tariff"] = REAL["tariff"]
    if path == "/v1/export" and case.query.get("wide") == "true":
        make_wide(case.query)
    is_by_day = case.query.get("by", "day") == "day"
    if path == "/v1/late" and is_by_day and is_like(TIME, case.query.get("since")):
        case.query["since"] = case.query["since"][:10]
    zone = case.query.get("zone")
    if path == "/v1/deliveries" and isinstance(zone, str) and zone:
        case.query["zone"] = one_of(ZONES, zone)


@schemathesis.hook
def map_body(context, body):
    """A file of a meter of its own."""
    if context.operation.path != "/v1/deliveries":
        return body
    day = sum(repr(body).encode()) % 28 + 1
    return (HEADER + f"FUZZ,2020-01-{day:02},{','.join(['1'] * 24)}\n").encode()
