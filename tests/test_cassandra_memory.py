"""Questions over all meters of a cluster take little memory, however many versions there are."""
import sys

import wide
from test_memory import MEASURED

METERS, VERSIONS = 100_000, 6
DAY = "2019-01-01"
PEAK_KIB_MAX = 100 << 10
# Between one version and six: buffers of the driver and the allocator, not claims.
GROWTH_KIB_MAX = 12 << 10
QUESTIONS = (["portfolio"], ["top", "--limit", "3"], ["gaps", "--limit", "3"])


def version_of_all(version):
    """Every meter used `version` in each half hour."""
    tail = ",".join([str(version)] * 48)
    return wide.header() + "".join(f"M{meter:06},{DAY},{tail}\n" for meter in range(METERS))


def peaks_of(meterline):
    """Of each question: KiB, and the answer."""
    peaks, answers = [], []
    for question in QUESTIONS:
        done = meterline(*question, "--from", DAY, "--to", DAY, "--output", "json",
                         wrapper=[sys.executable, "-c", MEASURED])
        peaks.append(int(done.err))
        answers.append(done.json)
    return peaks, answers


def test_all_meters_of_a_day_take_the_same_memory_in_one_version_and_in_six(on_cassandra):
    peaks = {}
    for version in range(1, VERSIONS + 1):
        path = wide.write(on_cassandra.folder / f"{version}.csv", version_of_all(version),
                          modified=f"2019-02-{version:02}T00:00:00")
        on_cassandra("ingest", path)
        path.unlink()
        if version in (1, VERSIONS):
            peaks[version], (portfolio, top, gaps) = peaks_of(on_cassandra)
            (channel,) = portfolio["channels"]
            assert channel["sum"] == METERS * 48 * version
            assert channel["meters"] == METERS
            assert top["channels"][0]["meters"] == METERS
            assert gaps["total"]["metersWithGaps"] == 0
            assert gaps["total"]["meters"] == METERS
    print(f"peak memory, KiB, of {[question[0] for question in QUESTIONS]}: {peaks}")
    assert max(peaks[VERSIONS]) < PEAK_KIB_MAX
    for one, six in zip(peaks[1], peaks[VERSIONS]):
        assert six < one + GROWTH_KIB_MAX
    checked = on_cassandra("store", "check").json
    assert checked["damageCount"] == 0
    assert checked["buckets"] == 16
