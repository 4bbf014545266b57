"""Bar charts as SVG, in colours that can be read on a light and on a dark page."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

WIDTH = 760
LEFT = 230
RIGHT = 70
BAR = 18
STEP = 27
HEAD = 34
GAP = 20
TEXT = "#768390"
OWN = "#2f81f7"
OTHER = "#8d96a0"
FLOOR = "#57ab5a"


class Panel(NamedTuple):
    """One chart: a title, labelled figures, and how many digits they have."""

    title: str
    figures: list[tuple[str, float]]
    digits: int


def bars(panels: list[Panel]) -> str:
    """All charts, one below the other. The first bar is our own."""
    drawn, top = [], 0
    for panel in panels:
        drawn.append(_text(0, top + 18, panel.title, "bold"))
        top += HEAD
        most = max(figure for _, figure in panel.figures)
        for number, (label, figure) in enumerate(panel.figures):
            colour = FLOOR if label.startswith("floor") else OTHER if number else OWN
            length = max(1.0, (WIDTH - LEFT - RIGHT) * figure / most)
            drawn.append(_text(LEFT - 10, top + 14, label, "normal", "end"))
            drawn.append(
                f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2" '
                f'fill="{colour}"/>'
            )
            figure_text = f"{figure:,.{panel.digits}f}"
            drawn.append(_text(LEFT + length + 6, top + 14, figure_text, "normal"))
            top += STEP
        top += GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top - GAP}" '
        f'width="{WIDTH}" font-family="system-ui, sans-serif" font-size="13" role="img">\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _text(x: float, y: float, text: str, weight: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{TEXT}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
