"""AWS on this machine, for tests: what the real aws CLI and SDK see, without an account.

moto's server with what it lacks (server/), functions under AWS's Runtime Interface Emulator, and an
image registry, each an ordinary process that never outlives this one.
"""
from .local_aws import Call, LocalAws

__all__ = ["Call", "LocalAws"]
