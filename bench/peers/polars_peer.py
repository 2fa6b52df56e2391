#!/usr/bin/env python3
"""Polars, to Parquet by its streaming engine. See parquet_peer.py."""
import datetime
import os
import sys

if "--threads" in sys.argv:  # Read when it is imported.
    os.environ["POLARS_MAX_THREADS"] = sys.argv[sys.argv.index("--threads") + 1]

import polars  # noqa: E402

from parquet_peer import ROW_GROUP_ROWS, ParquetPeer  # noqa: E402
from peer import main  # noqa: E402


def date(text):
    return datetime.date.fromisoformat(text)


class PolarsPeer(ParquetPeer):
    def convert(self, files, target):
        kind = polars.Decimal(9, self.decimals) if self.decimals else polars.Int32
        schema = {"Meter": polars.String, "Date": polars.Date} | {
            name: kind for name in self.columns}
        rows = polars.scan_csv(files, schema=schema, has_header=False, skip_rows=1)
        if len(files) > 1:
            rows = rows.sort("Meter", "Date")
        rows.sink_parquet(target, compression="zstd", compression_level=1,
                          row_group_size=ROW_GROUP_ROWS)

    def questions(self):
        days = polars.scan_parquet(f"{self.store}/*.parquet")
        wide = polars.Decimal(18, self.decimals) if self.decimals else polars.Int64
        columns = [polars.col(name).cast(wide) for name in self.columns]
        row_sum = polars.sum_horizontal(columns).alias("total")
        meter, day = polars.col("Meter"), polars.col("Date")

        def of(key_meter, begin, end):
            return days.filter((meter == key_meter) & (day >= date(begin)) & (day < date(end)))

        def total(*key):
            return self.scaled(of(*key).select("Date", row_sum).collect()["total"].sum())

        def readings(*key):
            rows = of(*key).select(self.columns).collect().rows()
            return sum(self.scaled(sum(row)) for row in rows)

        def portfolio(_, begin, end):
            # The sum is not part of the plan: the engine cannot add decimals up there.
            return self.scaled(
                days.filter(day == date(begin)).select(row_sum).collect()["total"].sum())

        def gaps(_, begin, end):
            wanted = (date(end) - date(begin)).days
            month = days.filter((day >= date(begin)) & (day < date(end)))
            return month.group_by(meter).len().filter(
                polars.col("len") < wanted).collect().height

        return {"day": total, "year": total, "readings": readings, "portfolio": portfolio,
                "gaps": gaps}


if __name__ == "__main__":
    main(PolarsPeer)
