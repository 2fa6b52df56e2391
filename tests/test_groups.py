"""Groups: named lists of meters, on the command line and over HTTP, on every store."""
import pytest

import wide

METERS = ["A1", "A2", "B1", "B2", "C1"]
DAY = "2019-01-01"


def at(program, *args, **options):
    return program(*args, "--output", "json", **options).json


@pytest.fixture(params=["meterline", "on_cassandra"])
def store(request, tmp_path):
    """Five meters with 1 to 5 in each half hour of a day, and a group of two and a beginning."""
    program = request.getfixturevalue(request.param)
    rows = "".join(wide.row(meter, wide.day(0), wide.same(place + 1))
                   for place, meter in enumerate(METERS))
    wide.write(tmp_path / "all.csv", wide.header() + rows)
    program("ingest", tmp_path / "all.csv", "--unit", "kWh")
    (program.folder / "mine.txt").write_text("# mine\nC1\nA*\nUNKNOWN\n")
    program("groups", "set", "mine", program.folder / "mine.txt")
    return program


def meters_of(answer):
    return [each["meter"] for each in answer["meters"]]


def test_questions_are_about_the_meters_of_a_group(store):
    day = wide.day(0)
    dates = ("--from", day, "--group", "mine")
    assert meters_of(at(store, "meters", "--group", "mine")) == ["A1", "A2", "C1"]
    assert meters_of(at(store, "meters", "--group", "mine", "--prefix", "A")) == ["A1", "A2"]
    (channel,) = at(store, "portfolio", *dates)["channels"]
    assert (channel["sum"], channel["meters"]) == (48 * (1 + 2 + 5), 3)
    (channel,) = at(store, "top", *dates)["channels"]
    assert [each["meter"] for each in channel["top"]] == ["C1", "A2", "A1"]
    (channel,) = at(store, "compare", *dates, "--against", "period-before")["channels"]
    assert channel["sum"] == 48 * 8
    assert meters_of(at(store, "late", "--since", wide.day(1), "--group", "mine")) == [
        "A1", "A2", "C1"]
    gaps = at(store, "gaps", "--from", day, "--to", wide.day(1), "--group", "mine")
    assert meters_of(gaps) == ["A1", "A2", "C1"] and gaps["total"]["meters"] == 3
    changes = at(store, "changes", "--since", "2000-01-01", "--group", "mine")
    assert [each["meter"] for each in changes["days"]] == ["A1", "A2", "C1"]


def test_the_server_answers_about_groups_as_the_command_line_does(store, serve):
    server = serve(store)
    day = wide.day(0)
    for target, *question in (
            ("meters?group=mine", "meters"),
            (f"portfolio?from={day}&group=mine", "portfolio", "--from", day),
            (f"gaps?from={day}&group=mine", "gaps", "--from", day),
            (f"top?from={day}&group=mine", "top", "--from", day)):
        assert server.get(f"/v1/{target}") == store(
            *question, "--group", "mine", "--output", "json").out
    assert server.get("/v1/groups") == store("groups", "list", "--output", "json").out
    assert server.get("/v1/groups/mine") == store(
        "groups", "show", "mine", "--output", "json").out
    assert "no group" in server.get(f"/v1/portfolio?from={day}&group=other", expect=400)

    status, made = server.ask("/v1/groups/other", body=b'{"meters":["B1"]}')
    assert status == 200, made
    assert meters_of(server.json("/v1/meters?group=other")) == ["B1"]
    store("groups", "remove", "other")
    assert "no group" in server.get("/v1/meters?group=other", expect=400)


@pytest.mark.parametrize("table", ["readings", "days", "months"])
def test_tables_have_the_meters_of_a_group(store, serve, table):
    rows = store("export", table, "--from", wide.day(0), "--group", "mine").out.splitlines()
    assert {row.split(",")[0] for row in rows[1:]} == {"A1", "A2", "C1"}
    both = store("export", table, "--from", wide.day(0), "--group", "mine", "--meter", "B2").out
    assert {row.split(",")[0] for row in both.splitlines()[1:]} == {"A1", "A2", "B2", "C1"}
    served = serve(store).get(f"/v1/export?table={table}&from={wide.day(0)}&group=mine")
    assert served.splitlines() == rows


