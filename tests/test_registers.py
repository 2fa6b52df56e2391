"""What registers showed: the question, on the command line and over HTTP."""
import wide

ONE_DAY = wide.header() + wide.row("A", "2019-01-01", wide.same(1))


def test_a_meter_without_register_reads_has_none(meterline, serve):
    wide.write(meterline.folder / "in.csv", ONE_DAY)
    meterline("ingest", "in.csv")
    told = meterline("registers", "A", "--from", "2019-01-01", "--to", "2019-01-31")
    assert told.json == {"meter": "A", "from": "2019-01-01", "to": "2019-01-31", "asOf": None,
                         "reads": [], "next": None}
    csv = meterline("registers", "A", "--output", "csv").out
    assert csv.startswith("meter,channel,flow,unit,register,serial,time,value,") and (
        csv.count("\n") == 1)
    assert meterline("registers", "A", "--output", "table").out == (
        "no register was read in those days\n")
    server = serve(meterline)
    assert server.json("/v1/meters/A/registers?from=2019-01-01&to=2019-01-31") == told.json


def test_what_is_wrong_is_said(meterline):
    meterline("registers", "A", expect=4)
    wide.write(meterline.folder / "in.csv", ONE_DAY)
    meterline("ingest", "in.csv")
    assert "meter B is not known" in meterline("registers", "B", expect=1).err
    assert "--to 2019-01-01 is before --from 2019-01-02" in meterline(
        "registers", "A", "--from", "2019-01-02", "--to", "2019-01-01", expect=2).err
    assert "--as-of" in meterline("registers", "A", "--as-of", "soon", expect=2).err
    meterline("registers", "A", "--limit", "0", expect=2)
    meterline("registers", expect=2)
