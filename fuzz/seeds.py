"""What the fuzzer starts from: hard orderings from the tests' texts, random schedules, and real traces, trimmed.

    python seeds.py INTO

Small files make a fast fuzzer, so of a real trace the first events of its last generation are kept, and of its tables
what those name. Where there is a `go` command, traces are also made anew.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from batches import END, STACK, STRING, TICKS, Batch, Item, Trace, items, join, parse
from oracle import Go, record
from schedules import Schedule
from texttrace import assemble

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace import WireVersion, read_trace

ROOT = Path(__file__).resolve().parent.parent
TRACES = ROOT / "tests" / "testdata" / "traces"
LIVE = (
    "border",
    "channels",
    "collection",
    "network",
    "procs",
    "profile",
    "coroutines",
    "syscalls",
    "tasks",
    "threads",
)
EVENTS = (15, 60, 150)  # how many of a generation are kept
TEXT = 24  # bytes of a string that are kept


def texts() -> Iterator[tuple[str, bytes]]:
    """Each text trace of the tests in each wire format that has its events, a file apiece."""
    for path in sorted((ROOT / "tests" / "trace").glob("*.py")):
        constants = (
            node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
        )
        for at, text in enumerate(
            t for t in constants if isinstance(t, str) and t.lstrip().startswith("Trace go")
        ):
            for version in WireVersion:
                lines = text.strip().splitlines()
                try:
                    yield (
                        f"{path.stem}-{at}-{version.value}",
                        assemble("\n".join((f"Trace go 1.{version.value}", *lines[1:]))),
                    )
                except ValueError:
                    break  # only a part of a text


def schedules() -> Iterator[tuple[str, bytes]]:
    for seed, version in enumerate((*WireVersion, *WireVersion)):
        text = Schedule(seed, threads=2 + 3 * seed, skew=20, grain=8).text(40 + 20 * seed, wire=version.value)
        yield f"schedule-{seed}", assemble(text)


def real() -> Iterator[tuple[str, bytes]]:
    for path in sorted(TRACES.glob("*.trace")):
        yield path.stem, path.read_bytes()
    for path in sorted((TRACES / "damaged").glob("*.trace")):
        yield f"damaged-{path.stem}", path.read_bytes()


def live() -> Iterator[tuple[str, bytes]]:
    """Traces of the tests' workload; none without Go."""
    command = shutil.which("go")
    if command is None:
        return
    with tempfile.TemporaryDirectory() as scratch:
        workload = Go(command=command).build_workload(Path(scratch))
        for scenario in LIVE:
            try:
                yield f"live-{scenario}", record(workload, scenario, Path(scratch)).read_bytes()
            except (OSError, subprocess.SubprocessError) as error:
                print(f"no live trace of {scenario}: {error}")


def trim(data: bytes, events: int) -> bytes:
    """The first events of the last generation, all of those before it, and what of the tables they name."""
    trace = parse(data)
    last = max((batch.generation for batch in trace.batches), default=0)
    times = sorted(time for b in trace.batches if b.generation == last for time in _times(b))
    until = times[min(events, len(times) - 1)] if times else 0
    for batch in trace.batches:
        if batch.generation == last and not _is_table(batch):
            kept = sum(time <= until for time in _times(batch))
            batch.body = join(items(batch.body)[:kept])
    for generation in {batch.generation for batch in trace.batches}:
        _prune([batch for batch in trace.batches if batch.generation == generation])
    trace.batches = [batch for batch in trace.batches if batch.body or batch.kind == END]
    return Trace(trace.header, trace.batches).encode()


def _times(batch: Batch) -> list[int]:
    times, now = [], batch.time
    for item in items(batch.body):
        if item.number not in TICKS:
            break
        now += item.args[0]
        times.append(now)
    return times


def _is_table(batch: Batch) -> bool:
    found = items(batch.body)
    return bool(found) and found[0].number not in TICKS


def _prune(batches: list[Batch]) -> None:
    """Drops strings and stacks that nothing in the generation names, and all but the ends of stacks."""
    decoded = [(batch, items(batch.body)) for batch in batches]
    everything = [item for _, found in decoded for item in found]
    named = {kind: _named(everything, kind) for kind in ("string", "stack")}
    for item in everything:
        if item.number == STACK and item.args[0] in named["stack"]:
            frames = item.args[2:6] + (item.args[-4:] if item.args[1] > 1 else [])
            item.args[1:] = [len(frames) // 4, *frames]
            named["string"].update(frames[1::4], frames[2::4])
    for batch, found in decoded:
        batch.body = join([_short(item) for item in found if _wanted(item, named)])


def _named(found: list[Item], kind: str) -> set[int]:
    return {
        value
        for item in found
        if item.number in TICKS
        for value, name in zip(item.args, item.names, strict=True)
        if name.split("_")[-1] == kind
    }


def _wanted(item: Item, named: dict[str, set[int]]) -> bool:
    kind = {STRING: "string", STACK: "stack"}.get(item.number)
    return kind is None or item.args[0] in named[kind]


def _short(item: Item) -> Item:
    if item.number == STRING and len(item.data) > TEXT + 1:
        item.data = bytes([TEXT]) + item.data[1 if item.data[0] < 0x80 else 2 :][:TEXT]
    return item


def sound(data: bytes) -> bool:
    """Whether the file can be read to its end."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            return bool(list(read_trace(file.name)))
        except TraceError:
            return False


def main(into: Path) -> None:
    os.environ.pop("LD_PRELOAD", None)  # the toolchain needs no sanitizer
    into.mkdir(parents=True, exist_ok=True)
    made = [*texts(), *schedules(), *((name, data) for name, data in real() if name.startswith("damaged-"))]
    for name, data in (*real(), *live()):
        trimmed = [(f"{name}-{events}", trim(data, events)) for events in EVENTS]
        made += [(name, cut) for name, cut in trimmed if sound(cut) and len(cut) < 8000]
    for name, data in made:
        (into / name).write_bytes(data)
    sizes = sorted(len(data) for _, data in made)
    print(
        f"{len(made)} seeds of {sizes[0]} to {sizes[-1]} bytes, half of them below {sizes[len(sizes) // 2]}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
