"""Writes results.md out of the results of a race."""
import dataclasses
import os
import pathlib
import platform
import re
import statistics
import time

import keys

KEYS_UNTIMED = 20  # Keys of a work whose questions are compared, not timed.
OURS = "meterline"


@dataclasses.dataclass
class Goal:
    """Of issue 6, for the set of 10,000 meters."""
    text: str
    value: float
    is_most: bool  # The more the better.

    def verdict(self, got):
        reached = got >= self.value if self.is_most else got <= self.value
        return f"{self.value:g} ({'reached' if reached else 'not reached'})"


LOAD_GOALS = {  # (work, figure) -> goal
    ("meter", "mb_per_cpu_s"): Goal("CSV MB per CPU second", 600, True),
    ("day", "mb_per_cpu_s"): Goal("CSV MB per CPU second", 450, True),
    ("daily", "cpu_s"): Goal("CPU seconds", 0.4, False),
    ("meter", "rss_mb"): Goal("peak memory, MB", 150, False),
    ("day", "rss_mb"): Goal("peak memory, MB", 150, False),
    ("meter", "bytes_per_reading"): Goal("disk bytes per reading", 1.33, False),
    ("day", "bytes_per_reading"): Goal("disk bytes per reading", 1.33, False),
}
ASK_GOALS = {"day": 3, "year": 40, "readings": 3, "portfolio": 400, "gaps": 1000}
HTTP_GOAL = Goal("requests a second, of an empty handler's", 0.6, True)


class Machine:
    """Where the race is run, and how busy that was when it began."""

    def __init__(self):
        self.begin = time.time()
        self.load_before = os.getloadavg()[0]

    def text(self):
        cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
        memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
        return (f"{os.cpu_count()} cores of {cpu[1] if cpu else platform.machine()}, "
                f"{int(memory[1]) / 2**20:.0f} GiB, Linux {platform.release()}. Load average "
                f"{self.load_before:.1f} at the start, {os.getloadavg()[0]:.1f} at the end, "
                f"{(time.time() - self.begin) / 60:.0f} minutes.")


