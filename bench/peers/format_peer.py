#!/usr/bin/env python3
"""What people read files with today, each to what bench/formats.py asks of all: how many readings a
file has, and their sum.

    format_peer.py nemreader|elementtree|duckdb|polars FILE STORE

duckdb and polars read a long CSV into sorted days in STORE, the others keep nothing.
"""
import sys
from decimal import Decimal


def nemreader(path, _store):
    from nemreader import read_nem_file
    count, total = 0, Decimal(0)
    for channels in read_nem_file(path).readings.values():
        for readings in channels.values():
            count += len(readings)
            total += sum(Decimal(str(reading.read_value)) for reading in readings)
    return count, total


def elementtree(path, _store):
    """Each reading's start, duration and value, and no more of the file in memory than a block."""
    from xml.etree import ElementTree
    espi = "{http://naesb.org/espi}"
    count = total = 0
    starts = []
    for _, element in ElementTree.iterparse(path):
        if element.tag == espi + "IntervalReading":
            period = element.find(espi + "timePeriod")
            starts.append((int(period.findtext(espi + "start")),
                           int(period.findtext(espi + "duration"))))
            total += int(element.findtext(espi + "value"))
            count += 1
        elif element.tag == espi + "IntervalBlock":
            starts.clear()
            element.clear()
    return count, Decimal(total) / 1000


def duckdb(path, store):
    import duckdb
    connection = duckdb.connect(store, config={"threads": 1})
    connection.execute(f"""
        CREATE TABLE days AS
        SELECT Meter, CAST("Start" AS DATE) AS day, list(kWh ORDER BY "Start") AS readings,
               list(Flag ORDER BY "Start") AS flags
        FROM read_csv('{path}', header = true, auto_detect = false, delim = ',', columns =
                      {{'Meter': 'VARCHAR', 'Start': 'TIMESTAMP', 'kWh': 'DECIMAL(9,3)',
                        'Flag': 'VARCHAR'}})
        GROUP BY ALL ORDER BY ALL""")
    connection.execute("CHECKPOINT")
    return connection.execute("SELECT sum(len(readings)), sum(list_sum(readings)) FROM days"
                              ).fetchone()


def polars(path, store):
    import polars
    days = (polars.scan_csv(path, schema={"Meter": polars.String, "Start": polars.Datetime,
                                          "kWh": polars.Decimal(9, 3), "Flag": polars.String})
            .sort("Meter", "Start")
            .group_by("Meter", polars.col("Start").dt.date().alias("day"), maintain_order=True)
            .agg("kWh", "Flag").collect(engine="streaming"))
    days.write_parquet(store)
    flat = days.select(polars.col("kWh").explode())
    return flat.height, flat["kWh"].sum()


if __name__ == "__main__":
    peer, file, place = sys.argv[1:]
    readings, energy = globals()[peer](file, place)
    print(readings, Decimal(energy).normalize())
