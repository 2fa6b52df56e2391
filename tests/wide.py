"""Wide CSV files for tests, and their sums by plain decimals."""
import csv
import gzip
import io
import os
import random
import struct
import zipfile
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

HALF_HOURS = [f"{hour}:{minute:02}" for hour in range(24) for minute in (0, 30)]


def header(times=None):
    return "Meter,Date," + ",".join(times or HALF_HOURS) + "\n"


def row(meter, day, values):
    return f"{meter},{day}," + ",".join(map(str, values)) + "\n"


def same(value, count=48):
    return [value] * count


def day(index):
    return (date(2019, 1, 1) + timedelta(days=index)).isoformat()


def sums_of(text):
    """(meter, date) -> sum of the readings; the last row of a meter and day counts."""
    rows = csv.reader(io.StringIO(text))
    next(rows)
    return {(cells[0], cells[1]): sum(Decimal(cell) for cell in cells[2:] if cell)
            for cells in rows}


def write(path, text, modified="2019-02-01T00:00:00"):
    """Writes a file that looks as if it was written then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    at = datetime.fromisoformat(modified).replace(tzinfo=timezone.utc).timestamp()
    os.utime(path, (at, at))
    return path


def zipped(files):
    """Pairs of name and text; a name may come twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, text in files:
            file.writestr(zipfile.ZipInfo(name), text, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


def random_file(seed, meters, days):
    """Rows in random order, some readings missing, some with decimals."""
    rng = random.Random(seed)
    rows = []
    for meter in meters:
        for index in range(days):
            values = [rng.choice(("", "0.5", rng.randrange(3000), rng.randrange(3000)))
                      for _ in range(48)]
            rows.append(row(meter, day(index), values))
    rng.shuffle(rows)
    return header() + "".join(rows)


def large_file(seed, meters, days):
    """Like random_file, but by meter and day, and made quickly; full half-hours."""
    rng = random.Random(seed)
    tails = [",".join(str(rng.randrange(3000)) for _ in range(48)) + "\n" for _ in range(500)]
    dates = [day(index) for index in range(days)]
    return header() + "".join(f"{meter},{date},{tails[rng.randrange(500)]}"
                              for meter in meters for date in dates)


def gzip_members(*texts):
    return b"".join(gzip.compress(text.encode()) for text in texts)


def zstd_frame(text):
    """A frame of stored blocks (RFC 8878): no library needed."""
    content, block_max = text.encode(), 1 << 17
    frame = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(content))
    for at in range(0, max(len(content), 1), block_max):
        block = content[at:at + block_max]
        is_last = at + block_max >= len(content)
        frame += struct.pack("<I", len(block) << 3 | is_last)[:3] + block
    return frame
