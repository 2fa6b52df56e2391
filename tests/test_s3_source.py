"""Loading from S3: what keys may be, what is got and what is not, replaced objects, sweeps."""
import csv
import gzip
import io
from datetime import timezone

import pytest

import wide

BUCKET = "readings"


def file_of(meter, value, days=3):
    """A file of its own content."""
    return wide.header() + "".join(wide.row(meter, wide.day(index), wide.same(value))
                                   for index in range(days))


class Bucket:
    """A bucket of the local AWS, and what was asked of it."""

    def __init__(self, aws, meterline):
        self.aws, self.s3 = aws, aws.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        meterline.env |= aws.env

    def put(self, key, content, **options):
        body = content if isinstance(content, bytes) else content.encode()
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **options)

    def keep_versions(self):
        self.s3.put_bucket_versioning(Bucket=BUCKET,
                                      VersioningConfiguration={"Status": "Enabled"})

    def modified(self, key):
        """As reports have it."""
        at = self.s3.head_object(Bucket=BUCKET, Key=key)["LastModified"]
        return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def gets(self):
        return [call for call in self.aws.calls() if call.operation == "GetObject"]


@pytest.fixture
def bucket(local_aws, meterline):
    return Bucket(local_aws, meterline)


def url(prefix=""):
    return f"s3://{BUCKET}/{prefix}"


def sources(done):
    return [delivery["source"] for delivery in done.json["deliveries"]]


KEYS = ["a b.csv", "a+b.csv", "a%2Bb.csv", "a%.csv", "é/ü.csv", "deep/er/x.csv", "../up.csv",
        "q?x=1&y#z.csv", "'\"<>.csv", "//two.csv"]


def test_keys_are_names_and_nothing_else(meterline, bucket):
    for number, key in enumerate(KEYS):
        bucket.put("in/" + key, file_of(f"M{number}", number))
    done = meterline("ingest", url("in/"))
    assert sources(done) == [url("in/" + key) for key in sorted(KEYS, key=str.encode)]
    for number, key in enumerate(KEYS):
        assert meterline.day_sums(f"M{number}", wide.day(0), wide.day(0)) == {
            wide.day(0): 48 * number}, key
    assert meterline("ingest", url("in/")).json["total"]["skipped"] == len(KEYS)


def test_folders_and_empty_objects_are_left_out_and_a_prefix_counts(meterline, bucket):
    bucket.put("in/", b"")
    bucket.put("in/sub/", b"")
    bucket.put("in/empty.csv", b"")
    bucket.put("in/sub/a.csv", file_of("A", 1))
    bucket.put("in2.csv", file_of("B", 1))
    bucket.put("other.csv", file_of("C", 1))
    assert sources(meterline("ingest", url("in/"))) == [url("in/sub/a.csv")]
    assert sources(meterline("ingest", url("in"))) == [url("in/sub/a.csv"), url("in2.csv")]
    done = meterline("ingest", url("in/empty"), expect=2)
    assert f"there are no objects below {url('in/empty')}" in done.err


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode()),
                                  wide.zstd_frame], ids=["plain", "gzip", "zstd"])
def test_packed_objects_are_known_by_their_content(meterline, bucket, pack):
    text = wide.random_file(1, ["A", "B"], 300)
    bucket.put("no-suffix", pack(text))
    assert meterline("ingest", url()).delivery["rows"]["stored"] == 600
    for meter in "AB":
        assert meterline.day_sums(meter, wide.day(0), wide.day(299)) == {
            day: total for (name, day), total in wide.sums_of(text).items() if name == meter}


def test_a_delivery_has_time_and_version_of_its_object(meterline, bucket):
    bucket.keep_versions()
    version = bucket.put("a.csv", file_of("A", 1))["VersionId"]
    delivery = meterline("ingest", url()).delivery
    assert delivery["deliveredAt"] == bucket.modified("a.csv")
    assert delivery["objectVersion"] == version
    (listed,) = meterline("deliveries").json["deliveries"]
    assert listed["objectVersion"] == version
    (row,) = csv.DictReader(io.StringIO(meterline("deliveries", "--output", "csv").out))
    assert (row["objectVersion"], row["reader"]) == (version, "1")


