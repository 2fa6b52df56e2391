#!/usr/bin/env python3
"""Writes tests/data/feeds/NAME/sample.csv and expect.txt for each shipped feed, from a model: slot
k of a day, counted from 1, holds k/1000 kWh, so that a shift or a loss shows. The model knows
clock changes from the tz database, and nothing of meterline.

    tests/make_feed_samples.py      writes them all again; nothing changes

A line of expect.txt is a reading day: meter, channel, flow, unit, date, minutes of an interval, and
its readings: `-` is missing, `e` behind one estimated, `s` substituted."""
import datetime as dt
import pathlib
import zoneinfo
from decimal import Decimal

FOLDER = pathlib.Path(__file__).parent / "data/feeds"
UTC = dt.timezone.utc
UK, PARIS, VIENNA = "Europe/London", "Europe/Paris", "Europe/Vienna"
UK_DAYS = ["2024-03-31", "2024-04-03", "2024-10-27"]
US_DAYS = ["2024-03-10", "2024-04-03", "2024-11-03"]


def plain(value):
    return format(value.normalize(), "f")


def comma(text):
    return text.replace(".", ",")


class Slot:
    def __init__(self, begin, end, zone, k, step):
        self.start = begin.astimezone(zone)
        self.end = end.astimezone(zone)
        self.utc, self.utc_end = begin, end
        self.k, self.step = k, step

    @property
    def kwh(self):
        return Decimal(self.k) / 1000

    @property
    def kw(self):
        return self.kwh * 60 / self.step

    @property
    def is_second(self):
        """Of two equal times."""
        return self.start.fold == 1


def slots(zone_name, day, step):
    zone = zoneinfo.ZoneInfo(zone_name)
    date = dt.date.fromisoformat(day)
    begin = dt.datetime(date.year, date.month, date.day, tzinfo=zone).astimezone(UTC)
    after = date + dt.timedelta(days=1)
    last = dt.datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)
    made, k = [], 1
    while begin < last:
        end = begin + dt.timedelta(minutes=step)
        made.append(Slot(begin, end, zone, k, step))
        begin, k = end, k + 1
    return made


class Sample:
    def __init__(self, name):
        self.name, self.lines, self.expected, self.encoding = name, [], [], "utf-8"
        self.file_name = "sample.csv"

    def expect(self, meter, channel, flow, unit, day, step, readings):
        self.expected.append(f"{meter} {channel} {flow} {unit} {day} {step}: {' '.join(readings)}")

    def write(self):
        folder = FOLDER / self.name
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(line + "\n" for line in self.lines)
        (folder / self.file_name).write_bytes(text.encode(self.encoding))
        expected = "".join(line + "\n" for line in sorted(self.expected))
        (folder / "expect.txt").write_text(expected, encoding="utf-8")


def sum_of(zone, days, step):
    return plain(sum(slot.kwh for day in days for slot in slots(zone, day, step)))


def readings_of(day_slots, flags=None):
    return [plain(slot.kwh) + (flags or {}).get(slot.k, "") for slot in day_slots]


# --- a column for each interval -----------------------------------------------------------------

