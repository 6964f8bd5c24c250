"""False alarms and found regressions on real Go: `make aa`, or `python -m benchmarks.aa [--gates N] [--repeats K] ...`.

1. The budget that this machine can keep is proposed by the gate itself (`pytest --gotrace-aa-write`).
2. `example-go-repo` is compared with itself N times: none of these gates should stop anything.
3. Each regression is compared K times: those of more than two budgets should be stopped every time.

All of it takes hours. What is finished is kept in a file outside the repository, by the state of the code, Go's version
and the machine; an interrupted series goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median

from benchmarks import gates
from benchmarks.gates import Answer, Finished, Store
from pytest_gotrace.gotest import environment, find_go

ROOT = Path(__file__).parents[1]
#: One gate in so many may be a false alarm.
ALLOWED = 20
#: Effects of more than this many budgets must be found every time.
CERTAIN = 2.0

Run = Callable[[str, int, str], Finished]


def series(plan: Sequence[tuple[str, int]], store: Store, budget: str, run: Run) -> list[Finished]:
    """Every gate of the plan, from the store or run now and stored."""
    done = {(finished.what, finished.number): finished for finished in store.read()}
    for position, (what, number) in enumerate(plan, 1):
        if (what, number) not in done:
            done[what, number] = finished = run(what, number, budget)
            store.add(finished)
            _progress(
                f"{position} of {len(plan)}: {what} {number}: {_said(finished)} in {finished.seconds:.0f} s"
            )
    return [done[key] for key in plan]


def page(found: Sequence[Finished], budget: str, machine: str) -> tuple[str, bool]:
    """What is published, and whether every demand is met."""
    same = [finished for finished in found if finished.what == "same"]
    patched = [finished for finished in found if finished.what != "same"]
    rows, kept = _rows(patched)
    few = sum(bool(finished.over) for finished in same) <= len(same) // ALLOWED
    parts = [HEAD.format(machine=machine), _against_itself(same, few), REGRESSIONS, *rows]
    origin = PROPOSED if budget != gates.own_budget() else "The example's own."
    return "\n".join([*parts, "", BUDGET.format(origin=origin, budget=budget.strip())]), kept and few


HEAD = """\
# On real Go

Written by `make aa` on {machine}. *Stolen* is the share of CPU time that the machine under this one gave to others.
"""

PROPOSED = "Proposed for this machine by `pytest --gotrace-aa-write`, from the example's own."

REGRESSIONS = f"""
## Regressions

Each patch of `example-go-repo/regressions` that must be stopped. *Effect* is the median of how much worse the head was,
in budgets; what is more than {CERTAIN:g} budgets worse has to be found every time. *Pairs* are those of the whole
benchmark, until everything about it was decided.

| patch | metric | effect | over | pairs | demanded | kept | stolen |
|---|---|--:|--:|--:|--:|:-:|--:|"""

BUDGET = """\
## The budget

{origin}

