"""Benchmarks that use their timer in every way there is, and the traces of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gomodule import go_module

from pytest_gotrace.gotest import build, child_environment, packages, run_benchmark
from pytest_gotrace.rounds import Round, measured_round
from pytest_gotrace.trace import join, read_trace

TIMED = r"""
package timed

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
	"time"
)

var sink int

func busy(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
		sink++
	}
}

const op, setup = 200 * time.Microsecond, 3 * time.Millisecond

func BenchmarkPlain(b *testing.B) {
	for i := 0; i < b.N; i++ {
		busy(op)
	}
}

func BenchmarkStopStart(b *testing.B) {
	for i := 0; i < b.N; i++ {
		b.StopTimer()
		busy(setup)
		b.StartTimer()
		busy(op)
	}
}

func BenchmarkReset(b *testing.B) {
	busy(10 * setup)
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		busy(op)
	}
}

func BenchmarkResetWhileStopped(b *testing.B) {
	busy(10 * setup)
	b.StopTimer()
	b.ResetTimer()
	b.StartTimer()
	for i := 0; i < b.N; i++ {
		busy(op)
	}
}

func BenchmarkStopsEarly(b *testing.B) {
	for i := 0; i < b.N; i++ {
		busy(op)
	}
	b.StopTimer()
	busy(10 * setup)
}

func BenchmarkSubs(b *testing.B) {
	busy(setup)
	b.Run("first", func(b *testing.B) { BenchmarkPlain(b) })
	b.Run("group", func(b *testing.B) {
		b.Run("inner", func(b *testing.B) { BenchmarkPlain(b) })
	})
	b.Run("last", func(b *testing.B) { BenchmarkPlain(b) })
	b.StopTimer()
	busy(setup)
	b.StartTimer()
}

func BenchmarkParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			busy(op)
		}
	})
}

func BenchmarkReadsMemStats(b *testing.B) {
	var stats runtime.MemStats
	for i := 0; i < b.N; i++ {
		runtime.ReadMemStats(&stats)
		busy(op)
	}
}

func BenchmarkForks(b *testing.B) {
	for i := 0; i < b.N; i++ {
		var group sync.WaitGroup
		for j := 0; j < 3; j++ {
			group.Add(1)
			go func() { defer group.Done(); busy(op) }()
		}
		group.Wait()
	}
}

func ends() {}

// ended waits until no goroutine is left that began with ends; those that never ran are in the stacks too.
func ended() {
	stacks := make([]byte, 1<<20)
	for bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("timed.ends(")) {
		runtime.Gosched()
	}
}

func BenchmarkLeaks(b *testing.B) {
	forever := make(chan int)
	late := make(chan int)
	b.Cleanup(func() { close(late) })
	for i := 0; i < b.N; i++ {
		go func() { <-forever }()
		go func() { <-late }()
		go ends()
	}
	ended()
}
"""

LOOP = r"""
//go:build go1.24

package timed

import "testing"

func BenchmarkLoop(b *testing.B) {
	busy(10 * setup)
	for b.Loop() {
		busy(op)
	}
	busy(10 * setup)
}
"""

#: Name and iterations; every round lasts some milliseconds.
CLOCKS = (
    ("BenchmarkPlain", 50),
    ("BenchmarkPlain", 1),
    ("BenchmarkStopStart", 2),
    ("BenchmarkStopStart", 1),
    ("BenchmarkReset", 50),
    ("BenchmarkResetWhileStopped", 50),
    ("BenchmarkStopsEarly", 50),
    ("BenchmarkSubs/first", 50),
    ("BenchmarkSubs/group/inner", 50),
    ("BenchmarkSubs/last", 50),
    ("BenchmarkParallel", 50),
    ("BenchmarkReadsMemStats", 50),
    ("BenchmarkForks", 20),
)
LOOP_CLOCKS = (("BenchmarkLoop", 50), ("BenchmarkLoop", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A round as we see it, and what the benchmark itself printed: ns on the timer."""

    measured: Round
    reported: float


class Timed:
    """The test binary of the package `timed`, built by one toolchain."""

    def __init__(self, toolchain, root: Path) -> None:
        self._root = go_module(root, timed__timed_test=TIMED, timed__loop_test=LOOP)
        self._env = child_environment(os.environ)
        (package,) = packages(toolchain, root, env=self._env)
        self._binary = build(toolchain, root, package, root / "timed.test", self._env)

    def run(self, name: str, iterations: int) -> Traced:
        """Trace one run and find its round."""
        trace = self._root / "run.trace"
        result = run_benchmark(
            self._binary,
            name,
            iterations,
            trace=trace,
            cwd=self._root / "timed",
            env=self._env,
            timeout=60,
        )
        reported = result.values["ns/op"] * iterations
        return Traced(
            measured=measured_round(join(read_trace(trace)), iterations, reported), reported=reported
        )