def test_without_versions_a_delivery_has_none(meterline, bucket):
    bucket.put("a.csv", file_of("A", 1))
    assert "objectVersion" not in meterline("ingest", url()).delivery


def test_a_time_that_is_given_stands_above_the_object(meterline, bucket):
    bucket.put("a.csv", file_of("A", 1))
    delivery = meterline("ingest", url(), "--delivered-at", "2019-02-01T06:00:00Z").delivery
    assert delivery["deliveredAt"] == "2019-02-01T06:00:00Z"


def test_a_replaced_object_is_a_delivery_of_its_own_and_the_later_counts(meterline, bucket):
    bucket.keep_versions()
    first = bucket.put("a.csv", file_of("A", 1))["VersionId"]
    # S3 tells whole seconds: this one is surely the earlier.
    meterline("ingest", url(), "--delivered-at", "2019-02-01T06:00:00Z")
    second = bucket.put("a.csv", file_of("A", 2))["VersionId"]
    delivery = meterline("ingest", url()).delivery
    assert (delivery["state"], delivery["objectVersion"]) == ("stored", second)
    assert delivery["deliveredAt"] == bucket.modified("a.csv")
    assert meterline.day_sums("A", wide.day(0), wide.day(0)) == {wide.day(0): 96}
    assert [known["objectVersion"] for known in meterline("deliveries").json["deliveries"]] == [
        second, first]


def test_an_object_that_is_stored_is_not_got_again(meterline, bucket):
    bucket.put("a.csv", file_of("A", 1))
    bucket.put("b.csv", file_of("B", 1))
    meterline("ingest", url())
    gets = len(bucket.gets())
    assert gets >= 2
    done = meterline("ingest", url())
    assert done.json["total"]["skipped"] == 2 and len(bucket.gets()) == gets
    # The same size, but other bytes.
    bucket.put("a.csv", file_of("A", 2))
    done = meterline("ingest", url())
    assert (done.json["total"]["stored"], done.json["total"]["skipped"]) == (1, 1)
    assert [call for call in bucket.gets()[gets:] if "b.csv" in call.resource] == []


def test_files_and_objects_load_together(meterline, bucket, tmp_path):
    bucket.put("a.csv", file_of("A", 1))
    file = wide.write(tmp_path / "f.csv", file_of("F", 1))
    done = meterline("ingest", file, url(), "-", input=file_of("S", 1).encode())
    assert sources(done) == [str(file), url("a.csv"), "stdin"]


def test_an_archive_is_restored_from_an_object(meterline, bucket, tmp_path):
    meterline("ingest", "-", input=file_of("A", 1).encode())
    before = meterline.archive()
    meterline("export", meterline.folder / "whole")
    bucket.put("store.archive", (meterline.folder / "whole").read_bytes())
    meterline.use_store(tmp_path / "other")
    meterline.env |= bucket.aws.env
    assert meterline("ingest", url()).json["archives"][0]["state"] == "stored"
    assert meterline.archive() == before


def test_a_sweep_loads_what_is_missing_and_gets_nothing_else(meterline, bucket):
    for name in "abc":
        bucket.put(f"{name}.csv", file_of(name.upper(), 1))
    bucket.put("bad.csv", "no such file")
    meterline("ingest", url(), expect=1)
    gets = len(bucket.gets())
    done = meterline("ingest", "--sweep", url())
    assert done.json["sweep"] == {"objects": 4, "known": 4, "loaded": 0}
    assert done.json["deliveries"] == [] and len(bucket.gets()) == gets
    bucket.put("late.csv", file_of("L", 1))
    bucket.put("c.csv", file_of("C", 2))
    done = meterline("ingest", "--sweep", url(), "--output", "table")
    assert "5 objects looked at: 3 known, 2 loaded" in done.out
    assert len(bucket.gets()) == gets + 2
    assert meterline.day_sums("L", wide.day(0), wide.day(0)) == {wide.day(0): 48}
    assert "5 objects looked at: 5 known, 0 loaded\n" == meterline(
        "ingest", "--sweep", url(), "--output", "table").out


