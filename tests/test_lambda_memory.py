"""The processor's function needs no more memory for a larger object."""
import os

import pytest

import wide
from aws.emulated import Emulated, object_event
from conftest import binary

# The totals of up to a million days wait to be packed together, which the smaller object does not
# fill. Rows that were held without a bound would take 60 MB more.
GROWTH_BYTES_MAX = 40 << 20
PEAK_BYTES_MAX = 256 << 20
# 90 and 180 MB: already the smaller one has more rows than are held in memory.
METERS_SMALL, METERS_LARGE = 1200, 2400


@pytest.fixture
def peak_of(local_aws, on_cassandra):
    """Loads an object by a new process of the function; its peak memory."""
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="memory")
    variables = local_aws.env | {"METERLINE_STORE": on_cassandra.env["METERLINE_STORE"],
                                 "METERLINE_UNIT": "unknown",
                                 "METERLINE_BUCKETS": "memory", "TMPDIR": os.environ.get(
                                     "TMPDIR", "/tmp")}

    def peak(meters):
        key = f"{meters}.csv"
        text = wide.large_file(meters, [f"M{number:04}" for number in range(meters)], 365).encode()
        s3.put_object(Bucket="memory", Key=key, Body=text)
        with Emulated([binary(), "lambda", "processor"], variables) as function:
            function.invoke(object_event("memory", key, len(text)))
            return function.peak_memory()

    return peak


def test_memory_does_not_grow_with_the_object(peak_of, on_cassandra):
    small, large = peak_of(METERS_SMALL), peak_of(METERS_LARGE)
    assert large < PEAK_BYTES_MAX
    assert large - small < GROWTH_BYTES_MAX, f"{small >> 20} MiB, then {large >> 20} MiB"
    assert len(on_cassandra("meters", "--prefix", "M23").json["meters"]) == 100  # The last ones.
