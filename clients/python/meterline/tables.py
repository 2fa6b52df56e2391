"""Tables of the bulk export as pyarrow, pandas or Polars have them: exact decimals everywhere."""
from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, BinaryIO, Callable, cast

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


def read(export: Callable[[BinaryIO], None]) -> pyarrow.Table:
    """Reads a table of Arrow's file format, which is read from its end, by way of a file."""
    import pyarrow.ipc

    with tempfile.TemporaryFile() as file:
        export(cast(BinaryIO, file))
        file.seek(0)
        with pyarrow.ipc.open_file(file) as opened:
            return opened.read_all()


def to_pandas(table: pyarrow.Table) -> pandas.DataFrame:
    """Columns of Arrow's types: decimals stay exact, and what is missing is <NA>."""
    import pandas

    return table.to_pandas(types_mapper=pandas.ArrowDtype)


def to_polars(table: pyarrow.Table) -> polars.DataFrame:
    import polars

    return cast("polars.DataFrame", polars.from_arrow(table))
