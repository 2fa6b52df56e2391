"""What can go wrong: the server says no, or it cannot be reached."""
from __future__ import annotations

import re
from typing import Optional

from .answers import Delivery, LoadReport, Loaded

# How the detail of a 400 names the parameter that is wrong.
_PARAMETER = re.compile(r'(?:unknown parameter "([^"]+)"|([\w-]+)(?:: want| is missing| is given))')


class Problem(Exception):
    """An answer that is no answer: a problem of RFC 9457, or a file that was not stored."""

    def __init__(self, status: int, title: str, detail: str, type: str = "about:blank",
                 loaded: Optional[Loaded] = None) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.type = type  # Like /problems#not-found, a page of the server.
        self.title = title
        self.detail = detail  # What is wrong, and what to do.
        self.loaded = loaded  # Of an upload that was refused or failed: its report.

    @property
    def parameter(self) -> Optional[str]:
        """The parameter that is wrong, as the HTTP API calls it, where one is."""
        found = _PARAMETER.match(self.detail) if self.status == 400 else None
        return (found[1] or found[2]) if found else None


class Unreachable(ConnectionError):
    """No answer, or not all of it. Whether an upload was stored is not known: send it again."""


def not_stored(status: int, loaded: Loaded) -> Problem:
    """Of an upload that was refused (422) or failed (503)."""
    deliveries = loaded.deliveries if isinstance(loaded, LoadReport) else [loaded]
    reasons = [_reason(each) for each in deliveries if each.state in ("refused", "failed")]
    return Problem(status, "Not stored", "; ".join(reasons), loaded=loaded)


def _reason(delivery: Delivery) -> str:
    return f"{delivery.source} {delivery.state}: {delivery.reason}"
