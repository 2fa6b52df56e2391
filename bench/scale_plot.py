"""Small line plots over a logarithmic number of rows, as one SVG for light and dark pages."""
import dataclasses
import html
import math

WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 84, 34, 34
COLOURS = 5
STYLE = """
  text { font: 12px sans-serif; fill: #24292f }
  .title { font-weight: bold }
  .grid { stroke: #8c959f; stroke-opacity: .35 }
  .line { fill: none; stroke-width: 2 }
  .c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .c2 { stroke: #1a7f37 }
  .c3 { stroke: #8250df } .c4 { stroke: #bf3989 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .c0 { stroke: #58a6ff } .c1 { stroke: #f0883e } .c2 { stroke: #3fb950 }
    .c3 { stroke: #bc8cff } .c4 { stroke: #f778ba }
  }
"""


@dataclasses.dataclass
class Panel:
    title: str
    series: dict  # Name -> [(rows, value)]
    is_log: bool = False


class Axis:
    """Maps values to a place between two ends."""

    def __init__(self, low, high, begin, end, is_log):
        self.is_log = is_log
        self.low, self.high = self.scaled(low), self.scaled(high)
        if self.low == self.high:
            self.high += 1
        self.begin, self.end = begin, end

    def scaled(self, value):
        return math.log10(value) if self.is_log else value

    def at(self, value):
        share = (self.scaled(value) - self.low) / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 1)


def decades(low, high):
    """The powers of ten around these values; they may lie a hundredth outside."""
    first, last = math.floor(math.log10(low * 1.01)), math.ceil(math.log10(high / 1.01))
    return [10.0 ** power for power in range(first, max(last, first + 1) + 1)]


def steps(high):
    """Round numbers from 0 to at least `high`, about four of them."""
    size = 10 ** math.floor(math.log10(high / 4))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * 4 >= high)
    return [step * number for number in range(math.ceil(high / step) + 1)]


def short(value):
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:.3g}"


def text(x, y, content, anchor="start", name=""):
    kind = f' class="{name}"' if name else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{kind}>{html.escape(content)}</text>'


def line(x1, y1, x2, y2):
    return f'<line class="grid" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def apart(places, distance=13):
    """The same places in their order, moved so that labels there do not cover each other."""
    moved, last = {}, -math.inf
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        last = max(place, last + distance)
        moved[name] = last
    return moved


def draw(panel):
    points = [point for series in panel.series.values() for point in series]
    rows, values = zip(*points)
    ticks_x = decades(min(rows), max(rows))
    ticks_y = decades(min(values), max(values)) if panel.is_log else steps(max(values))
    x = Axis(ticks_x[0], ticks_x[-1], LEFT, WIDTH - RIGHT, True)
    y = Axis(ticks_y[0], ticks_y[-1], HEIGHT - BOTTOM, TOP, panel.is_log)
    parts = [text(LEFT, 18, panel.title, name="title"),
             text(WIDTH - RIGHT + 8, HEIGHT - BOTTOM + 16, "rows")]
    for tick in ticks_x:
        parts += [line(x.at(tick), TOP, x.at(tick), HEIGHT - BOTTOM),
                  text(x.at(tick), HEIGHT - BOTTOM + 16, short(tick), "middle")]
    for tick in ticks_y:
        parts += [line(LEFT, y.at(tick), WIDTH - RIGHT, y.at(tick)),
                  text(LEFT - 6, y.at(tick) + 4, short(tick), "end")]
    labels = apart({name: y.at(series[-1][1]) for name, series in panel.series.items()})
    for number, (name, series) in enumerate(panel.series.items()):
        colour = f"c{number % COLOURS}"
        places = [(x.at(at), y.at(value)) for at, value in series]
        path = " ".join(f"{px},{py}" for px, py in places)
        parts.append(f'<polyline class="line {colour}" points="{path}"/>')
        parts += [f'<circle class="line {colour}" cx="{px}" cy="{py}" r="3"/>'
                  for px, py in places]
        parts.append(text(places[-1][0] + 8, labels[name] + 4, name))
    return "\n".join(parts)


def svg(panels):
    """Two panels side by side, then the next two."""
    height = HEIGHT * math.ceil(len(panels) / 2)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {height}" '
             f'width="{2 * WIDTH}" height="{height}">', f"<style>{STYLE}</style>"]
    for number, panel in enumerate(panels):
        at = f"{number % 2 * WIDTH} {number // 2 * HEIGHT}"
        parts.append(f'<g transform="translate({at})">\n{draw(panel)}\n</g>')
    return "\n".join([*parts, "</svg>\n"])