def test_a_sweep_goes_from_page_to_page(meterline, bucket):
    count = 1100
    for number in range(count):
        bucket.put(f"{number:04}", file_of(f"M{number}", 1, days=1))
    done = meterline("ingest", "--sweep", url(), deadline_s=300)
    assert done.json["sweep"] == {"objects": count, "known": 0, "loaded": count}
    assert done.json["total"]["stored"] == count
    done = meterline("ingest", "--sweep", url())
    assert done.json["sweep"] == {"objects": count, "known": count, "loaded": 0}


def test_a_sweep_of_nothing_is_well(meterline, bucket):
    assert meterline("ingest", "--sweep", url()).json["sweep"]["objects"] == 0


def test_a_sweep_reports_what_it_could_not_load(meterline, bucket):
    bucket.put("bad.csv", "no such file")
    bucket.put("half.csv", file_of("A", 1) + wide.row("A", "2019-13-01", wide.same(1)))
    assert meterline("ingest", "--sweep", url("half"), expect=3).delivery["rows"]["rejected"] == 1
    assert meterline("ingest", "--sweep", url("bad"), expect=1).delivery["state"] == "refused"


@pytest.mark.parametrize("path", ["file.csv", "-", "/tmp", "s3:/readings"])
def test_a_sweep_of_files_is_wrong_usage(meterline, path):
    done = meterline("ingest", "--sweep", path, expect=2)
    assert "--sweep" in done.err and "want s3://BUCKET/PREFIX" in done.err


@pytest.mark.parametrize("bad", ["s3://", "s3:///key", "s3://a b/key", "s3://x/key"])
@pytest.mark.parametrize("options", [[], ["--sweep"]], ids=["load", "sweep"])
def test_a_url_without_a_bucket_is_wrong_usage(meterline, bad, options):
    assert "want s3://BUCKET" in meterline("ingest", bad, *options, expect=2).err


@pytest.mark.parametrize("options", [[], ["--sweep"]], ids=["load", "sweep"])
def test_a_bucket_that_is_not_there_is_named(meterline, bucket, options):
    done = meterline("ingest", "s3://not-there/x", *options, expect=1)
    assert "not-there" in done.err


@pytest.mark.parametrize("options", [[], ["--sweep"]], ids=["load", "sweep"])
def test_without_credentials_it_says_so(meterline, bucket, options):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del meterline.env[name]
    meterline.env["HOME"] = str(meterline.folder)
    done = meterline("ingest", url(), *options, expect=2)
    assert "AWS credentials" in done.err


def test_an_object_that_may_not_be_read_is_failed_and_not_refused(meterline, bucket):
    bucket.put("a.csv", file_of("A", 1))
    bucket.put("cold.csv", file_of("B", 1), StorageClass="GLACIER")
    done = meterline("ingest", url(), expect=1)
    assert [delivery["state"] for delivery in done.json["deliveries"]] == ["stored", "failed"]
    assert len(meterline("deliveries").json["deliveries"]) == 1


def test_a_large_object_comes_in_ranges_and_is_the_same(meterline, bucket, tmp_path):
    text = wide.large_file(3, [f"M{number}" for number in range(300)], 365)
    assert len(text) > 20_000_000
    bucket.put("large.csv", text)
    at = ["--delivered-at", "2020-01-01T00:00:00Z"]
    loaded = meterline("ingest", url(), *at).delivery
    assert len(bucket.gets()) > 2
    answers = meterline.answers()[2:]
    meterline.use_store(tmp_path / "other")
    local = meterline("ingest", wide.write(tmp_path / "large.csv", text), *at).delivery
    for name in ("bytes", "sha256", "rows", "readings"):
        assert loaded[name] == local[name]
    assert answers == meterline.answers()[2:]
