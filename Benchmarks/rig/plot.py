"""Small plots side by side with logarithmic axes, as one SVG that is legible on light and on dark."""
import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 300, 210                      # of a panel
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 44, 42     # around its field
COLUMNS = 3
STYLE = """
.ground { fill: #ffffff } text { fill: #1f2328; font: 11px system-ui, sans-serif } .title { font-weight: 600; font-size: 12px }
.grid { stroke: #d1d9e0; stroke-width: 1 } .linear { stroke: #818b98; stroke-dasharray: 3 4; fill: none }
.line { fill: none; stroke-width: 2 } .s0 { stroke: #0969da } .s1 { stroke: #bc4c00 } circle.s0 { fill: #0969da } circle.s1 { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .linear { stroke: #8b949e }
.s0 { stroke: #58a6ff } .s1 { stroke: #f0883e } circle.s0 { fill: #58a6ff } circle.s1 { fill: #f0883e } }
"""


@dataclass
class Panel:
    title: str
    x: str
    series: list  # with a `title` and `points`: (x, y), all above 0
    each: bool    # y is the share of one of the x things, not what all take


def short(value):
    """A power of ten as one writes it on an axis."""
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"


class Axis:
    """A logarithmic scale from one power of ten to another, in pixels."""

    def __init__(self, values, start, end):
        self.low = math.floor(math.log10(min(values)) + 1e-9)
        self.high = max(math.ceil(math.log10(max(values)) - 1e-9), self.low + 1)
        self.start, self.end = start, end

    def at(self, value):
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def ticks(self):
        step = max(1, math.ceil((self.high - self.low) / 5))
        return [10.0**n for n in range(self.low, self.high + 1, step)]


def panel(of):
    """The drawing of one panel, its corner at 0, 0."""
    points = [[(x, max(y, 1e-3)) for x, y in series.points] for series in of.series]
    x = Axis([x for line in points for x, _ in line], LEFT, WIDTH - RIGHT)
    y = Axis([y for line in points for _, y in line], HEIGHT - BOTTOM, TOP)
    parts = [f'<text class="title" x="{LEFT}" y="16">{escape(of.title)}</text>']
    for tick in x.ticks:
        parts.append(f'<path class="grid" d="M{x.at(tick):.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
                     f'<text x="{x.at(tick):.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{short(tick)}</text>')
    for tick in y.ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {y.at(tick):.1f}H{WIDTH - RIGHT}"/>'
                     f'<text x="{LEFT - 6}" y="{y.at(tick) + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - BOTTOM + 30}" text-anchor="middle">{escape(of.x)}</text>')
    # What would be linear, through the first series' end.
    end_x, end_y = points[0][-1]
    start_x, start_y = points[0][0][0], end_y
    if not of.each:
        start_x = max(start_x, end_x * 10**y.low / end_y)
        start_y = end_y * start_x / end_x
    parts.append(f'<path class="linear" d="M{x.at(start_x):.1f} {y.at(start_y):.1f}L{x.at(end_x):.1f} {y.at(end_y):.1f}"/>')
    for number, (series, line) in enumerate(zip(of.series, points)):
        places = [(x.at(a), y.at(b)) for a, b in line]
        parts.append(f'<path class="line s{number}" d="M' + "L".join(f"{a:.1f} {b:.1f}" for a, b in places) + '"/>')
        parts += [f'<circle class="s{number}" cx="{a:.1f}" cy="{b:.1f}" r="2.5"/>' for a, b in places]
        parts.append(f'<circle class="s{number}" cx="{LEFT + 4 + 90 * number}" cy="30" r="3"/>'
                     f'<text x="{LEFT + 12 + 90 * number}" y="34">{escape(series.title)}</text>')
    return "".join(parts)


def draw(panels):
    """The whole drawing."""
    rows = math.ceil(len(panels) / COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT + 20
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
             f"<style>{STYLE}</style>", f'<rect class="ground" width="{width}" height="{height}"/>']
    for number, each in enumerate(panels):
        parts.append(f'<g transform="translate({number % COLUMNS * WIDTH} {number // COLUMNS * HEIGHT})">{panel(each)}</g>')
    parts.append(f'<text x="{LEFT}" y="{height - 8}">Both axes logarithmic. Dashed: what would be linear.</text></svg>')
    return "\n".join(parts) + "\n"
