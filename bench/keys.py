"""The keys of the questions that every contender is asked, the same ones for the same data.

A line is `QUESTION METER FROM TO`; TO is exclusive, and METER `*` where all meters are asked for.
"""
import datetime
import random

BEGIN = datetime.date(2019, 1, 1)  # That of make_files.cc.
MONTH_DAYS = 28

# Question -> what it asks.
QUESTIONS = {
    "day": "one meter, one day",
    "year": "one meter, a year of days",
    "readings": "the readings of a day",
    "portfolio": "all meters, one day",
    "gaps": "meters with missing days in four weeks",
}


def write(path, meters, days, count):
    """`count` keys of each question about a meter, a twentieth of the others."""
    chance = random.Random(42)
    few = max(1, count // 20)

    def line(question, meter, first, length):
        begin = BEGIN + datetime.timedelta(first)
        end = begin + datetime.timedelta(min(length, days - first))
        return f"{question} {meter} {begin} {end}\n"

    def meter():
        return f"EE{chance.randrange(meters):05d}"

    with open(path, "w", encoding="ascii") as file:
        for question in ("day", "readings"):
            file.writelines(line(question, meter(), chance.randrange(days), 1)
                            for _ in range(count))
        file.writelines(line("year", meter(), 0, 365) for _ in range(count))
        file.writelines(line("portfolio", "*", chance.randrange(days), 1) for _ in range(few))
        file.writelines(
            line("gaps", "*", chance.randrange(max(1, days - MONTH_DAYS + 1)), MONTH_DAYS)
            for _ in range(few))
