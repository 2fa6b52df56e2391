"""A zip with several files: each is a delivery of its own, and damage costs what lies behind it."""
import pytest

import wide

FILES = {name: wide.header() + wide.row("A", f"2019-01-0{day}", wide.same(day))
         for day, name in enumerate(["a.csv", "b/c.csv", "b/d.csv"], 1)}


def write(folder, files):
    path = folder / "all.zip"
    path.write_bytes(wide.zipped(files))
    return path


def states(done):
    return {delivery["source"].rpartition("all.zip")[2]: delivery["state"]
            for delivery in done.json["deliveries"]}


def test_each_file_is_a_delivery_of_its_own(meterline, tmp_path):
    path = write(tmp_path, FILES.items())
    names = ["/a.csv", "/b/c.csv", "/b/d.csv"]
    done = meterline("ingest", path, "--threads", 2)
    assert states(done) == dict.fromkeys(names, "stored")
    assert len({delivery["id"] for delivery in done.json["deliveries"]}) == 3
    assert done.json["total"]["stored"] == 3
    assert meterline.day_sums("A", "2019-01-01", "2019-01-03") == {
        f"2019-01-0{day}": 48 * day for day in (1, 2, 3)}
    assert states(meterline("ingest", path)) == dict.fromkeys(names, "skipped")
    meterline("withdraw", f"{path}/b/c.csv", "--reason", "wrong")
    assert list(meterline.day_sums("A", "2019-01-01", "2019-01-03")) == ["2019-01-01",
                                                                         "2019-01-03"]


def test_one_file_alone_is_the_zip_itself(meterline, tmp_path):
    path = write(tmp_path, [("a.csv", FILES["a.csv"])])
    assert states(meterline("ingest", path)) == {"": "stored"}


def test_a_bad_file_spoils_no_other(meterline, tmp_path):
    page = "<html><body>Sign in</body></html>\n"
    path = write(tmp_path, [("page.csv", page), *FILES.items(), ("none.csv", "")])
    done = meterline("ingest", path, expect=1)
    assert states(done) == {"/page.csv": "refused", "/a.csv": "stored", "/b/c.csv": "stored",
                            "/b/d.csv": "stored", "/none.csv": "refused"}
    assert "HTML" in done.json["deliveries"][0]["reason"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_two_deliveries(meterline, tmp_path):
    path = write(tmp_path, [("a.csv", text) for text in [*FILES.values(), FILES["a.csv"]]])
    assert list(states(meterline("ingest", path))) == ["/a.csv", "/a.csv#2", "/a.csv#3",
                                                       "/a.csv#4"]


def test_names_are_no_paths(meterline, tmp_path):
    (tmp_path / "in").mkdir()
    path = write(tmp_path / "in", [("../x.csv", FILES["a.csv"]), ("/tmp/y.csv", FILES["a.csv"])])
    meterline("ingest", path)
    assert not (tmp_path / "x.csv").exists()
    sources = [delivery["source"] for delivery in meterline("deliveries").json["deliveries"]]
    assert sorted(sources) == sorted([f"{path}/../x.csv", f"{path}//tmp/y.csv"])


@pytest.mark.parametrize("how", ["file", "pipe"])
def test_what_lies_before_the_damage_is_stored(meterline, tmp_path, how):
    good = wide.zipped(FILES.items())
    cut = good[:good.rindex(b"PK\x01\x02")]
    path = tmp_path / "all.zip"
    path.write_bytes(cut)
    done = (meterline("ingest", path, expect=1) if how == "file" else
            meterline("ingest", "-", input=cut, expect=1))
    assert [delivery["state"] for delivery in done.json["deliveries"]] == ["stored"] * 3 + [
        "refused"]
    assert "damaged" in done.json["deliveries"][3]["reason"]
    assert "3 of its files were read before" in done.json["deliveries"][3]["reason"]


def test_a_pipe_may_bring_it(meterline):
    done = meterline("ingest", "-", input=wide.zipped(FILES.items()))
    assert [(delivery["source"], delivery["state"]) for delivery in done.json["deliveries"]] == [
        (f"stdin/{name}", "stored") for name in FILES]


def test_rejected_rows_name_the_file_in_it(meterline, tmp_path):
    bad = wide.header() + wide.row("A", "2019-13-01", wide.same(1))
    path = write(tmp_path, [("bad.csv", bad), ("worse.csv", bad)])
    meterline("ingest", path, "--rejects", tmp_path / "rejects.csv", expect=1)
    rows = (tmp_path / "rejects.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == [f"{path}/bad.csv", f"{path}/worse.csv"]


def test_an_upload_answers_for_all(server):
    answer = server.upload(wide.zipped(FILES.items()), "?source=all.zip")
    assert [delivery["source"] for delivery in answer["deliveries"]] == [
        f"upload:all.zip/{name}" for name in FILES]
    again = server.upload(wide.zipped(FILES.items()), "?source=all.zip", expect=200)
    assert again["total"]["skipped"] == 3
    server.upload(wide.zipped([("x", "<html>"), ("y", "<html>")]), "?source=b.zip", expect=422)


def test_a_comparison_tells_of_each(meterline, tmp_path):
    path = write(tmp_path, FILES.items())
    meterline("ingest", write(tmp_path, [("a.csv", FILES["a.csv"])]))
    path = write(tmp_path, FILES.items())
    done = meterline("ingest", "--compare", path)
    assert [delivery["comparison"]["days"]["new"] + delivery["comparison"]["days"]["equal"]
            for delivery in done.json["deliveries"]] == [1, 1, 1]
