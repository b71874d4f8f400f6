"""Draws growth as two plots: SVG by a few lines, for a plot library would be the largest thing in the benchmark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 420, 70, 48, 20, 50
Points = Sequence[tuple[float, float]]
LINES = ("#1f5fa8", "#c2571a", "#2c7a3f")


@dataclass(frozen=True)
class Plot:
    """Lines over two logarithmic axes, on which a straight line of slope 1 is growth in proportion."""

    title: str
    across: str
    up: str
    lines: Sequence[tuple[str, Points]]
    note: str = ""

    def write(self, file: Path) -> None:
        file.parent.mkdir(exist_ok=True)
        file.write_text(self.svg(), "utf-8")

    def svg(self) -> str:
        """The drawing."""
        xs = [x for _, points in self.lines for x, _ in points]
        ys = [y for _, points in self.lines for _, y in points]
        place_x = _scale(xs, LEFT, WIDTH - RIGHT)
        place_y = _scale(ys, HEIGHT - BOTTOM, TOP)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            _text(LEFT, 20, self.title, size=15),
            _text(LEFT, 38, self.note),
            _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, self.across, anchor="middle"),
            f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{self.up}</text>',
        ]
        parts += [_vertical(place_x(x), _short(x)) for x in sorted(set(xs))]
        parts += [_horizontal(place_y(y), _short(y)) for y in _steps(ys)]
        for number, (name, points) in enumerate(self.lines):
            colour = LINES[number % len(LINES)]
            path = " ".join(f"{place_x(x):.1f},{place_y(y):.1f}" for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            parts += [
                f'<circle cx="{place_x(x):.1f}" cy="{place_y(y):.1f}" r="3.5" fill="{colour}"/>' for x, y in points
            ]
            parts.append(_text(LEFT + 10, TOP + 16 * (number + 1), name, colour=colour))
        return "\n".join([*parts, "</svg>", ""])


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    low, high = math.log(min(values)), math.log(max(values))
    span = (high - low) or 1.0
    return lambda value: start + (math.log(value) - low) / span * (end - start)


def _steps(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 times the powers of ten within the values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    found = [step * 10.0**power for power in range(low, high + 1) for step in (1, 2, 5)]
    return [each for each in found if min(values) <= each <= max(values)]


def _vertical(x: float, name: str) -> str:
    line = f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>'
    return line + _text(x, HEIGHT - BOTTOM + 16, name, anchor="middle")


def _horizontal(y: float, name: str) -> str:
    line = f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
    return line + _text(LEFT - 6, y + 4, name, anchor="end")


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{text}</text>'


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"
