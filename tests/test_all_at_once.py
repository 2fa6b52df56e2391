"""Loading, asking, exporting, backing up and restoring beside each other on one store in a folder,
for as long as METERLINE_SOAK_SECONDS says: no error, and in the end the answers of a store that was
loaded alone."""
import datetime
import os
import random
import shutil
import threading
import time

import wide
from conftest import Meterline

SECONDS = float(os.environ.get("METERLINE_SOAK_SECONDS", "5"))
METERS = [f"M{number:03}" for number in range(60)]
DAYS = 365
FIRST_FILE = datetime.datetime(2020, 1, 1)
ROUNDS_MAX = 500  # Of each, however long it takes.
YEAR = "from=2019-01-01&to=2019-12-31"


class Everybody:
    """Who uses the store, each in a thread: what they do again and again until the end, and what
    went wrong."""

    def __init__(self, meterline, server, place):
        self.meterline, self.server, self.place = meterline, server, place
        self.end = time.monotonic() + SECONDS
        self.files, self.files_lock = {}, threading.Lock()
        self.errors, self.rounds = [], {}

    def run(self, action, seed):
        chance, name = random.Random(seed), action.__name__
        self.rounds[name] = 0
        try:
            while time.monotonic() < self.end and not self.errors:
                action(chance, self.rounds[name])
                self.rounds[name] += 1
                time.sleep(SECONDS / ROUNDS_MAX)  # All files are loaded once more in the end.
        except BaseException as error:
            self.errors.append(f"{name}: {error}")

    def all(self):
        actions = (self.uploads, self.ingests, self.asks, self.asks_beside, self.exports,
                   self.backs_up)
        threads = [threading.Thread(target=self.run, args=(action, number))
                   for number, action in enumerate(actions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.errors, self.errors

    def new_file(self, chance, name, meters):
        """Days that others may have, too; later files correct them."""
        first = chance.randrange(DAYS)
        text = wide.header() + "".join(
            wide.row(meter, wide.day(day), wide.same(chance.randrange(1000)))
            for meter in chance.sample(METERS, meters)
            for day in range(first, min(first + chance.randrange(1, 30), DAYS)))
        with self.files_lock:
            at = FIRST_FILE + datetime.timedelta(seconds=len(self.files))
            self.files[name] = (at.strftime("%Y-%m-%dT%H:%M:%SZ"), text)
        return self.files[name]

    def uploads(self, chance, number):
        at, text = self.new_file(chance, f"u{number}", meters=3)
        upload(self.server, f"u{number}", at, text)

    def ingests(self, chance, number):
        """They are handed to the server."""
        at, text = self.new_file(chance, f"i{number}", meters=40)
        self.meterline("ingest", "-", "--unit", "kWh", "--delivered-at", at, input=text.encode())

    def asks(self, chance, _):
        meter = chance.choice(METERS)
        for path in (f"/v1/meters/{meter}/consumption?{YEAR}&resolution=month",
                     f"/v1/portfolio?{YEAR}&resolution=month", f"/v1/gaps?{YEAR}",
                     f"/v1/meters/{meter}/days/2019-06-01/history", "/v1/deliveries?limit=20"):
            status, answer = self.server.ask(path)
            assert status in (200, 404), answer

    def asks_beside(self, _chance, number):
        program = Meterline(self.meterline.folder)
        for command in (["portfolio", "--from", "2019-01-01", "--to", "2019-12-31"], ["meters"],
                        ["deliveries"]):
            program(*command)
        if number % 10 == 0:
            assert program("store", "check").json["damageCount"] == 0

    def exports(self, _chance, number):
        path = self.meterline.folder / f"export{number % 2}"
        path.unlink(missing_ok=True)
        self.meterline("export", path)

    def backs_up(self, _chance, number):
        self.meterline("store", "backup", self.place, "--keep", 3)
        restored = Meterline(self.meterline.folder)
        restored.use_store(self.meterline.folder / "restored")
        shutil.rmtree(restored.store, ignore_errors=True)
        restored("store", "restore", self.place)
        assert restored("store", "check").json["damageCount"] == 0
        if number % 10 == 0:
            assert restored("store", "backup", "check", self.place).json["damage"] == []


def upload(server, name, at, text):
    server.upload(text.encode(), f"?unit=kWh&source={name}&deliveredAt={at}")


def everything(program):
    """All readings with their quality and stated time, without that of receipt, the last column.
    What reports call repeated depends on what came before."""
    return [row.rsplit(",", 1)[0] for row in program("export", "readings").out.splitlines()]


def test_everybody_at_once_on_one_store(meterline, serve, tmp_path):
    first = ("2019-02-01T00:00:00Z",
             wide.header() + wide.row(METERS[0], wide.day(0), wide.same(1)))
    server = serve(meterline)
    upload(server, "u", *first)
    everybody = Everybody(meterline, server, tmp_path / "backups")
    everybody.all()
    print(everybody.rounds)
    assert all(everybody.rounds.values()), everybody.rounds
    meterline("store", "backup", everybody.place)
    server.stop()

    (tmp_path / "alone").mkdir()
    alone = Meterline(tmp_path / "alone")
    server = serve(alone)
    for name, (at, text) in {"u": first, **everybody.files}.items():
        if name.startswith("u"):
            upload(server, name, at, text)
        else:
            alone("ingest", "-", "--unit", "kWh", "--delivered-at", at, input=text.encode())
    server.stop()
    restored = Meterline(tmp_path)
    restored.use_store(tmp_path / "last")
    restored("store", "restore", everybody.place)
    wanted = everything(alone)
    for program in (meterline, restored):
        rows = everything(program)
        assert len(rows) == len(wanted)
        assert [pair for pair in zip(rows, wanted) if pair[0] != pair[1]][:3] == []
    assert meterline("store", "check").json["damageCount"] == 0