def test_an_archive_has_the_meters_of_a_group(store, tmp_path):
    store("export", tmp_path / "mine.archive", "--group", "mine")
    store.use_store(tmp_path / "other")
    store("ingest", tmp_path / "mine.archive")
    assert meters_of(at(store, "meters")) == ["A1", "A2", "C1"]


def test_a_key_may_see_the_meters_of_a_group(meterline, serve, tmp_path):
    rows = "".join(wide.row(meter, wide.day(0), wide.same(1)) for meter in METERS)
    wide.write(tmp_path / "all.csv", wide.header() + rows)
    meterline("ingest", tmp_path / "all.csv")
    group = meterline.folder / "meterline-groups" / "mine.txt"
    meterline("groups", "set", "mine", "-", input=b"A1\n")
    key = at(meterline, "keys", "create", "--scope", "read", "--meters", "@mine")["key"]
    for wrong in ("@mine,A1", "@", "@a/b"):
        assert "a group stands alone" in meterline(
            "keys", "create", "--scope", "read", "--meters", wrong, expect=2).err
    assert "all meters" in meterline(
        "keys", "create", "--scope", "admin", "--meters", "@mine", expect=2).err
    server = serve(meterline, "--auth", "keys")

    def seen():
        headers = {"Authorization": f"Bearer {key}"}
        return meters_of(server.json("/v1/meters", headers=headers))

    assert seen() == ["A1"]
    meterline("groups", "set", "mine", "-", input=b"B*\n")
    assert seen() == ["B1", "B2"]
    group.unlink()
    assert seen() == []


def test_groups_are_listed_shown_set_and_removed(meterline):
    meterline.folder.joinpath("list.txt").write_text("B\nA*\nA1\n")
    assert meterline("groups", "list", "--output", "table").out == "there are no groups\n"
    done = meterline("groups", "set", "flats", meterline.folder / "list.txt")
    assert done.err == "flats: 1 meter, and those that begin in 1 way\n" and done.out == ""
    (listed,) = at(meterline, "groups", "list")["groups"]
    assert (listed["group"], listed["ids"], listed["prefixes"]) == ("flats", 1, 1)
    assert meterline("groups", "show", "flats", "--output", "table").out == "A*\nB\n"
    assert meterline("groups", "show", "flats", "--output", "csv").out == "meter\nA*\nB\n"
    meterline("groups", "remove", "flats")
    assert "no group" in meterline("groups", "remove", "flats", expect=1).err
    assert "no group" in meterline("groups", "show", "flats", expect=1).err


def test_what_is_wrong_with_a_list_is_told(meterline):
    bad = meterline.folder / "bad.txt"
    bad.write_text("A1\nA 2\n")
    told = meterline("groups", "set", "flats", bad, expect=2).err
    assert "bad.txt: line 2: want a meter like EE00027" in told
    bad.write_text("\n# nobody\n")
    assert "there is no meter" in meterline("groups", "set", "flats", bad, expect=2).err
    assert "no name of a group" in meterline(
        "groups", "set", "../flats", "-", input=b"A1\n", expect=2).err
    assert "cannot read" in meterline("groups", "set", "flats", "none.txt", expect=2).err
    assert at(meterline, "groups", "list") == {"groups": []}


def test_a_group_may_be_a_file_or_in_another_folder(meterline, tmp_path):
    wide.write(tmp_path / "all.csv", wide.header() + "".join(
        wide.row(meter, wide.day(0), wide.same(1)) for meter in METERS))
    meterline("ingest", tmp_path / "all.csv")
    mine = tmp_path / "mine.txt"
    mine.write_text("B*\n")
    assert meters_of(at(meterline, "meters", "--group", mine)) == ["B1", "B2"]
    assert meters_of(at(meterline, "meters", "--group", "mine", "--groups", tmp_path)) == [
        "B1", "B2"]
    unknown = meterline("meters", "--group", "mine", expect=2).err
    assert 'no group "mine" in meterline-groups' in unknown
    for question in (("gaps", "A1", "--from", DAY), ("compare", "A1", "--from", DAY),
                     ("changes", "A1", "--since", DAY)):
        assert "not both" in meterline(*question, "--group", mine, expect=2).err
