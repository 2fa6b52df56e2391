"""Questions over all meters of a cluster take little memory, however many versions there are."""
import sys

import wide
from test_memory import MEASURED

METERS, VERSIONS = 100_000, 6
DAY = "2019-01-01"
PEAK_KIB_MAX = 100 << 10
# Between one version and six: buffers of the driver and the allocator, not claims.
GROWTH_KIB_MAX = 12 << 10
QUESTIONS = (["portfolio"], ["top", "--limit", "3"])
# Asks for each meter's first day and last: a minute on one node.
SLOW_QUESTION = ["gaps", "--limit", "3"]


def version_of_all(version):
    """Every meter used `version` in each half hour."""
    tail = ",".join([str(version)] * 48)
    return wide.header() + "".join(f"M{meter:06},{DAY},{tail}\n" for meter in range(METERS))


def asked(meterline, question):
    """The most memory that it took, in KiB, and the answer."""
    done = meterline(*question, "--from", DAY, "--to", DAY, "--output", "json",
                     wrapper=[sys.executable, "-c", MEASURED], deadline_s=400)
    return int(done.err), done.json


def test_all_meters_of_a_day_take_the_same_memory_in_one_version_and_in_six(on_cassandra):
    peaks = {}
    for version in range(1, VERSIONS + 1):
        path = wide.write(on_cassandra.folder / f"{version}.csv", version_of_all(version),
                          modified=f"2019-02-{version:02}T00:00:00")
        on_cassandra("ingest", path)
        path.unlink()
        if version in (1, VERSIONS):
            (portfolio_peak, portfolio), (top_peak, top) = (
                asked(on_cassandra, question) for question in QUESTIONS)
            peaks[version] = portfolio_peak, top_peak
            (channel,) = portfolio["channels"]
            assert channel["sum"] == METERS * 48 * version
            assert channel["meters"] == METERS
            assert top["channels"][0]["meters"] == METERS
    gaps_peak, gaps = asked(on_cassandra, SLOW_QUESTION)
    assert gaps["total"]["metersWithGaps"] == 0
    assert gaps["total"]["meters"] == METERS
    print(f"peak memory, KiB, of {[question[0] for question in QUESTIONS]}: {peaks}; "
          f"of gaps: {gaps_peak}")
    assert max(*peaks[VERSIONS], gaps_peak) < PEAK_KIB_MAX
    for one, six in zip(peaks[1], peaks[VERSIONS]):
        assert six < one + GROWTH_KIB_MAX
