"""`make docs`: the pictures and the tables of `how-a-verdict-is-reached.md`, from the runs in `example.json`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from docs.example import PLAN, SMALL_RENDER, SMALL_TIME, Example, Look
from docs.svg import Axis, Picture
from pytest_gotrace.stats.signflip import patterns
from pytest_gotrace.units import format_change, format_pair

HERE = Path(__file__).parent
PAGE = HERE / "how-a-verdict-is-reached.md"
PICTURES = HERE / "pictures"


def one_run(example: Example) -> Picture:
    """Durations of all renders in one run of each side, and the median that stands for the run."""
    run = example.data["run"]
    count = f"{run['base']['count']:,}"
    picture = Picture(720, 300, "One run", f"{count} durations of one run on either side, and their medians.")
    x, y = Axis(1.5, 30, 70, 690, logs=True), Axis(0, 1, 240, 40)
    picture.write(20, 24, "share of the renders that were faster", "soft", "small")
    for share in (0, 0.25, 0.5, 0.75, 1):
        picture.line([(70, y(share)), (690, y(share))], width=1)
        picture.write(60, y(share) + 4, f"{100 * share:.0f} %", "soft", "small", "end")
    for micro in (2, 3, 4, 5, 7, 10, 20, 30):
        picture.write(x(micro), 260, f"{micro} µs", "soft", "small", "middle")
    for side, right, down, anchor in (("base", -10, -8, "end"), ("head", 12, 18, "start")):
        values = [q / 1000 for q in run[side]["quantiles"]]
        picture.line([(x(v), y(p)) for v, p in zip(values, run["probabilities"], strict=True)], side)
        median = values[run["probabilities"].index(0.5)]
        picture.dot(x(median), y(0.5), side, 6)
        picture.write(x(median) + right, y(0.5) + down, f"{side} {median:.2f} µs", side, "strong", anchor)
    picture.write(
        380,
        285,
        f"{count} renders in the run of each side, one number kept: the median",
        "soft",
        "",
        "middle",
    )
    return picture


def all_runs(example: Example) -> Picture:
    """ns/op of one benchmark in the order of the runs; pairs are joined."""
    row = example.rows[SMALL_TIME]
    pairs = len(row["first"])
    picture = Picture(
        720, 300, "All runs", "Time of forty runs in their order; both sides become slower together."
    )
    x, y = Axis(0, 2 * pairs - 1, 75, 690), Axis(50, 200, 240, 40)
    picture.write(20, 24, "µs per operation", "soft", "small")
    for micro in (50, 100, 150, 200):
        picture.line([(65, y(micro)), (700, y(micro))], width=1)
        picture.write(55, y(micro) + 4, f"{micro}", "soft", "small", "end")
    for pair, first in enumerate(row["first"]):
        order = ("base", "head") if first == "base" else ("head", "base")
        spots = [(x(2 * pair + i), y(row[side][pair] / 1000)) for i, side in enumerate(order)]
        picture.line(spots, "soft", 1)
        for (at, height), side in zip(spots, order, strict=True):
            picture.dot(at, height, side)
    for pair in (1, 5, 10, 15, 20):
        picture.write((x(2 * pair - 2) + x(2 * pair - 1)) / 2, 260, f"pair {pair}", "soft", "small", "middle")
    picture.dot(270, 281, "base")
    picture.write(280, 285, "base")
    picture.dot(340, 281, "head")
    picture.write(350, 285, "head")
    picture.line([(405, 281), (425, 281)], "soft", 1)
    picture.write(432, 285, "a pair")
    return picture


def three_answers(example: Example) -> Picture:
    """Three cells at the first look: every pair, the estimate, its interval and the budget."""
    look, names = example.looks[0], ("small region[db].p50", SMALL_TIME, SMALL_RENDER)
    picture = Picture(720, 350, "Three answers", "Pairs and intervals of three metrics beside their budgets.")
    x = _budget_axis(picture, 310, -1, 2.5)
    for number, name in enumerate(names):
        top, said = 70 + 85 * number, look.of(name)
        i = look.names.index(name)
        centre, low, high = look.budgets(name)
        for pair, (seen, used) in enumerate(
            zip(look.effects.differences[i], look.effects.values[i], strict=True)
        ):
            away = abs(seen - used) > 1e-9
            picture.dot(x(used / look.beta[i]), top + 4 * (pair - 2.5), said.decision, 4, hollow=away)
        picture.line([(x(low), top + 28), (x(high), top + 28)], said.decision, 4)
        picture.dot(x(centre), top + 28, said.decision, 6)
        picture.write(20, top - 4, name, "ink", "strong")
        picture.write(20, top + 14, said.decision, said.decision)
    return picture


def family(example: Example) -> Picture:
    """All cells at the first look."""
    look = example.looks[0]
    picture = Picture(720, 390, "The family", "Intervals of twelve metrics at six pairs, in budgets.")
    x = _budget_axis(picture, 345, -1, 5)
    for number, name in enumerate(look.names):
        height, decision = 50 + 25 * number, look.of(name).decision
        centre, low, high = look.budgets(name)
        picture.write(225, height + 4, name, "ink", "small", "end")
        picture.line([(x(low), height), (x(high), height)], decision, 3)
        picture.dot(x(centre), height, decision)
    return picture


def holm(example: Example) -> Picture:
    """p-values of the open cells in order, each with the level that it has to reach."""
    look = example.looks[0]
    found = open_cells(look)
    picture = Picture(
        720, 238, "Holm's steps", "Three p-values in order, and the level that each has to reach."
    )
    x = Axis(1e-7, 1, 240, 690, logs=True)
    _ticks(picture, x, 180, {1e-7: "0.0000001", 1e-5: "0.00001", 1e-3: "0.001", 0.1: "0.1", 1: "1"})
    for number, (name, p) in enumerate(found):
        height, left = 60 + 45 * number, len(found) - number
        level = look.level / left
        picture.bar(x(1e-7), height - 14, x(level) - x(1e-7), 28, "over", 0.15)
        picture.line([(x(level), height - 14), (x(level), height + 14)], "over", 2)
        picture.write(
            x(level) - 6, height - 18, f"{look.level:g} / {left} = {level:.4f}", "over", "small", "end"
        )
        picture.dot(x(p), height, look.of(name).decision, 6)
        picture.write(225, height + 4, name, "ink", "", "end")
    picture.write(
        460, 220, "left of its line: over the budget, and the next one may try", "soft", "", "middle"
    )
    return picture


def sign_flips(example: Example) -> Picture:
    """What the mean could have been if the sign of each pair were chance."""
    means, seen = flips(example)
    picture = Picture(
        720,
        260,
        "Sign flips",
        "Sixty-four means, one for each pattern of signs; the one seen is the largest.",
    )
    edges = np.linspace(-1.04, 1.04, 27)
    heights, _ = np.histogram(means / seen, bins=edges)
    x, y = Axis(-1.04, 1.04, 40, 680), Axis(0, float(heights.max()), 200, 40)
    for left, right, height in zip(edges, edges[1:], heights, strict=False):
        colour, opacity = ("over", 1.0) if right == edges[-1] else ("soft", 0.5)
        picture.bar(x(left) + 1, y(height), x(right) - x(left) - 2, 200 - y(height), colour, opacity)
    picture.line([(40, 200), (680, 200)], "ink", 1)
    picture.write(x(0), 220, "0: exactly at the budget", "soft", "small", "middle")
    picture.write(680, 220, "as far above it as was seen", "over", "small", "end")
    picture.write(680, 105, f"seen: 1 of {len(means)}", "over", "strong", "end")
    picture.write(360, 248, "mean of the six pairs for every choice of their signs", "soft", "", "middle")
    return picture


def looks(example: Example) -> Picture:
    """One cell from look to look until it is decided."""
    picture = Picture(
        720,
        290,
        "From look to look",
        "An interval that narrows with more pairs, until it lies within the budget.",
    )
    x = _budget_axis(picture, 250, -1, 2.5)
    for number, look in enumerate(example.looks):
        height, said = 60 + 42 * number, look.of(SMALL_TIME)
        decided = number and example.looks[number - 1].of(SMALL_TIME).decision == "within"
        centre, low, high = look.budgets(SMALL_TIME)
        picture.write(20, height + 4, f"{look.pairs} pairs", "ink", "strong")
        picture.write(
            95,
            height + 4,
            "(decided before)" if decided else said.decision,
            "soft" if decided else said.decision,
        )
        if not decided:
            picture.line([(x(low), height), (x(high), height)], said.decision, 4)
            picture.dot(x(centre), height, said.decision, 6)
    return picture


PICTURES_OF: dict[str, Callable[[Example], Picture]] = {
    "one-run": one_run,
    "all-runs": all_runs,
    "three-answers": three_answers,
    "family": family,
    "holm": holm,
    "sign-flips": sign_flips,
    "looks": looks,
}


def open_cells(look: Look) -> list[tuple[str, float]]:
    """The cells that Holm's steps are for, smallest p-value first, after the division by 1 - pass level."""
    found = [
        (name, min(1.0, c.p_over / (1 - PLAN.pass_level)))
        for name, c in zip(look.names, look.said, strict=True)
        if c.p_over is not None and c.p_over_adjusted is not None
    ]
    return sorted(found, key=lambda cell: cell[1])