def wide(name, days, date, columns, *, zone=UK, step=30, before=(), after=(), titles=(),
         delimiter=",", decimal=str, meter="9900000000017", ends="clock", flag=None, pair=None,
         extra=0, unit="kWh", quote="", footer=(), tail="", extra_names=(), file_name=None):
    """`before` and `after` are (name, value) of other columns; a value may be a function of the
    day's slots. `columns` names the n-th column. `pair` puts a flag column beside each reading:
    (name of it, "before" or "after")."""
    sample = Sample(name)
    if file_name:
        sample.file_name = file_name
    count = 24 * 60 // step
    header = [column for column, _ in before]
    names = [columns(i) for i in range(count + extra)] + list(extra_names)
    for place, column in enumerate(names):
        flag_name = pair[0](column, place) if pair else None
        if pair and pair[1] == "before":
            header.append(flag_name)
        header.append(column)
        if pair and pair[1] == "after":
            header.append(flag_name)
    header += [column for column, _ in after]
    sample.lines += list(titles) + [delimiter.join(header)]
    for day in days:
        day_slots = slots(zone, day, step)
        cells = [None] * len(names)
        expected = ["-"] * len(day_slots)
        for index, slot in enumerate(day_slots):
            shown = slot.start.hour * 60 + slot.start.minute
            is_twice = any(other is not slot and other.start.replace(tzinfo=None, fold=0)
                           == slot.start.replace(tzinfo=None, fold=0) for other in day_slots)
            if ends == "elapsed":
                cells[index] = slot
            elif not slot.is_second:
                cells[shown // step] = slot
            elif extra_names:
                cells[count + sum(cell is not None for cell in cells[count:])] = slot
            if ends == "elapsed" or not is_twice or extra_names:
                expected[index] = plain(slot.kwh) + ("e" if flag and slot.k in (2, 3) else "")
        row = [value(day_slots) if callable(value) else value for _, value in before]
        row[[column for column, _ in before].index(date[0])] = \
            dt.date.fromisoformat(day).strftime(date[1])
        for cell in cells:
            said = "" if cell is None else flag["e" if cell.k in (2, 3) else "a"] if flag else ""
            text = "" if cell is None else decimal(plain(cell.kwh))
            row += [said, text] if pair and pair[1] == "before" else \
                [text, said] if pair else [text]
        row += [value(day_slots) if callable(value) else value for _, value in after]
        sample.lines.append(delimiter.join(f"{quote}{field}{quote}" for field in row) + tail)
        sample.expect(meter, "consumption", "consumption", unit, day, step, expected)
    sample.lines += list(footer)
    sample.write()


def clock(pattern, step=30, shift=0, last="00:00"):
    def name(i):
        minute = i * step + shift
        text = f"{minute // 60:02}:{minute % 60:02}"
        return pattern.format(last if text == "24:00" else text)
    return name


def total(day_slots):
    return plain(sum((slot.kwh for slot in day_slots), Decimal(0)))


AE = {"a": "A", "e": "E"}


def make_wide():
    m = "9900000000017"
    wide("siemens-uk", UK_DAYS, ("Date", "%d/%m/%y"), clock("{}", shift=30),
         before=[("MPXN", m), ("Date", "")])
    wide("clarity-uk", UK_DAYS, ("Date", "%d/%m/%Y"), clock("{}", shift=30), flag=AE,
         before=[("MPRN", m), ("Date", ""), ("Units", "kWh")],
         pair=(lambda column, _: f"{column} Flag", "after"))
    wide("stark-uk", UK_DAYS, ("Date", "%d/%m/%Y"), clock("{}", shift=30),
         titles=["Report", "From,31/03/2024", "To,27/10/2024", "", "Portal", "All times local", ""],
         before=[("Company Name", "C"), ("Site Name", "S"), ("Online Meter Name", "M"), ("MPAN", m),
                 ("Meter ID", "1"), ("Type", "kWh"), ("Est", "A"), ("Date", "")])
    wide("digital-energy-uk", UK_DAYS[:2], ("Date", "%d/%m/%Y"),
         clock("{}", shift=30), titles=["Digital Energy", "", "Report", "", "", ""],
         before=[("Meter Name", "M"), ("MPAN", m), ("Serial", "1"), ("Date", "")],
         after=[("Total", total)])
    wide("entrust-uk", UK_DAYS, ("Date", "%d/%m/%Y"), clock("{}", shift=30, last="24:00"),
         before=[("Meter Id", m), ("Date", "")])
    wide("systemslink-uk", UK_DAYS[:2], ("Date", "%d/%m/%y"),
         clock("[{}]", shift=30, last="24:00"), quote='"',
         before=[("ID", m), ("Date", ""), ("Location", "Hall"), ("Type", "Electricity"),
                 ("PostCode", "ZZ1"), ("Units", "kWh"), ("Total Units", total)])
    wide("npower-energy-coach-uk", UK_DAYS, ("ConsumptionDate", "%d/%m/%Y"),
         lambda i: f"kWh_{i + 1}", before=[("siteRef", "S"), ("MPAN", m), ("ConsumptionDate", "")])
    wide("npower-uk", UK_DAYS[:2], ("rdate", "%d/%m/%Y"), lambda i: f"Kwh{i + 1}",
         before=[("mpan", m), ("rdate", ""), ("TotalConsumptionKwh", total), ("MaxDemand", "1"),
                 ("colStatuskwh", "A")])
    wide("corona-uk", UK_DAYS, ("Date", "%d/%m/%Y"), lambda i: str(i + 1), extra=2, ends="elapsed",
         before=[("Date", ""), ("Loaded", "01/01/2025"), ("MPAN", m), ("Total", total)])
    wide("corona-settlement-uk", UK_DAYS, ("SETTLEMENT_DATETIME", "%d/%m/%Y 00:00:00"),
         lambda i: f"ID{i + 1}", before=[("MPAN_CORE", m), ("SETTLEMENT_DATETIME", "")])
    wide("bryt-uk", UK_DAYS, ("Settlement Date", "%d/%m/%Y"), lambda i: str(i + 1), extra=2,
         ends="elapsed", titles=["Title", "", "", "Sum of kWh"],
         before=[("Mpan", m), ("Settlement Date", "")], after=[("Grand Total", total)],
         footer=["Grand Total,," + ",".join(["1"] * 50) + ",50"])
    wide("crown-uk", UK_DAYS, ("Read Date", "%d/%m/%Y"),
         lambda i: f" Consumption {clock('{}')(i)} {'AM' if i < 24 else 'PM'}", flag=AE,
         before=[("MPAN Core", m), ("Serial Num", "S1"), ("Site Ref", ""), ("Read Date", "")],
         pair=(lambda column, i: column.replace("Consumption", "Estimated / Actual")
               if i < 48 else column.replace("Cons", "Est"), "after"),
         extra_names=["Time Change 1 Cons", "Time Change 2 Cons"], after=[("Total kWh", total)])
    wide("british-gas-uk", UK_DAYS, ("reading_date", "%Y/%m/%d"), lambda i: f"interval_{i + 1}",
         flag=AE, pair=(lambda column, _: f"{column}_indicator", "before"),
         before=[("consumption_source", "DC"), ("mpxn", m), ("msn", "1"),
                 ("meter_read_type", "HH"), ("reading_date", "")])
    wide("brook-green-uk", UK_DAYS, ("ReadDateUK", "%d/%m/%Y"), lambda i: f"HH{i + 1}", flag=AE,
         pair=(lambda _, i: f"ReadTypeHH{i + 1}", "before"),
         before=[("MeterPoint", m), ("MeasurementType", "AI"), ("ProfileClass", "0"),
                 ("Unit", "kWh"), ("ReadDateUK", "")])
    wide("edf-historic-uk", ["2024-03-31", "2024-10-27"], ("Date (UTC)", "%d/%m/%Y"), clock("{}"),
         zone="UTC", quote='"', titles=["sep=,"], flag=AE, pair=(lambda *_: "Type", "after"),
         before=[("MPAN", m), ("Date (UTC)", ""), ("Total kWh", total)])
    wide("sse-dukefield-uk", UK_DAYS, ("Date", "%d/%m/%y"), clock("{}"), flag=AE,
         pair=(lambda column, _: f"{column} Flag", "after"),
         before=[("MPAN", m), ("Meter Name", "M"), ("Description", "Active Energy"), ("Date", "")],
         footer=[f"{m},M,Reactive Energy kvarh,31/03/24" + ",9,A" * 48])
    wide("energy-assets-uk", UK_DAYS, ("Date", "%d/%m/%Y"), clock("{}"), unit="m3",
         before=[("UtilityType", "Gas"), ("MPRN", m), ("SerialNum", "1"), ("Unit", "m3"),
                 ("Date", ""), ("Reading", "100")])
    ranges = [f"{clock('{}', 15)(i)}-{clock('{}', 15, 15)(i)}" for i in range(96)]
    wide("enel-italy", ["2024-03-31", "2024-09-01", "2024-10-27"], ("Giorno", "%d/%m/%Y"),
         lambda i: ranges[i], zone="Europe/Rome", step=15, delimiter=";", decimal=comma, quote='"',
         before=[("Giorno", "")], tail=";", meter="IT001E00000019",
         file_name="ExportData_IT001E00000019_settembre.csv")
    make_edf_portal()


def make_edf_portal():
    sample = Sample("edf-portal-uk")
    m = "9900000000066"
    times = [clock("{}", last="24:00")(i) for i in range(48)] + ["24:00", "24:30"]
    names = ["Month", "MPAN", "Measurement Type", "Settlement Date"] + times + \
        [f"{time}_Act_Est" for time in times]
    quoted = ",".join
    sample.lines.append(quoted(f'"{name}"' for name in names))
    kinds = {"AI": ("consumption", "kWh"), "RI": ("reactive", "kvarh"), "RE": ("reactive", "kvarh")}
    for day in UK_DAYS:
        day_slots = slots(UK, day, 30)
        for kind, (flow, unit) in kinds.items():
            values = [plain(slot.kwh) for slot in day_slots]
            values += ["-"] * (50 - len(values))
            flags = ["Estimated" if slot.k == 2 else "Actual" for slot in day_slots]
            flags += ["-"] * (50 - len(flags))
            date = dt.date.fromisoformat(day).strftime("%d-%m-%Y")
            sample.lines.append(quoted(f'"{field}"' for field in
                                       ["Mar-24", m, kind, date] + values + flags))
            sample.expect(m, kind, flow, unit, day, 30, readings_of(day_slots, {2: "e"}))
    sample.write()


# --- a reading a row ----------------------------------------------------------------------------

def iso(time):
    return time.isoformat()


def rows(name, zone, step, days, header, row, *, titles=(), footer=(), reverse=False,
         meter="9900000000017", encoding="utf-8", delimiter=",", unit="kWh", flags=None,
         mark="", left_out=(), lost=()):
    """`row` makes the fields of a slot. Slots of `left_out` have no row; those of `lost` have one
    that says that they are missing."""
    sample = Sample(name)
    sample.encoding = encoding
    sample.lines += list(titles)
    if header:
        sample.lines.append(mark + delimiter.join(header))
    body = []
    for day in days:
        day_slots = slots(zone, day, step)
        for slot in day_slots:
            if slot.k not in left_out:
                body.append(delimiter.join(row(slot)))
        readings = readings_of(day_slots, flags)
        for k in (*left_out, *lost):
            if k <= len(readings):
                readings[k - 1] = "-"
        sample.expect(meter, "consumption", "consumption", unit, day, step, readings)
    if reverse:
        body.reverse()
    sample.lines += body + list(footer)
    sample.write()


def ab(slot, actual, estimated):
    return estimated if slot.k == 2 else actual


def make_long():
    m = "9900000000017"
    naive = "%d/%m/%Y %H:%M:%S"
    rows("sefe-uk", UK, 30, UK_DAYS, ["ReadDateTime_UTC", "MeterSerialNumber", "Consumption"],
         lambda s: [s.utc_end.strftime(naive), m, plain(s.kwh)])
    rows("united-gas-and-power-uk", UK, 30, UK_DAYS,
         ["Fuel", "Meter Point", "Date", "Time Slot", "Consumption", "Company"],
         lambda s: ["E", m, s.start.strftime("%d/%m/%Y"), str(s.k), plain(s.kwh), "C"])
    rows("highlands-uk", UK, 30, UK_DAYS, ["MPR", "ReadDatetime", "kWh", "ReadType"],
         lambda s: [m, s.end.strftime("%d %b %Y %H:%M:%S"), plain(s.kwh),
                    ab(s, "Actual", "Estimated")],
         titles=["sep=,"], flags={2: "e"})
    rows("chellow", UK, 30, UK_DAYS, ["MPAN core", "Channel Type", "Time", "Value", "Status"],
         lambda s: ["99 0000 0000 017", "ACTIVE", s.utc.strftime("%Y-%m-%d %H:%M"), plain(s.kwh),
                    ab(s, "A", "C")], flags={2: "s"})
    rows("octopus-uk", UK, 30, UK_DAYS, [" Consumption (kwh)", " Start", " End"],
         lambda s: [plain(s.kwh) if s.k != 3 else "3E-3", " " + iso(s.start), " " + iso(s.end)],
         meter="METER", left_out=(5, 6))
    rows("n3rgy-uk", UK, 30, UK_DAYS, ["timestamp (UTC)", "energyConsumption (kWh)"],
         lambda s: [s.utc.strftime("%Y-%m-%d %H:%M"), plain(s.kwh)], meter="METER")
    make_esb()
    make_enedis()
    rows("enedis-interval-france", PARIS, 30, UK_DAYS, ["Début", "Fin", "Valeur (en kW)"],
         lambda s: [s.start.strftime(naive), s.end.strftime(naive), comma(plain(s.kw))],
         delimiter=";", meter="METER")
    rows("datadis-spain", "Europe/Madrid", 60, UK_DAYS,
         ["CUPS", "Fecha", "Hora", "AE_kWh", "REAL/ESTIMADO"],
         lambda s: ["ES00AA", s.start.strftime("%d/%m/%Y"), str(s.k), comma(plain(s.kwh)),
                    ab(s, "R", "E")], delimiter=";", meter="ES00AA", flags={2: "e"})
    rows("datadis-hours-spain", "Europe/Madrid", 60, UK_DAYS,
         ["cups", "fecha", "hora", "consumoKWh", "metodoObtencion"],
         lambda s: ["ES00AA", s.start.strftime("%Y/%m/%d"), f"{s.k:02}:00", comma(plain(s.kwh)),
                    ab(s, "Real", "Estimada")], delimiter=";", meter="ES00AA", flags={2: "e"})
    make_fluvius()
    pair = ("%d.%m.%Y", "%H:%M:%S")
    short = ("%d.%m.%Y", "%H:%M")
    rows("edc-czechia", "Europe/Prague", 15, UK_DAYS,
         ["Datum", "Cas od", "Cas do", "8591-8592", ""],
         lambda s: [s.start.strftime(short[0]), s.start.strftime(short[1]),
                    s.end.strftime(short[1]), comma(plain(s.kwh)), ""],
         delimiter=";", meter="8591")
    at = "AT0010000000000000001000000000040"
    rows("wiener-netze-austria", VIENNA, 15, UK_DAYS,
         ["Datum", "Zeit von", "Zeit bis", f"Haus - {at} - Verbrauch [kWh]", "", ""],
         lambda s: [s.start.strftime(pair[0]), s.start.strftime(pair[1]), s.end.strftime(pair[1]),
                    comma(plain(s.kwh)), "", ""], delimiter=";", meter=at, mark="\ufeff")
    rows("wiener-netze-econtrol-austria", VIENNA, 15, UK_DAYS,
         ["Ende Ablesezeitraum", "Messintervall", "Abrechnungsmaßeinheit",
          f"Haus - {at} - Verbrauch [kWh]"],
         lambda s: [s.end.strftime("%Y-%m-%dT%H:%M") + s.end.isoformat()[-6:], "QH", "KWH",
                    comma(plain(s.kwh))], delimiter=";", meter=at, mark="\ufeff")
    full, minutes = "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"
    rows("netz-noe-austria", VIENNA, 15, UK_DAYS,
         ["Messzeitpunkt", "Verbrauch (kWh)", "Qualität", ""],
         lambda s: [s.end.strftime(minutes), comma(plain(s.kwh)), "G", ""], delimiter=";",
         meter="METER")
    rows("netz-burgenland-austria", VIENNA, 15, UK_DAYS,
         ["Startdatum", "Startuhrzeit", "Enddatum", "Enduhrzeit", "Verbrauch (in kWh)", "Status"],
         lambda s: [s.start.strftime(short[0]), s.start.strftime(short[1]),
                    s.end.strftime(short[0]), s.end.strftime(short[1]), comma(plain(s.kwh)),
                    ab(s, "Wahrer Wert", "Ersatzwert")],
         delimiter=";", titles=["Kunde;X", f"Zählpunkt;{at}"], meter=at, flags={2: "e"})
    rows("graz-austria", VIENNA, 15, UK_DAYS,
         ["Ablesezeitpunkt", "Zaehlerstand Gesamt - 1.8.0", "Verbrauch Gesamt - 1.8.0",
          "Status Gesamt - 1.8.0"],
         lambda s: [s.end.isoformat(timespec="milliseconds"), "100",
                    comma(plain(s.kwh)) if s.k != 7 else "", "VAL" if s.k != 7 else ""],
         delimiter=";", titles=["Lieferrichtung: Bezug;;;"], meter="METER", lost=(7,))
    rows("linz-austria", VIENNA, 15, UK_DAYS,
         ["Datum von", "Datum bis", "Verbrauch in kWh", "Ersatzwert"],
         lambda s: [s.start.strftime(minutes), s.end.strftime(minutes), comma(plain(s.kwh)),
                    ab(s, "", "X")], delimiter=";", meter="METER", flags={2: "e"})
    rows("kaernten-austria", VIENNA, 15, UK_DAYS, ["Datum", "Zeit", "kWh", "Status"],
         lambda s: [s.start.strftime(short[0]), s.start.strftime(short[1]), comma(plain(s.kwh)),
                    "L1 Echtwert"], delimiter=";", meter="METER", encoding="cp1252",
         titles=["Zählpunkt;X"])
    rows("steiermark-austria", VIENNA, 15, UK_DAYS,
         ["Anlagennummer", "Zaehlpunkt", "Tarif", "Verbrauchszeitraum Beginn",
          "Verbrauchszeitraum Ende", "Verbrauch", "Einheit", "Messwert"],
         lambda s: ["1", at, "T", s.start.strftime(minutes), s.end.strftime(minutes),
                    comma(plain(s.kwh)), "KWH", ab(s, "VAL", "EST")], delimiter=";", meter=at,
         titles=["sep=;"], flags={2: "e"})
    rows("vorarlberg-austria", VIENNA, 15, UK_DAYS,
         ["Beginn der Messreihe", "Ende der Messreihe", "Messwert in kWh"],
         lambda s: [s.start.strftime(minutes), s.end.strftime(minutes), comma(plain(s.kwh))],
         delimiter=";", meter=at, encoding="utf-16-le",
         titles=["\ufeffKunde;X", f"Zählpunkt;{at}", ";"])
    rows("clam-austria", VIENNA, 15, UK_DAYS,
         ["Start", "Ende", "Vorschub (kWh) - Verbrauch", "Zählerstand (kWh) - Verbrauch"],
         lambda s: [s.start.strftime(full), s.end.strftime(full), " " + comma(plain(s.kwh)), "1"],
         delimiter=";", meter="METER")
    rows("tiwag-austria", VIENNA, 15, UK_DAYS, ["DATE_FROM", "DATE_TO", "VALUE"],
         lambda s: [s.start.strftime(full), last_of(s).strftime("%d.%m.%Y %H:%M:59"),
                    comma(plain(s.kwh))], delimiter=";", meter=at,
         titles=["Kunde;X", f"Zählpunkt;{at}", "Einheit;kWh", ""])
    rows("salzburg-austria", VIENNA, 15, UK_DAYS,
         ["Datum", "Verbrauch (kWh)", "Status", "Zeitumstellung"],
         lambda s: [f'"{s.start.strftime(full)}"', f'"{comma(plain(s.kwh))}"',
                    '"Wert ist gültig(L1)"', ""], delimiter=";", meter="METER")
    rows("ikb-austria", VIENNA, 15, UK_DAYS, ['"Datum"', f'"{at} ab 21.02.2024 00:30"'],
         lambda s: [s.end.strftime(minutes), plain(s.kwh)], meter=at, mark="\ufeff")
    rows("fingrid-finland", "Europe/Helsinki", 60, UK_DAYS,
         ["Mittauspisteen tunnus", "Tuotteen tyyppi", "Resoluutio", "Yksikkötyyppi",
          "Lukeman tyyppi", "Alkuaika", "Määrä", "Laatu"],
         lambda s: ["6430", "871", "PT1H", "kWh", "BN01", s.utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "null" if s.k == 7 else comma(plain(s.kwh)),
                    "MISSING" if s.k == 7 else "OK"], delimiter=";", meter="6430", lost=(7,),
         mark="\ufeff")
    rows("elhub-norway", "Europe/Oslo", 60, UK_DAYS, ["Fra", "Til", "KWH 60 Forbruk"],
         lambda s: [s.start.strftime(minutes), s.end.strftime(minutes), f"0,{s.k:03}"],
         meter="METER")
    rows("eloverblik-denmark", "Europe/Copenhagen", 60, UK_DAYS,
         ["MålepunktsID", "Fra_dato", "Til_dato", "Mængde", "Måleenhed", "Kvalitet", "Type"],
         lambda s: ["5713", s.start.strftime("%d-%m-%Y %H:%M:%S"),
                    s.end.strftime("%d-%m-%Y %H:%M:%S"), comma(plain(s.kwh)), "KWH",
                    ab(s, "Målt", "Estimeret"), "Tidsserie"], delimiter=";", meter="5713",
         flags={2: "e"}, mark="\ufeff")
    make_us()
    make_nz()
    make_registers()
    make_france()
    make_netherlands_and_kaernten()


def last_of(slot):
    return (slot.utc_end - dt.timedelta(seconds=1)).astimezone(slot.end.tzinfo)


def make_esb():
    sample = Sample("esb-ireland")
    body = []
    for day in UK_DAYS:
        day_slots = slots("Europe/Dublin", day, 30)
        for slot in day_slots:
            for kind in ("Export", "Import"):
                body.append(",".join(["100033", "12", plain(slot.kw),
                                      f"Active {kind} Interval (kW)",
                                      slot.end.strftime("%d-%m-%Y %H:%M")]))
        for flow in ("consumption", "generation"):
            sample.expect("100033", flow, flow, "kWh", day, 30, readings_of(day_slots))
    sample.lines = ["MPRN,Meter Serial Number,Read Value,Read Type,Read Date and End Time"]
    sample.lines += reversed(body)
    sample.write()


def make_enedis():
    sample = Sample("enedis-france")
    sample.lines = ["Identifiant PRM;Type de donnees;Date de debut;Date de fin;Unite",
                    "3000;Courbe de charge;31/03/2024;28/10/2024;W", "Horodate;Valeur"]
    for day in UK_DAYS:
        day_slots = slots(PARIS, day, 30)
        for slot in day_slots:
            sample.lines.append(f"{iso(slot.end)};{plain(slot.kw * 1000)}")
        # An hour of 60 minutes: its mean power is that of both halves.
        del sample.lines[-1]
        day_sum = readings_of(day_slots)
        sample.lines[-1] = f"{iso(day_slots[-2].end)};{plain(day_slots[-2].kw * 1000)}"
        sample.lines.append(f"{iso(day_slots[-1].end)};{plain(day_slots[-1].kw * 1000)}")
        del sample.lines[-3]
        shared = plain(day_slots[-2].kwh)
        day_sum[-3:-1] = [f"{shared}e", f"{shared}e"]
        sample.expect("3000", "consumption", "consumption", "Wh", day, 30,
                      [plain(Decimal(r.rstrip("e")) * 1000) + ("e" if "e" in r else "")
                       for r in day_sum])
    sample.lines.append("2024-10-28T00:00:00+01:00;Arrêté quotidien;1000;;;8000")
    sample.write()


def make_fluvius():
    for name, header, words, date in (
            ("fluvius-belgium",
             ["From (date)", "From (time)", "Until (date)", "Until (time)", "EAN code", "Meter",
              "Meter type", "Register", "Volume", "Unit", "Validation status", "Description"],
             ("Offtake Night", "Injection Day", "Read", "No consumption"), "%d/%m/%Y"),
            ("fluvius-nl-belgium",
             ["Van datum", "Van tijdstip", "Tot datum", "Tot tijdstip", "EAN-code", "Meter",
              "Metertype", "Register", "Volume", "Eenheid", "Validatiestatus", "Omschrijving"],
             ("Afname Nacht", "Injectie Dag", "Uitgelezen", "Geen verbruik"), "%d-%m-%Y")):
        sample = Sample(name)
        sample.lines = ["\ufeff" + ";".join(header)]
        for day in UK_DAYS:
            day_slots = slots("Europe/Brussels", day, 15)
            for slot in day_slots:
                for register in words[:2]:
                    lost = slot.k == 1
                    sample.lines.append(";".join(
                        [slot.start.strftime(date), slot.start.strftime("%H:%M:%S"),
                         slot.end.strftime(date), slot.end.strftime("%H:%M:%S"), '="5400"', "1S",
                         "Digital", register, "" if lost else comma(plain(slot.kwh)), "kWh",
                         words[3] if lost else words[2], ""]))
            readings = ["-"] + readings_of(day_slots)[1:]
            for flow in ("consumption", "generation"):
                sample.expect("5400", flow, flow, "kWh", day, 15, readings)
        sample.write()


def make_us():
    titles = ["\ufeffName,X", 'Address,"1 ST, CITY"', "Account Number,123", "Service,Service 2", ""]
    zone = "America/Los_Angeles"

    def times(slot):
        return ["Electric usage", slot.start.strftime("%Y-%m-%d"), slot.start.strftime("%H:%M"),
                (slot.utc_end - dt.timedelta(minutes=1)).astimezone(slot.end.tzinfo)
                .strftime("%H:%M")]
    gas = ["Natural gas usage,2024-04-03,00:00,23:59,3.13,therms,$4.09,"]
    start = ["TYPE", "DATE", "START TIME", "END TIME"]
    rows("opower-usage-us", zone, 15, US_DAYS, start + ["USAGE", "UNITS", "COST", "NOTES"],
         lambda s: times(s) + [plain(s.kwh), "kWh", "$0.02", ""], titles=titles,
         meter="123-Service2", footer=gas)
    rows("opower-usage-kwh-us", zone, 60, US_DAYS, start + ["USAGE (kWh)", "COST", "NOTES"],
         lambda s: times(s) + [plain(s.kwh), "$0.02", ""], titles=titles, meter="123-Service2")
    sample = Sample("opower-import-export-us")
    sample.lines = titles + [",".join(start + ["IMPORT (kWh)", "EXPORT (kWh)", "COST", "NOTES"])]
    for day in US_DAYS:
        day_slots = slots(zone, day, 60)
        for slot in day_slots:
            kwh = plain(slot.kwh)
            sample.lines.append(",".join(times(slot) + [kwh, kwh, "$1", ""]))
        for flow in ("consumption", "generation"):
            sample.expect("123-Service2", flow, flow, "kWh", day, 60, readings_of(day_slots))
    sample.write()
    rows("sdge-us", zone, 60, US_DAYS,
         ['"Meter Number"', '"Date"', '"Start Time"', '"Duration"', '"Consumed"'],
         lambda s: ['"0000034"', s.start.strftime('"%m/%d/%Y"'), s.start.strftime("%I:%M:%S %p"),
                    '"Hour"', f'"{plain(s.kwh)}"'],
         titles=['"Name : X",,,,', f'"Total Usage: {sum_of(zone, US_DAYS, 60)}000",,,,',
                 '"UOM: kWh",,,,', ",,,,"], meter="0000034")
    rows("ameren-us", "America/Chicago", 15, US_DAYS,
         ["Start Interval Date/Time", "Meter Id", "Usage", "Units", "Interval", "Usage", "Units",
          "Interval"],
         lambda s: [s.start.strftime("%m/%d/%Y %H:%M"), "00000047"] +
         (["1", "kwh", "60min"] if s.start.minute == 0 else ["-", "-", "-"]) +
         [plain(s.kwh), "kwh", "15min"], titles=["\ufeffName,X,,,,,,", ",,,,,,,"], meter="00000047")
    sample = Sample("smart-meter-texas-us")
    sample.lines = ["ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,"
                    "ESTIMATED_ACTUAL,CONSUMPTION_SURPLUSGENERATION"]
    for day in US_DAYS:
        day_slots = slots("America/Chicago", day, 15)
        for kind, flow in (("Consumption", "consumption"), ("Surplus Generation", "generation")):
            for slot in day_slots:
                sample.lines.append(",".join(
                    ["'1044", slot.start.strftime("%m/%d/%Y"), " 11/28/2024 07:40:29",
                     slot.start.strftime(" %H:%M"), slot.end.strftime(" %H:%M"), plain(slot.kwh),
                     ab(slot, "A", "E"), kind]))
            sample.expect("1044", flow, flow, "kWh", day, 15, readings_of(day_slots, {2: "e"}))
    sample.write()


def make_nz():
    zone, days = "Pacific/Auckland", ["2025-04-06", "2025-09-07", "2025-09-28"]
    full = "%d/%m/%Y %H:%M:%S"
    rows("nz-eiep13a", zone, 30, days, [],
         lambda s: ["DET", "", "0000050ZZ000", "000", "", "2", "X", "IN", "19",
                    s.start.strftime(full), s.end.strftime(full), ab(s, "RD", "ES"), plain(s.kwh)],
         titles=["HDR,ICPCONS,1.1,RETA,RETA,CUST,08/09/2025,,144,06/04/2025,28/09/2025,,"],
         meter="0000050ZZ000", flags={2: "e"})
    rows("nz-eiep3", zone, 30, days, [],
         lambda s: ["DET", "0000050ZZ000", "2", ab(s, "F", "E"), s.start.strftime("%d/%m/%Y"),
                    str(s.k), plain(s.kwh)],
         titles=["HDR,ICPHHAB,10,RETA,RETA,X,08/09/2025"], meter="0000050ZZ000", flags={2: "e"})


def shown_of(day_slots, begin):
    """What a register showed at each moment of a day, with the moment in UTC: slot k is k units."""
    moments = [(day_slots[0].utc, begin)]
    for slot in day_slots:
        moments.append((slot.utc_end, moments[-1][1] + slot.k))
    return moments


def make_registers():
    sample = Sample("schneider-uk")
    body, units = [], 1_234_000
    for day in UK_DAYS:
        day_slots = slots(UK, day, 30)
        for moment, units in shown_of(day_slots, units + 50_000):
            body.append(f'"{moment:%d/%m/%Y %H:%M:%S}","{Decimal(units) / 1000:,}","read","",""')
        sample.expect("METER", "consumption", "consumption", "kWh", day, 30, readings_of(day_slots))
    sample.lines = ['"Time stamp","Value","Events","Comment","User"'] + body[::-1]
    sample.write()

    sample = Sample("energie-manager-netherlands")
    zone = zoneinfo.ZoneInfo("Europe/Amsterdam")
    sample.lines = ["", "name;ean;code;moment;moment-date;value;factor;type"]
    units = 35_089_902
    for day in UK_DAYS:
        day_slots = slots("Europe/Amsterdam", day, 15)
        for moment, units in shown_of(day_slots, units + 50_000):
            sample.lines.append(f"Hall;8717;ellm;{int(moment.timestamp())};"
                                f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S};{units};0.001;0")
        sample.expect("8717", "consumption", "consumption", "kWh", day, 15, readings_of(day_slots))
    sample.write()

    # The register runs over in the middle of the last day, and others take turns with it.
    sample = Sample("aws-mda")
    zone = zoneinfo.ZoneInfo("America/Los_Angeles")
    units = 10 ** 9 - 113_000
    for day in US_DAYS:
        day_slots = slots("America/Los_Angeles", day, 15)
        for moment, units in shown_of(day_slots, units + 34_000):
            time = f"{moment.astimezone(zone):%Y%m%d%H24%M%S}"
            for register, value in (("1.8.1", units + 7), ("1.8.0", units), ("2.8.0", 5)):
                sample.lines.append(f"17|{register}|{time}|{value % 10 ** 9}|0.0.0.1.1.1.12|"
                                    "spid|rq|ansi|smult|DST|AccNum|sqcode")
        sample.expect("17", "consumption", "consumption", "kWh", day, 15,
                      [str(slot.k) for slot in day_slots])
    sample.write()


def make_france():
    sample = Sample("edf-puissances-france")
    sample.encoding = "cp1252"
    sample.lines = ["", "Récapitulatif de mes puissances atteintes en W",
                    "Date et heure de relève par le distributeur;Puissance atteinte (W);"
                    "Nature de la donnée"]
    for day in UK_DAYS[::-1]:
        day_slots = slots(PARIS, day, 30)
        sample.lines.append(f"{dt.date.fromisoformat(day):%d/%m/%Y};;")
        for slot in day_slots[::-1]:
            sample.lines.append(f"{slot.end:%H:%M:%S};{plain(slot.kw * 1000)};Réelle")
        sample.lines.append("")
        sample.expect("METER", "consumption", "consumption", "Wh", day, 30,
                      [str(slot.k) for slot in day_slots])
    sample.write()

    sample = Sample("enedis-r63-france")
    sample.lines = ["Identifiant PRM;Date de début;Date de fin;Grandeur physique;Grandeur métier;"
                    "Etape métier;Unité;Horodate;Valeur;Nature;Pas;Indice de vraisemblance;"
                    "Etat complémentaire"]
    for day in UK_DAYS:
        day_slots = slots(PARIS, day, 30)
        for kind, flow in (("CONS", "consumption"), ("PROD", "generation")):
            for slot in day_slots:
                sample.lines.append(
                    f"3000;2024-03-31 00:00:00;2024-10-28 00:00:00;PA;{kind};BRUT;W;"
                    f"{slot.end:%Y-%m-%d %H:%M:%S};{plain(slot.kw * 1000)};{ab(slot, 'B', 'E')};"
                    "PT30M;0;0")
            sample.expect("3000", flow, flow, "Wh", day, 30,
                          [str(slot.k) + ("e" if slot.k == 2 else "") for slot in day_slots])
    sample.write()


def make_netherlands_and_kaernten():
    sample = Sample("engie-netherlands")
    sample.lines = ['"Datum","EAN","Verbruik","Type","Piek"']
    for kind, flow in (("Elektriciteit", "consumption"), ("Teruglevering", "generation")):
        for day in UK_DAYS:
            day_slots = slots("Europe/Amsterdam", day, 60)
            for slot in day_slots:
                peak = "true" if 7 <= slot.start.hour < 23 else "false"
                sample.lines.append(f'"{slot.start.isoformat()}","8712","{plain(slot.kwh)}",'
                                    f'"{kind}","{peak}"')
            sample.expect("8712", flow, flow, "kWh", day, 60, readings_of(day_slots))
    sample.write()

    full = "%d.%m.%Y %H:%M"
    rows("kaernten-start-end-austria", VIENNA, 15, UK_DAYS,
         ["Startdatum", "Enddatum", "Zählpunktbezeichnung", "Name der Energiegemeinschaft",
          "ID der Energiegemeinschaft", "OBIS", "OBIS Kurzbeschreibung", "Wert", "Einheit",
          "Qualität", "Qualität Beschreibung"],
         lambda s: [s.start.strftime(full), s.end.strftime(full), "AT007", "", "", "", "",
                    comma(plain(s.kwh)), "kWh", ab(s, "L1", "L2"),
                    ab(s, "Echtwert gemessen", "Ersatzwert")],
         delimiter=";", meter="AT007", flags={2: "s"})


if __name__ == "__main__":
    make_wide()
    make_long()
