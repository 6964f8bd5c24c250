"""The table of promises, demanded beside got: `python -m benchmarks.simulate [--quick] [--write FILE] [T1 T5 ...]`.

Takes about five minutes on one core; the answer depends on the seed alone. The exit code is 1 if a promise is not kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.promises import CHAPTERS, Promise
from benchmarks.pull_requests import Draws

SEED = 1
QUICKER = 6
#: Short runs may miss a demand by chance; this many standard errors are not chance.
QUICK_ERRORS = 4.0

HEAD = """\
# What the decisions promise, and what they keep

Written by `make simulate`; every line is simulated anew with seed {seed}. The noise is that of `benchmarks/noise.py`:
machines that wander and have neighbours, heavy tails, programs with two speeds, runs that share a part of their noise.
*FAIL* is a red verdict on the pull request, *PASS* a green one; *sequential* decides after 6, 10, 14 or 20 pairs, as
soon as it can. The last section is what is *not* promised. ± is the standard error of what was got.
"""
QUICK = (
    f"\nA short run: what misses its demand by less than {QUICK_ERRORS:.0f} standard errors counts as kept.\n"
)


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter that has been simulated."""

    name: str
    title: str
    times: int
    promises: tuple[Promise, ...]


def simulate(name: str, *, seed: int, quicker: int = 1) -> Section:
    """One chapter, with so many times fewer pull requests."""
    chapter, times = CHAPTERS[name]
    draws = Draws(times=max(times // quicker, 1), seed=seed)
    return Section(name, chapter.__doc__ or "", draws.times, tuple(chapter(draws)))


def markdown(section: Section, errors: float = 0.0) -> str:
    """The chapter as a heading and a table."""
    times = f" ({section.times:,} pull requests a line)" if section.times > 1 else ""
    rows = [f"| {p.what} | {p.demanded} | {_got(p)} | {_kept(p, errors)} |" for p in section.promises]
    lines = [f"## {section.name}. {section.title}{times}", ""]
    return "\n".join([*lines, "| | demanded | got | kept |", "|---|--:|--:|:-:|", *rows, ""])


def _kept(promise: Promise, errors: float) -> str:
    if promise.demanded == "nothing":
        return ""
    return "yes" if promise.kept(errors) else "**MISSED**"


def _got(promise: Promise) -> str:
    error = f" ± {promise.error:.1f}" if promise.error else ""
    return f"{promise.got:.{1 if promise.unit else 0}f}{promise.unit}{error}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chapters asked for and print their tables; 0 if all promises were kept, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help=f"some of {', '.join(CHAPTERS)}")
    parser.add_argument("--quick", action="store_true", help=f"a {QUICKER}th of the repetitions")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the whole table there as well")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.chapters) - set(CHAPTERS):
        parser.error(f"no chapter {', '.join(sorted(unknown))}; there are {', '.join(CHAPTERS)}")
    if asked.write and (asked.quick or asked.chapters):
        parser.error("--write is for the whole table; leave out --quick and the names of chapters")
    text, kept, errors = [HEAD.format(seed=asked.seed)], True, QUICK_ERRORS if asked.quick else 0.0
    print(text[0] + (QUICK if asked.quick else ""))
    for name in asked.chapters or CHAPTERS:
        section = simulate(name, seed=asked.seed, quicker=QUICKER if asked.quick else 1)
        kept &= all(promise.kept(errors) for promise in section.promises)
        text.append(markdown(section, errors))
        print(text[-1], flush=True)
    if asked.write:
        asked.write.write_text("\n".join(text), encoding="utf-8")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