def number(value):
    """With three digits that count."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def spread(values):
    """The median, and how far the others lie from it."""
    middle = statistics.median(values)
    if len(values) == 1:
        return number(middle)
    return f"{number(middle)} ({number(min(values))}-{number(max(values))})"


def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines) + "\n"


class Results:
    def __init__(self, race):
        self.race = race
        self.results = race.results

    def of(self, **wanted):
        return [each for each in self.results
                if all(each.get(name) == value for name, value in wanted.items())]

    def values(self, work, who, figure):
        """Of all rounds."""
        if figure == "bytes_per_reading":
            return [each["disk_bytes"] / each["readings"]
                    for each in self.of(kind="compact", work=work, who=who)]
        loads = self.of(kind="load", work=work, who=who)
        if figure == "mb_per_cpu_s":
            return [each["megabytes"] / each["cpu_s"] for each in loads]
        return [each[figure] for each in loads]

    def asked(self, work, who, question, figure="median_us"):
        return [each[figure] for each in
                self.of(kind="ask", work=work, who=who, question=question, timed=True)]

    def best_peer(self, figures, is_most):
        """Of {name: values}, without us: name and median."""
        medians = {name: statistics.median(values) for name, values in figures.items()
                   if values and name != OURS}
        if not medians:
            return None
        pick = max if is_most else min
        name = pick(medians, key=medians.get)
        return name, medians[name]


FIGURES = {  # Figure -> its heading, whether the more the better
    "mb_per_cpu_s": ("CSV MB per CPU s", True),
    "cpu_s": ("CPU s", False),
    "wall_s": ("wall s", False),
    "rss_mb": ("peak memory, MB", False),
    "bytes_per_reading": ("disk bytes per reading, compacted", False),
}


def summary_row(results, what, figures, is_most, goal):
    """A line of ours against the best peer."""
    best = results.best_peer(figures, is_most)
    ours = statistics.median(figures[OURS]) if figures.get(OURS) else None
    if best is None and ours is None:
        return None
    ratio = ""
    if best and ours:
        ratio = f"{(ours / best[1]) if is_most else (best[1] / ours):.2f}"
    return [what, spread(figures[OURS]) if ours else "cannot answer yet",
            f"{number(best[1])} ({best[0]})" if best else "", ratio,
            (goal.verdict(ours) if ours else f"{goal.value:g}") if goal else ""]


def summary(results):
    rows = []
    for work in results.race.works:
        for figure, (title, is_most) in FIGURES.items():
            if figure == "wall_s" or figure == "cpu_s" and (work.name, figure) not in LOAD_GOALS:
                continue
            figures = {each.name: results.values(work.name, each.name, figure)
                       for each in results.race.runners}
            rows.append(summary_row(results, f"{work.text}: {title}", figures, is_most,
                                    LOAD_GOALS.get((work.name, figure))))
    for work in results.race.works:
        for question, text in keys.QUESTIONS.items() if work.is_asked else ():
            figures = {each.name: results.asked(work.name, each.name, question)
                       for each in results.race.runners}
            rows.append(summary_row(results, f"{text}, loaded from {work.text}: microseconds",
                                    figures, False, Goal(text, ASK_GOALS[question], False)))
    return table(["what", "meterline", "best peer", "times as good", "goal"],
                 [row for row in rows if row])


def loads(results, work):
    rows = []
    for runner in results.race.runners:
        if not results.of(kind="load", work=work.name, who=runner.name):
            continue
        before = results.of(kind="load", work=work.name, who=runner.name)[-1]
        compact = results.of(kind="compact", work=work.name, who=runner.name)[0]
        rows.append((statistics.median(results.values(work.name, runner.name, "cpu_s")), [
            runner.label,
            *(spread(results.values(work.name, runner.name, figure)) for figure in FIGURES),
            f"{before['disk_bytes'] / before['readings']:.3g}", number(compact["cpu_s"])]))
    heads = ["contender", *(title for title, _ in FIGURES.values()), "before compaction",
             "CPU s of compaction"]
    return table(heads, [row for _, row in sorted(rows, key=lambda each: each[0])])


def questions(results, work):
    def cell(name, question):
        medians = results.asked(work.name, name, question)
        if not medians:
            return "cannot answer yet" if name == OURS else ""
        p99 = statistics.median(results.asked(work.name, name, question, "p99_us"))
        asked = min(results.asked(work.name, name, question, "asked"))
        whole = max(results.asked(work.name, name, question, "of"))
        return (f"{spread(medians)}; p99 {number(p99)}"
                + (f"; {asked} keys" if asked < whole else ""))

    rows = [[runner.label, *(cell(runner.name, question) for question in keys.QUESTIONS)]
            for runner in results.race.runners
            if results.of(kind="ask", work=work.name, who=runner.name)]
    return table(["contender", *keys.QUESTIONS.values()], rows)


def http(results):
    rates = {who: [each["requests_s"] for each in results.of(kind="http", who=who)]
             for who in (OURS, "empty")}
    if not rates[OURS]:
        return ""
    cpu = {who: [each["cpu_us"] for each in results.of(kind="http", who=who)] for who in rates}
    rows = [[{OURS: "`meterline serve`"}.get(who, "an empty handler of Beast"), spread(values),
             spread(cpu[who])] for who, values in rates.items()]
    ratio = statistics.median([ours / empty for ours, empty in zip(*rates.values())])
    cpu_ratio = statistics.median([empty / ours for ours, empty in zip(*cpu.values())])
    return ("## By HTTP\n\nOne meter, one day, 8 connections that are kept open, the load from the "
            "same machine.\n\n"
            + table(["server", "requests a second", "CPU microseconds of the server a request"],
                    rows)
            + f"Ratio of the requests a second, median of the rounds: {ratio:.2f}; goal: "
            f"{HTTP_GOAL.verdict(ratio)}. Ratio of the requests a CPU second of the server, which "
            f"a busy machine changes less: {cpu_ratio:.2f}.\n\n")


def data_lines(race):
    lines = []
    for data in race.data.values():
        if data.rows:
            lines.append(f"- `{data.name}`: {len(data.paths)} files, {data.megabytes:,.1f} MB, "
                         f"{data.meters:,} meters, {data.days} days, {data.rows:,} rows, "
                         f"{data.readings:,} readings\n")
    return "".join(lines) + "\n"


def write(race, machine):
    results = Results(race)
    options = race.options
    text = [
        "# Results of the race\n\n",
        f"`bench/run.sh {options.size}` wrote this; [README.md](README.md) tells what is done and "
        "how it is measured.\n\n" if options.size == "big" else
        f"`bench/run.sh {options.size}` wrote this; bench/README.md tells what is done.\n\n",
        f"Machine: {machine.text()} Rounds: {options.rounds}; figures are medians, with the least "
        "and the most in brackets.\n\n",
        "" if options.size == "big" else
        "The goals are for the big set; small sets do not tell whether they are reached.\n\n",
        "".join(f"- {runner.label}: {runner.version()}\n" for runner in race.runners), "\n",
        data_lines(race),
        "## meterline and the best peer\n\n", summary(results),
    ]
    for work in race.works:
        text += [f"## Loading: {work.text}\n\n", loads(results, work)]
    for work in race.works:
        if work.is_asked:
            text += [f"## Questions, loaded from {work.text}\n\nMicroseconds, in process, warm; "
                     "RocksDB and meterline are asked in C++, QuestDB in Java, the others in "
                     "Python.\n\n", questions(results, work)]
    text.append(http(results))
    return "".join(text).rstrip() + "\n"
