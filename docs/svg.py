"""Plain SVG for a few dots and lines: the same bytes every time, and readable on light and on dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from math import log

#: Class of what is drawn: its colour on light and on dark paper.
COLOURS = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#f0f6fc"),
    "soft": ("#59636e", "#9198a1"),
    "line": ("#d1d9e0", "#3d444d"),
    "base": ("#0969da", "#4493f8"),
    "head": ("#bc4c00", "#f0883e"),
    "within": ("#1a7f37", "#3fb950"),
    "over": ("#cf222e", "#f85149"),
    "inconclusive": ("#9a6700", "#d29922"),
}
_SHAPES = (
    "text{font:13px system-ui,sans-serif}.small{font-size:12px}.strong{font-weight:600}.thin{stroke-width:1}"
)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values to pixels, on a plain or a logarithmic scale."""

    low: float
    high: float
    start: float
    end: float
    logs: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value; what lies beyond the ends is drawn at the end."""
        low, high, at = (
            (log(x) for x in (self.low, self.high, value)) if self.logs else (self.low, self.high, value)
        )
        share = min(1.0, max(0.0, (at - low) / (high - low)))
        return self.start + share * (self.end - self.start)


@dataclass(slots=True)
class Picture:
    """What was drawn so far; `title` and `text` are what a screen reader says."""

    width: float
    height: float
    title: str
    text: str
    parts: list[str] = field(default_factory=list)

    def write(
        self, x: float, y: float, text: str, colour: str = "ink", how: str = "", anchor: str = "start"
    ) -> None:
        """Text whose baseline is at y."""
        classes = f"{colour} {how}".strip()
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{classes}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def line(
        self, points: Sequence[tuple[float, float]], colour: str = "line", width: float = 2, dash: str = ""
    ) -> None:
        """A line through points."""
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<polyline points="{way}" class="{colour}-line" stroke-width="{width:g}"{dashes}/>'
        )

    def dot(self, x: float, y: float, colour: str, size: float = 4.5, hollow: bool = False) -> None:
        """A dot, or a ring."""
        what = f'class="{colour}-line" stroke-width="2"' if hollow else f'class="{colour}"'
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" {what}/>')

    def bar(self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 1) -> None:
        """A filled rectangle."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{colour}" '
            f'fill-opacity="{opacity:g}"/>'
        )

    def svg(self) -> str:
        """The file."""
        light, dark = (_style(number) for number in (0, 1))
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
                f'width="{self.width:g}" height="{self.height:g}" role="img">',
                f"<title>{escape(self.title)}</title>",
                f"<desc>{escape(self.text)}</desc>",
                f"<style>{_SHAPES}{light}@media(prefers-color-scheme:dark){{{dark}}}</style>",
                f'<rect width="{self.width:g}" height="{self.height:g}" rx="6" class="paper"/>',
                *self.parts,
                "</svg>\n",
            ]
        )


def _style(number: int) -> str:
    return "".join(
        f".{name}{{fill:{colours[number]}}}.{name}-line{{fill:none;stroke:{colours[number]}}}"
        for name, colours in COLOURS.items()
    )
