"""Asks a meterline server: readings of meters, exact sums, tables, uploads."""
from .answers import Consumption, Delivery, Loaded, LoadReport, NoAnswer
from .client import Client
from .problem import Problem, Unreachable
from .tables import to_pandas, to_polars

__all__ = ["Client", "Consumption", "Delivery", "LoadReport", "Loaded", "NoAnswer", "Problem",
           "Unreachable", "to_pandas", "to_polars"]
