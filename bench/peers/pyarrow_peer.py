#!/usr/bin/env python3
"""pyarrow, to Parquet in Parquet's own delta encoding. See parquet_peer.py."""
import datetime

import pyarrow
import pyarrow.compute as compute
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet

from parquet_peer import ROW_GROUP_ROWS, ParquetPeer
from peer import main


def date(text):
    return pyarrow.scalar(datetime.date.fromisoformat(text), pyarrow.date32())


class PyarrowPeer(ParquetPeer):
    def __init__(self, options):
        super().__init__(options)
        pyarrow.set_cpu_count(self.threads)
        self.type = pyarrow.decimal128(9, self.decimals) if self.decimals else pyarrow.int32()

    def read(self, file):
        types = {"Meter": pyarrow.string(), "Date": pyarrow.date32()} | {
            name: self.type for name in self.columns}
        return pyarrow.csv.read_csv(
            file, read_options=pyarrow.csv.ReadOptions(column_names=list(types), skip_rows=1),
            convert_options=pyarrow.csv.ConvertOptions(column_types=types))

    def convert(self, files, target):
        table = pyarrow.concat_tables([self.read(file) for file in files])
        if len(files) > 1:
            table = table.sort_by([("Meter", "ascending"), ("Date", "ascending")])
        pyarrow.parquet.write_table(
            table, target, compression="zstd", compression_level=1, row_group_size=ROW_GROUP_ROWS,
            use_dictionary=["Meter", "Date"], store_decimal_as_integer=self.decimals > 0,
            column_encoding={name: "DELTA_BINARY_PACKED" for name in self.columns})

    def questions(self):
        days = pyarrow.dataset.dataset(self.store, format="parquet")
        meter, day = pyarrow.dataset.field("Meter"), pyarrow.dataset.field("Date")

        def sum_of(condition):
            table = days.to_table(columns=self.columns, filter=condition)
            if table.num_rows == 0:
                return 0
            return self.scaled(sum(compute.sum(column).as_py() for column in table.columns))

        def total(key_meter, begin, end):
            return sum_of((meter == key_meter) & (day >= date(begin)) & (day < date(end)))

        def portfolio(_, begin, end):
            return sum_of(day == date(begin))

        def gaps(_, begin, end):
            month = days.to_table(columns=["Meter"],
                                  filter=(day >= date(begin)) & (day < date(end)))
            counts = month.group_by("Meter").aggregate([([], "count_all")])["count_all"]
            wanted = (date(end).as_py() - date(begin).as_py()).days
            return compute.sum(compute.less(counts, wanted)).as_py()

        return {"day": total, "year": total, "readings": total, "portfolio": portfolio,
                "gaps": gaps}


if __name__ == "__main__":
    main(PyarrowPeer)
