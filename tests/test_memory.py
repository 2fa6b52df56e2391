"""Memory does not grow with the file, whatever order its rows come in."""
import random
import subprocess
import sys

import wide
from conftest import finish

FILE_BYTES = 300 << 20
PEAK_KIB_MAX = 300 << 10
METERS, DAYS, REPEATS = 1400, 365, 1000
# Runs a program and prints its peak memory. A process of its own: a child's peak begins with what
# its parent holds, and the tests may hold much.
MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class RandomRows:
    """Rows of 1,400 meters and a year in random order; the last 1,000 say earlier ones anew."""

    def __init__(self):
        rng = random.Random(300)
        self.tails, self.sums = [], []
        for _ in range(400):
            values = [f"{rng.randrange(10**8, 10**9)}.{rng.randrange(100):02}" for _ in range(48)]
            self.tails.append(",".join(values) + "\n")
            self.sums.append(sum(map(wide.Decimal, values)))
        self.order = list(range(METERS * DAYS))
        rng.shuffle(self.order)
        self.order += self.order[:REPEATS]

    def tail_of(self, at):
        return (self.order[at] * 7 + (3 if at >= METERS * DAYS else 0)) % len(self.tails)

    def pieces(self):
        dates = [wide.day(index) for index in range(DAYS)]
        yield wide.header().encode()
        step = 2000
        for start in range(0, len(self.order), step):
            yield "".join(
                f"M{self.order[at] // DAYS},{dates[self.order[at] % DAYS]},"
                f"{self.tails[self.tail_of(at)]}"
                for at in range(start, min(start + step, len(self.order)))).encode()

    def sums_of_days(self):
        """Of all meters together, after the repeats."""
        sums = dict.fromkeys(range(DAYS), 0)
        tails = {self.order[at]: self.tail_of(at) for at in range(len(self.order))}
        for key, tail in tails.items():
            sums[key % DAYS] += self.sums[tail]
        return {wide.day(index): total for index, total in sums.items()}


def test_a_large_file_in_random_order_is_loaded_in_little_memory(meterline):
    rows, sent = RandomRows(), 0
    process = meterline.start("ingest", "-", stdin=subprocess.PIPE,
                              wrapper=[sys.executable, "-c", MEASURED])
    for piece in rows.pieces():
        process.stdin.write(piece)
        sent += len(piece)
    done = finish(process, expect=0)
    assert sent > FILE_BYTES
    assert int(done.err) < PEAK_KIB_MAX

    assert done.delivery["rows"] == {"read": METERS * DAYS + REPEATS, "stored": METERS * DAYS,
                                     "repeated": REPEATS, "rejected": 0}
    assert done.delivery["findingCounts"] == {"repeated": REPEATS}
    lines = [finding["line"] for finding in done.delivery["findings"]]
    assert lines == list(range(2, REPEATS + 2))

    answer = meterline("portfolio", "--from", wide.day(0), "--to", wide.day(DAYS - 1)).json
    (channel,) = answer["channels"]
    assert {point["start"]: point["sum"] for point in channel["series"]} == rows.sums_of_days()
