"""Benchmarks that each have one thing the matter, and the same without it; what their traces say of both."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from gomodule import go_module

from pytest_gotrace.distributions import built_in_metrics, extract
from pytest_gotrace.gotest import build, child_environment, packages, run_benchmark
from pytest_gotrace.recording import Run
from pytest_gotrace.rounds import measured_round
from pytest_gotrace.spots import spots
from pytest_gotrace.trace import join, read_trace

PROCESSORS = 2

GO = r"""
package causes

import (
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const ms = time.Millisecond

var sink []*[64]byte

func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

// each runs bodies side by side and waits for all.
func each(n int, body func(int)) {
	var group sync.WaitGroup
	for i := 0; i < n; i++ {
		group.Add(1)
		go func() { defer group.Done(); body(i) }()
	}
	group.Wait()
}

func compare(b *testing.B, good, bad func()) {
	for name, op := range map[string]func(){"good": good, "bad": bad} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				op()
			}
		})
	}
}

func BenchmarkLeak(b *testing.B) {
	never := make(chan int)
	compare(b, func() { spin(ms) }, func() { go func() { <-never }(); spin(ms) })
}

func BenchmarkLock(b *testing.B) {
	var mutexes [8]sync.Mutex
	locked := func(of func(int) int) func() {
		return func() {
			each(8, func(i int) {
				for n := 0; n < 10; n++ {
					mutexes[of(i)].Lock()
					spin(ms / 5)
					mutexes[of(i)].Unlock()
				}
			})
		}
	}
	compare(b, locked(func(i int) int { return i }), locked(func(int) int { return 0 }))
}

func BenchmarkConsumer(b *testing.B) {
	piped := func(room int) func() {
		return func() {
			pipe := make(chan int, room)
			go func() {
				defer close(pipe)
				each(4, func(int) {
					for n := 0; n < 5; n++ {
						pipe <- n
					}
				})
			}()
			for range pipe {
				spin(ms / 2)
			}
		}
	}
	compare(b, piped(20), piped(0))
}

func BenchmarkSerial(b *testing.B) {
	work := func(int) { spin(50 * ms) }
	compare(b, func() { each(2, work) }, func() { each(1, work); each(1, work) })
}

func allocate(n int) {
	sink = sink[:0]
	for i := 0; i < n; i++ {
		sink = append(sink, new([64]byte))
	}
}

func BenchmarkAllocation(b *testing.B) {
	compare(b, func() { allocate(100) }, func() { allocate(1000) })
}

type node struct{ left, right *node }

func grow(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{grow(depth - 1), grow(depth - 1)}
}

func BenchmarkAssist(b *testing.B) {
	kept := grow(18)
	defer runtime.KeepAlive(kept)
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	with := func(percent int) func() {
		return func() { debug.SetGCPercent(percent); grow(14) }
	}
	compare(b, with(1000), with(3))
}

// A copy of this size cannot be interrupted for some milliseconds; whoever stops the world waits for it.
func BenchmarkPause(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	block := make([]byte, 64<<20)
	collectWhileCopying := func() {
		var begun atomic.Bool
		each(2, func(i int) {
			for n := 0; i == 1 && n < 3; n++ {
				begun.Store(true)
				copy(block[:32<<20], block[32<<20:])
			}
			for !begun.Load() {
			}
			if i == 0 {
				runtime.GC()
			}
		})
	}
	compare(b, func() { allocate(20_000); spin(ms) }, func() { allocate(20_000); collectWhileCopying() })
}

func BenchmarkRunnable(b *testing.B) {
	work := func(int) { spin(ms) }
	compare(b, func() { each(2, work) }, func() { each(40, work) })
}

func BenchmarkNetwork(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Skip(err)
	}
	defer listener.Close()
	pause := make(chan time.Duration, 1)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			time.Sleep(<-pause)
			conn.Write([]byte("x"))
			conn.Close()
		}
	}()
	ask := func(d time.Duration) func() {
		return func() {
			conn, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				panic(err)
			}
			pause <- d
			conn.Read(make([]byte, 1))
			conn.Close()
		}
	}
	compare(b, func() { spin(ms) }, ask(10*ms))
}

func BenchmarkSyscalls(b *testing.B) {
	path := b.TempDir() + "/file"
	os.WriteFile(path, make([]byte, 1<<20), 0o600)
	compare(b, func() { spin(ms) }, func() { os.ReadFile(path); spin(ms) })
}

func BenchmarkCode(b *testing.B) {
	compare(b, func() { spin(ms) }, func() { spin(5 * ms) })
}

func BenchmarkQueue(b *testing.B) {
	work := func(int) { spin(5 * ms) }
	compare(b, func() { each(2, work) }, func() { each(4, work) })
}

func BenchmarkReceiver(b *testing.B) {
	received := func(d time.Duration) func() {
		return func() {
			pipe := make(chan int)
			go func() { spin(d); close(pipe) }()
			<-pipe
		}
	}
	compare(b, received(ms), received(5*ms))
}

func BenchmarkSender(b *testing.B) {
	sent := func(d time.Duration) func() {
		return func() {
			pipe := make(chan int)
			go func() { spin(d); <-pipe }()
			pipe <- 1
			spin(5 * ms)
		}
	}
	compare(b, sent(ms), sent(5*ms))
}

func BenchmarkSelect(b *testing.B) {
	selected := func(d time.Duration) func() {
		return func() {
			one, other := make(chan int), make(chan int)
			go func() { spin(d); close(one) }()
			select {
			case <-one:
			case <-other:
			}
		}
	}
	compare(b, selected(ms), selected(5*ms))
}

func BenchmarkGroup(b *testing.B) {
	waited := func(d time.Duration) func() {
		return func() { each(1, func(int) { spin(d) }) }
	}
	compare(b, waited(ms), waited(5*ms))
}

func BenchmarkSignal(b *testing.B) {
	signalled := func(d time.Duration) func() {
		return func() {
			done, cond := false, sync.NewCond(&sync.Mutex{})
			go func() {
				spin(d)
				cond.L.Lock()
				defer cond.L.Unlock()
				done = true
				cond.Signal()
			}()
			cond.L.Lock()
			defer cond.L.Unlock()
			for !done {
				cond.Wait()
			}
		}
	}
	compare(b, signalled(ms), signalled(5*ms))
}

func BenchmarkSleep(b *testing.B) {
	compare(b, func() { spin(ms) }, func() { time.Sleep(5 * ms) })
}
"""


class Causes:
    """The test binary of `causes`; each of its benchmarks is traced once for each number of `again`."""

    def __init__(self, toolchain, root: Path) -> None:
        self._root = go_module(root, causes__causes_test=GO)
        self._env = child_environment({**os.environ, "GOMAXPROCS": str(PROCESSORS)})
        (package,) = packages(toolchain, root, env=self._env)
        self._binary = build(toolchain, root, package, root / "causes.test", self._env)
        self.run = cache(self._run)

    def _run(self, name: str, iterations: int, again: int) -> Run:
        trace = self._root / "run.trace"
        result = run_benchmark(
            self._binary,
            name,
            iterations,
            trace=trace,
            cwd=self._root / "causes",
            env=self._env,
            timeout=60,
        )
        reported = result.values["ns/op"] * iterations
        measured = measured_round(join(read_trace(trace)), iterations, reported)
        return Run(
            side="head" if name.endswith("bad") else "base",
            benchmark=name,
            round=0,
            position=0,
            traced=True,
            iterations=iterations,
            values=result.values,
            series=extract(measured, built_in_metrics()),
            spots=spots(measured, "example.com/m"),
        )