```yaml
{budget}
```
"""


def _against_itself(same: Sequence[Finished], few: bool) -> str:
    if not same:
        return ""
    n, alarms = len(same), [finished for finished in same if finished.over]
    said = Counter(answer.outcome for finished in same for answer in finished.answers if answer.blocks)
    lines = [
        f"## The example against itself, {n} times",
        "",
        "The test binaries of both sides differ in one byte of a string that nobody reads.",
        "",
        "| | demanded | got | kept |",
        "|---|--:|--:|:-:|",
        f"| gates with a false OVER | at most {n // ALLOWED} of {n} | {len(alarms)} of {n} | {_yes(few)} |",
        f"| gates that end WITHIN | | {sum(finished.within for finished in same)} of {n} | |",
        *(
            f"| single questions: {outcome} | | {count} of {said.total()} | |"
            for outcome, count in said.most_common()
        ),
        f"| pairs of a gate, all benchmarks together | | {median(finished.pairs for finished in same):g} | |",
        f"| time of a gate | | {median(finished.seconds for finished in same) / 60:.1f} min | |",
        f"| stolen, most of any gate | | {max(finished.stolen for finished in same):.1%} | |",
    ]
    return "\n".join([*lines, *_alarms(alarms), *_undecided(same)])


def _alarms(alarms: Iterable[Finished]) -> list[str]:
    told = [
        f"* gate {finished.number}: {a.benchmark} {a.metric}, {_percent(a.change)}, p {a.p or 0:.2g}, {a.pairs} pairs, "
        f"{finished.stolen:.1%} stolen"
        for finished in alarms
        for a in finished.over
    ]
    return ["", "False alarms:", "", *told] if told else []


def _undecided(same: Sequence[Finished]) -> list[str]:
    count = Counter(
        f"{a.benchmark} {a.metric}"
        for f in same
        for a in f.answers
        if a.blocks and a.outcome == "inconclusive"
    )
    told = [f"* {name}: {times} of {len(same)}" for name, times in count.most_common()]
    return ["", "Inconclusive after all pairs:", "", *told] if told else []


def _rows(patched: Sequence[Finished]) -> tuple[list[str], bool]:
    """A row for each metric that a patch must be stopped for, and whether all demands are met."""
    rows, all_kept = [], True
    for patch in dict.fromkeys(finished.what for finished in patched):
        runs = [finished for finished in patched if finished.what == patch]
        for key in gates.expected(patch):
            told = [a for finished in runs for a in finished.answers if (a.benchmark, a.metric) == key]
            row, kept = _row(patch, key, told, runs)
            rows.append(row)
            all_kept &= kept
    return rows, all_kept


def _row(
    patch: str, key: tuple[str, str], told: Sequence[Answer], runs: Sequence[Finished]
) -> tuple[str, bool]:
    effects = [answer.effect for answer in told if answer.effect is not None]
    effect = median(effects) if effects else None
    over = [answer for answer in told if answer.outcome == "over"]
    certain = effect is None or effect > CERTAIN
    kept = len(over) == len(runs) or not certain
    cells = [
        patch,
        " ".join(key),
        "" if effect is None else f"{effect:.1f}",
        f"{len(over)} of {len(runs)}",
        ", ".join(f"{pairs}" for pairs in sorted({answer.pairs for answer in over})),
        f"{len(runs)} of {len(runs)}" if certain else "",
        _yes(kept) if certain else "",
        f"{max(finished.stolen for finished in runs):.1%}",
    ]
    return f"| {' | '.join(cells)} |", kept


def _yes(kept: bool) -> str:
    return "yes" if kept else "**MISSED**"


def _percent(change: float | None) -> str:
    return "" if change is None else f"{change:+.1%}"


def _said(finished: Finished) -> str:
    over = ", ".join(f"{answer.benchmark} {answer.metric}" for answer in finished.over)
    return f"over: {over}" if over else "within" if finished.within else "not over, not all within"


def _progress(text: str) -> None:
    print(f"aa: {text}", file=sys.stderr, flush=True)


def cache() -> Path:
    """Where finished gates are kept: a folder of the user's, outside any repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pytest-gotrace" / "aa"


def state(machine: str) -> str:
    """A name for everything that a gate's answer depends on: our code, the example, Go and the machine."""
    files = [*(ROOT / "pytest_gotrace").rglob("*.py"), *gates.EXAMPLE.rglob("*.*"), Path(gates.__file__)]
    digest = hashlib.sha256(machine.encode())
    for file in sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts):
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def this_machine() -> str:
    """Go, processor and cores, as the page says them."""
    said = environment(find_go(os.environ), os.environ)
    return (
        f"{said['go']}, {said['cpu']}, {said['cores']} cores, GOMAXPROCS {said['gomaxprocs']}, {said['os']}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, print the page; 0 if every demand is met, else 1."""
    names = gates.regressions()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gates", type=int, default=20, metavar="N", help="of the example against itself")
    parser.add_argument("--repeats", type=int, default=5, metavar="K", help="of each regression")
    parser.add_argument("--patches", nargs="*", default=names, choices=names, metavar="PATCH")
    parser.add_argument("--cache", type=Path, default=cache(), help="where finished gates are kept")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there as well")
    asked = parser.parse_args(arguments)
    machine = this_machine()
    folder = asked.cache / state(machine)
    budget = _budget(folder / gates.BUDGET)
    plan = [("same", number) for number in range(asked.gates)]
    plan += [(patch, number) for number in range(asked.repeats) for patch in asked.patches]
    found = series(plan, Store(folder / "gates.jsonl"), budget, gates.run)
    text, kept = page(found, budget, machine)
    print(text)
    if asked.write:
        asked.write.write_text(text, encoding="utf-8")
    return 0 if kept else 1


def _budget(file: Path) -> str:
    """The proposed budget; it is made once, as every gate of a series has to have the same."""
    if not file.exists():
        _progress(f"the budget; finished gates go to {file.parent}")
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial")
        partial.write_text(gates.proposed_budget(), encoding="utf-8")
        partial.replace(file)
    return file.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
