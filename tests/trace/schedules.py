"""Random but possible schedules, written down with clocks that disagree: what the ordering has to put right."""

from __future__ import annotations

from random import Random


class Schedule:
    """A scheduler with as many processors as threads, which does at random what Go's may do.

    What happens has one true order; what a thread writes down has the time of its own clock, which counts in steps of
    `grain` and is off by up to `skew` ticks. So equal times are common, and the times do not give the order.
    """

    def __init__(self, seed: int, threads: int, skew: int, grain: int) -> None:
        self.random = Random(seed)
        self.lines: list[list[str]] = [[] for _ in range(threads)]
        self.offset = [self.random.randint(0, skew) for _ in range(threads)]
        self.last = [0] * threads
        self.grain = grain
        self.now = 1000
        self.running: list[int | None] = [None] * threads
        self.runnable: list[int] = []
        self.waiting: list[int] = []
        self.in_call: set[int] = set()
        self.seq: dict[int, int] = {}
        self.calls = [0] * threads
        for thread in range(threads):
            self._write(thread, f"ProcStatus p={thread} pstatus=1")
            self._write(thread, f"GoStatus g={thread + 1} m={thread} gstatus=2")
            self.running[thread] = thread + 1
            self.seq[thread + 1] = 0

    def text(self, events: int, wire: int) -> str:
        for _ in range(events):
            self.now += self.random.choice((0, 0, 0, 1, 2, 5))
            self._step(self.random.randrange(len(self.lines)))
        batches = []
        for thread, lines in enumerate(self.lines):
            cut = self.random.randint(0, len(lines))
            batches.append((thread, 0, lines[:cut]))
            time = sum(int(line.split()[1].removeprefix("dt=")) for line in lines[:cut])
            batches.append((thread, time, lines[cut:]))
        # A thread's batches stay in order; those of different threads come as they like.
        self.random.shuffle(order := [thread for thread, _, _ in batches])
        queues = {thread: [b for b in batches if b[0] == thread] for thread in order}
        out = [f"Trace go 1.{wire}"]
        for thread in order:
            _, time, lines = queues[thread].pop(0)
            out += [f"Batch gen=1 m={thread} time={time}", *lines]
        return "\n".join(out)

    def _write(self, thread: int, line: str) -> None:
        time = max(self.last[thread], (self.now + self.offset[thread]) // self.grain * self.grain)
        name, *args = line.split()
        self.lines[thread].append(" ".join((name, f"dt={time - self.last[thread]}", *args)))
        self.last[thread] = time

    def _step(self, thread: int) -> None:
        g = self.running[thread]
        if g is None:
            if self.runnable:
                g = self.runnable.pop(self.random.randrange(len(self.runnable)))
                self._write(thread, f"GoStart g={g} g_seq={self._next(g)}")
                self.running[thread] = g
            return
        if thread in self.in_call:
            self._write(thread, "GoSyscallEnd")
            self.in_call.discard(thread)
            return
        self.random.choice(
            (self._block, self._yield, self._wake, self._wake, self._wake, self._create, self._call)
        )(thread, g)

    def _next(self, g: int) -> int:
        self.seq[g] += 1
        return self.seq[g]

    def _block(self, thread: int, g: int) -> None:
        self._write(
            thread,
            f'GoBlock reason_string="{self.random.choice(("sync", "sleep"))}" stack=main.f{g % 5},main.main',
        )
        self.waiting.append(g)
        self.running[thread] = None

    def _yield(self, thread: int, g: int) -> None:
        self._write(thread, 'GoStop reason_string="preempted"')
        self.runnable.append(g)
        self.running[thread] = None

    def _wake(self, thread: int, g: int) -> None:
        if self.waiting:
            other = self.waiting.pop(self.random.randrange(len(self.waiting)))
            self._write(thread, f"GoUnblock g={other} g_seq={self._next(other)} stack=main.wake")
            self.runnable.append(other)

    def _create(self, thread: int, g: int) -> None:
        new = len(self.seq) + 1
        self.seq[new] = 0
        self._write(thread, f"GoCreate new_g={new} new_stack=main.new{new % 3} stack=main.f{g % 5}")
        self.runnable.append(new)

    def _call(self, thread: int, g: int) -> None:
        self.calls[thread] += 1
        self._write(thread, f"GoSyscallBegin p_seq={self.calls[thread]} stack=main.call")
        self.in_call.add(thread)