def flips(example: Example) -> tuple[np.ndarray, float]:
    """Means over the six pairs of the small page's render for every pattern of signs, and the mean seen."""
    look = example.looks[0]
    i = look.names.index(SMALL_RENDER)
    above = look.effects.values[i] - look.beta[i]
    return patterns(look.pairs, PLAN.seed) @ above / look.pairs, float(above.mean())


def pairs_table(example: Example) -> str:
    """The first six pairs of the small page's render."""
    row, look = example.rows[SMALL_RENDER], example.looks[0]
    i = look.names.index(SMALL_RENDER)
    lines = ["| pair | base | head | difference | in budgets | |", "|--:|--:|--:|--:|--:|---|"]
    for n in range(look.pairs):
        base, head = row["base"][n], row["head"][n]
        used, seen = (float(d[i, n] / look.beta[i]) for d in (look.effects.values, look.effects.differences))
        note = f"pulled in from {seen:.2f}" if abs(seen - used) > 1e-9 else ""
        lines.append(
            f"| {n + 1} | {' | '.join(format_pair(base, head, 'ns'))} | {(head - base) / 1000:+.2f} µs "
            f"| {used:.2f} | {note} |"
        )
    return "\n".join(lines)


def family_table(example: Example) -> str:
    """Every cell at every look."""
    names = example.looks[0].names
    lines = [
        "| | " + " | ".join(f"{look.pairs} pairs" for look in example.looks) + " |",
        "|---|" + "---|" * len(example.looks),
    ]
    for name in names:
        told, before = [], ""
        for look in example.looks:
            said = look.of(name)
            settled = said.decision == before and before != "inconclusive"
            assert said.change is not None
            told.append("″" if settled else f"{said.decision}, {format_change(said.change.center)}")
            before = said.decision
        lines.append(f"| {name} | {' | '.join(told)} |")
    return "\n".join(lines)


