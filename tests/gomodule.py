"""A Go module whose benchmarks end in every way a benchmark can end."""

from __future__ import annotations

import textwrap
from pathlib import Path


def go_module(root: Path, **files: str) -> Path:
    """Write a module; in the names of files `__` stands for a slash. The files are dedented Go."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "go.mod").write_text("module example.com/m\n\ngo 1.22\n")
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".go")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return root


ZOO = r"""
package zoo

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

var sink int

func work(b *testing.B) {
	for i := 0; i < b.N; i++ {
		sink++
	}
}

func BenchmarkCount(b *testing.B) { work(b) }

func BenchmarkNames(b *testing.B) {
	names := []string{"a b", "a", "a/b", "a", "size", "size-8", "", "\x01"}
	names = append(names, "q\"|'é日[(.*+?^$)\\", "x/", "tab\there")
	for _, name := range names {
		b.Run(name, func(b *testing.B) { fmt.Fprintln(os.Stderr, "in", b.N, b.Name()); work(b) })
	}
}

func BenchmarkMixed(b *testing.B) {
	b.Run("good", work)
	b.Run("skipped", func(b *testing.B) { b.Log("and"); b.Skip("not today") })
	b.Run("silent", func(b *testing.B) { b.SkipNow() })
	b.Run("bad", func(b *testing.B) { b.Fatal("bad luck") })
	b.Run("deep", func(b *testing.B) { b.Run("er", work) })
}

func BenchmarkMetrics(b *testing.B) {
	b.SetBytes(1000)
	for i := 0; i < b.N; i++ {
		time.Sleep(time.Microsecond)
	}
	b.ReportMetric(3.5, "things/op")
	b.ReportMetric(1e12, "µs-p99")
	b.ReportMetric(-2, "delta")
	b.ReportMetric(math.NaN(), "nan")
	b.ReportMetric(math.Inf(1), "inf")
}

func BenchmarkHidden(b *testing.B) { work(b); b.ReportMetric(0, "ns/op") }

func BenchmarkPrints(b *testing.B) {
	fmt.Print("no newline here ", b.N)
	fmt.Println("\nBenchmarkPrints-2 \t in the middle of it")
	os.Stderr.WriteString("\x1b[31mred\x1b[0m\x00 and on stderr: 100")
	b.Log("logged")
	work(b)
}

func BenchmarkForges(b *testing.B) {
	fmt.Printf("BenchmarkForges-2 \t%8d\t         1.000 ns/op\t       0 B/op\t       0 allocs/op\n", b.N)
}

func BenchmarkPanics(b *testing.B) {
	if b.N > 1 {
		panic("oops")
	}
}

func BenchmarkPanicsElsewhere(b *testing.B) {
	go func() { panic("oops {0}") }()
	time.Sleep(time.Hour)
}

func BenchmarkBreaksOff(b *testing.B) { runtime.Goexit() }

func BenchmarkFails(b *testing.B) { b.Fatal("bad luck") }

func BenchmarkSkips(b *testing.B) { b.Skip("not today") }

func BenchmarkExits(b *testing.B) { os.Exit(0) }

func BenchmarkLeaves(b *testing.B) { fmt.Println("bye"); syscall.Exit(0) }

func BenchmarkReturnsThree(b *testing.B) { os.Exit(3) }

func BenchmarkKillsItself(b *testing.B) { syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }

func BenchmarkDeadlock(b *testing.B) { select {} }

func BenchmarkFloods(b *testing.B) {
	line := strings.Repeat("x", 1<<16)
	for {
		fmt.Println(line)
	}
}

func BenchmarkTalks(b *testing.B) {
	for i := 0; i < 100; i++ {
		fmt.Println("line", i, strings.Repeat("é", 100))
	}
	b.Fatal("said enough")
}

// A child that does not listen to SIGTERM, in the same process group.
func child(b *testing.B) {
	script := "trap '' TERM; echo $$ > " + os.Getenv("PIDS") + "; while :; do sleep 1; done"
	command := exec.Command("sh", "-c", script)
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	for {
		if text, _ := os.ReadFile(os.Getenv("PIDS")); len(text) > 1 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func BenchmarkHangs(b *testing.B) {
	signal.Ignore(syscall.SIGTERM)
	child(b)
	for {
		time.Sleep(time.Hour)
	}
}

func BenchmarkOrphans(b *testing.B) { child(b) }

func BenchmarkReads(b *testing.B) {
	if text, err := io.ReadAll(os.Stdin); err != nil || len(text) > 0 {
		b.Fatal("stdin is not empty")
	}
}

func BenchmarkWhere(b *testing.B) {
	if _, err := os.ReadFile("testdata/here.txt"); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkEnvironment(b *testing.B) {
	if os.Getenv("SEEN") != "yes" || os.Getenv("UNSEEN") != "" {
		b.Fatal("another environment")
	}
}

func BenchmarkTraces(b *testing.B) {
	c := make(chan int)
	go func() {
		for range c {
			runtime.Gosched()
		}
	}()
	for i := 0; i < b.N; i++ {
		c <- i
	}
	close(c)
}

func TestNothing(t *testing.T) { t.Fatal("tests are not run") }

func ExampleNothing() { fmt.Println("examples neither") }
"""

LOOP = """
//go:build go1.24

package zoo

import "testing"

func BenchmarkLoop(b *testing.B) {
	for b.Loop() {
		sink++
	}
}
"""

MAIN = """
package leaves

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	switch os.Getenv("LEAVE") {
	case "before":
		os.Exit(0)
	case "badly":
		m.Run()
		os.Exit(4)
	}
	os.Exit(m.Run())
}

func BenchmarkNothing(b *testing.B) {}
"""
