#!/usr/bin/env python3
"""The questions of api_race.py by FastAPI, before DuckDB or PostgreSQL.

    api_peer.py duckdb|postgres FOLDER FILE...   loads files of make_files.cc
    api_peer.py duckdb|postgres FOLDER --serve   answers, with a process for each core

A row is a day: its total beside its readings, so that no question but one reads these.
"""
import datetime
import os
import pathlib
import socket
import sys

COLUMNS = [f"h{i}" for i in range(48)]


def selected(files):
    """The days of files, by DuckDB."""
    types = {"Meter": "VARCHAR", "Date": "DATE"} | {name: "INTEGER" for name in COLUMNS}
    return (f"SELECT Meter AS meter, Date AS date, list_sum(r)::INTEGER AS total, r AS readings "
            f"FROM (SELECT Meter, Date, [{', '.join(COLUMNS)}] AS r FROM read_csv({files}, "
            f"header = true, auto_detect = false, delim = ',', columns = {types}))")


class Duckdb:
    def __init__(self, folder):
        self.path = str(folder / "days.duckdb")

    def load(self, files):
        import duckdb
        with duckdb.connect(self.path) as database:
            database.execute(f"CREATE TABLE days AS {selected(files)} ORDER BY meter, date")
            database.execute("CREATE UNIQUE INDEX by_meter ON days (meter, date)")

    async def open(self):
        import duckdb
        self.database = duckdb.connect(self.path, read_only=True, config={"threads": 1})

    async def rows(self, text, *values):
        return self.database.execute(text, values).fetchall()


class Postgres:
    def __init__(self, folder):
        self.socket, self.folder = str(folder / "socket"), folder

    def load(self, files):
        import asyncio

        import duckdb
        for at, file in enumerate(files):
            rows = (f"SELECT meter, date, total, '{{' || array_to_string(readings, ',') || '}}' "
                    f"FROM ({selected([file])})")
            duckdb.sql(f"COPY ({rows}) TO '{self.folder}/rows{at}.csv' (HEADER false)")
        asyncio.run(self.copy(len(files)))

    async def copy(self, files):
        import asyncpg
        connection = await asyncpg.connect(host=self.socket, user="postgres", database="postgres")
        await connection.execute("CREATE TABLE days (meter text, date date, total integer, "
                                 "readings integer[])")
        for at in range(files):
            path = self.folder / f"rows{at}.csv"
            with open(path, "rb") as file:
                await connection.copy_to_table("days", source=file, format="csv")
            path.unlink()
        await connection.execute("ALTER TABLE days ADD PRIMARY KEY (meter, date)")
        await connection.execute("CREATE INDEX ON days (date) INCLUDE (total)")
        await connection.execute("VACUUM ANALYZE days")
        await connection.close()

    async def open(self):
        import asyncpg
        self.pool = await asyncpg.create_pool(host=self.socket, user="postgres",
                                              database="postgres", min_size=4, max_size=4)

    async def rows(self, text, *values):
        return await self.pool.fetch(text, *values)


BACKENDS = {"duckdb": Duckdb, "postgres": Postgres}


def make_app():
    """Called in each process of the server."""
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from fastapi.responses import ORJSONResponse

    days = BACKENDS[os.environ["API_PEER"]](pathlib.Path(os.environ["API_PEER_FOLDER"]))

    @asynccontextmanager
    async def lifespan(_):
        await days.open()
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/day")
    async def day(meter: str, first: datetime.date):
        rows = await days.rows("SELECT total FROM days WHERE meter = $1 AND date = $2", meter,
                               first)
        return ORJSONResponse({"meter": meter, "date": first, "sum": rows[0][0] if rows else None})

    def series(meter, rows):
        return ORJSONResponse({"meter": meter, "starts": [row[0] for row in rows],
                               "sums": [row[1] for row in rows]})

    @app.get("/month")
    async def month(meter: str, first: datetime.date, last: datetime.date):
        rows = await days.rows("SELECT date, total FROM days WHERE meter = $1 AND date BETWEEN $2 "
                               "AND $3 ORDER BY date", meter, first, last)
        by_date = dict(map(tuple, rows))
        dates = [first + datetime.timedelta(at) for at in range((last - first).days + 1)]
        return series(meter, [(date, by_date.get(date)) for date in dates])

    @app.get("/year")
    async def year(meter: str, first: datetime.date, last: datetime.date):
        rows = await days.rows("SELECT date_trunc('month', date), sum(total)::BIGINT FROM days "
                               "WHERE meter = $1 AND date BETWEEN $2 AND $3 GROUP BY 1 ORDER BY 1",
                               meter, first, last)
        return series(meter, rows)

    @app.get("/readings")
    async def readings(meter: str, first: datetime.date):
        rows = await days.rows("SELECT readings FROM days WHERE meter = $1 AND date = $2", meter,
                               first)
        sums = list(rows[0][0]) if rows else [None] * 48
        return ORJSONResponse({"meter": meter, "date": first, "sums": sums})

    @app.get("/portfolio")
    async def portfolio(first: datetime.date):
        rows = await days.rows("SELECT sum(total)::BIGINT, count(*) FROM days WHERE date = $1",
                               first)
        return ORJSONResponse({"date": first, "sum": rows[0][0], "meters": rows[0][1]})

    return app


def serve(name, folder):
    import uvicorn
    os.environ["API_PEER"], os.environ["API_PEER_FOLDER"] = name, str(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    print(f"listening on {port}", flush=True)
    uvicorn.run("api_peer:make_app", factory=True, host="127.0.0.1", port=port,
                workers=os.cpu_count(), access_log=False, log_level="warning")


def main():
    name, folder, *files = sys.argv[1:]
    folder = pathlib.Path(folder)
    if files == ["--serve"]:
        serve(name, folder)
    else:
        BACKENDS[name](folder).load(files)


if __name__ == "__main__":
    main()