def holm_table(example: Example) -> str:
    """Holm's steps at the first look."""
    look = example.looks[0]
    found = open_cells(look)
    lines = ["| | p | cells left | must be at most | |", "|---|--:|--:|--:|---|"]
    for number, (name, p) in enumerate(found):
        left = len(found) - number
        lines.append(
            f"| {name} | {p:.2g} | {left} | {look.level:g} / {left} = {look.level / left:.4f} "
            f"| {look.of(name).decision} |"
        )
    return "\n".join(lines)


TABLES: dict[str, Callable[[Example], str]] = {
    "pairs": pairs_table,
    "holm": holm_table,
    "family": family_table,
}


def filled(page: str, example: Example) -> str:
    """The page with each table between its marks written anew."""
    for name, table in TABLES.items():
        marks = f"<!-- {name}: make docs -->", f"<!-- /{name} -->"
        inside = re.compile(f"{re.escape(marks[0])}\n.*?{re.escape(marks[1])}", re.DOTALL)
        fresh = f"{marks[0]}\n{table(example)}\n{marks[1]}"
        page = inside.sub(fresh.replace("\\", r"\\"), page)
    return page


def main() -> None:
    """Draw everything."""
    example = Example()
    PICTURES.mkdir(exist_ok=True)
    for name, draw in PICTURES_OF.items():
        (PICTURES / f"{name}.svg").write_text(draw(example).svg(), encoding="utf-8")
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), example), encoding="utf-8")


def _budget_axis(picture: Picture, bottom: float, low: float, high: float) -> Axis:
    """An axis in budgets with the two lines that matter."""
    x = Axis(low, high, 240, 690)
    for value, text, colour, anchor in ((0, "no change", "soft", "end"), (1, "budget", "over", "start")):
        picture.line([(x(value), 34), (x(value), bottom)], colour, 2, "" if value else "4 4")
        picture.write(x(value), 24, text, colour, "strong", anchor)
    _ticks(picture, x, bottom, {float(n): f"{n}".replace("-", "−") for n in range(int(low), int(high) + 1)})
    picture.write((x(low) + x(high)) / 2, bottom + 34, "change, in budgets", "soft", "small", "middle")
    return x


def _ticks(picture: Picture, x: Axis, bottom: float, labels: dict[float, str]) -> None:
    picture.line([(x.start, bottom), (x.end, bottom)], "ink", 1)
    for value, text in labels.items():
        picture.line([(x(value), bottom), (x(value), bottom + 4)], "ink", 1)
        picture.write(x(value), bottom + 18, text, "soft", "small", "middle")


if __name__ == "__main__":
    main()
