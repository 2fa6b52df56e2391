"""Asks a meterline server: readings of meters, exact sums, uploads."""
from .answers import Consumption, Delivery, Loaded, LoadReport, NoAnswer
from .client import Client
from .problem import Problem, Unreachable

__all__ = ["Client", "Consumption", "Delivery", "LoadReport", "Loaded", "NoAnswer", "Problem",
           "Unreachable"]
