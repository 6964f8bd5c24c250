// Command oracle prints what Go's own reader and summarizer say about execution traces, as JSON lines.
//
// It is built inside a toolchain's tree (go build -overlay), since the packages it asks are internal to Go.
// With -time it prints nothing but how long reading takes, with -bare without the summarizer.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"internal/trace"
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"time"
)

type row = map[string]any

type scope struct {
	resource trace.ResourceID
	name     string
}

type span struct {
	name            string
	begin, duration int64
}

// spans pairs the ends of ranges with their begins.
type spans struct {
	open    map[scope]trace.Time
	stw     []span
	totals  map[string]int64
	samples []row
	syncs   int
	events  int
}

func (s *spans) add(ev *trace.Event) {
	s.events++
	switch ev.Kind() {
	case trace.EventStackSample:
		s.samples = append(s.samples, sample(ev))
	case trace.EventSync:
		s.syncs++
	case trace.EventRangeBegin:
		r := ev.Range()
		s.open[scope{r.Scope, r.Name}] = ev.Time()
	case trace.EventRangeEnd:
		r := ev.Range()
		key := scope{r.Scope, r.Name}
		begin, ok := s.open[key]
		if !ok {
			return
		}
		delete(s.open, key)
		duration := int64(ev.Time() - begin)
		s.totals[r.Name] += duration
		if strings.HasPrefix(r.Name, "stop-the-world") {
			s.stw = append(s.stw, span{r.Name, int64(begin), duration})
		}
	}
}

// sample is a CPU sample with its stack, leaf first.
func sample(ev *trace.Event) row {
	var goroutine any
	if ev.Goroutine() != trace.NoGoroutine {
		goroutine = int64(ev.Goroutine())
	}
	stack := []string{}
	for f := range ev.Stack().Frames() {
		stack = append(stack, fmt.Sprintf("%s %s:%d", f.Func, f.File, f.Line))
	}
	return row{"kind": "sample", "time": int64(ev.Time()), "goroutine": goroutine, "stack": stack}
}

func read(path string, each func(*trace.Event)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := trace.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return err
	}
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if each != nil {
			each(&ev)
		}
	}
}

func optional(t trace.Time) any {
	if t == 0 {
		return nil
	}
	return int64(t)
}

func at(ev *trace.Event) any {
	if ev == nil {
		return nil
	}
	return int64(ev.Time())
}

func nonzero(times map[string]time.Duration) map[string]int64 {
	out := make(map[string]int64)
	for name, d := range times {
		if d != 0 {
			out[name] = int64(d)
		}
	}
	return out
}

func stats(out row, s trace.GoroutineExecStats) row {
	out["exec"] = int64(s.ExecTime)
	out["sched_wait"] = int64(s.SchedWaitTime)
	out["syscall"] = int64(s.SyscallTime)
	out["syscall_block"] = int64(s.SyscallBlockTime)
	out["total"] = int64(s.TotalTime)
	out["block"] = nonzero(s.BlockTimeByReason)
	out["range"] = nonzero(s.RangeTime)
	return out
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// byStart orders regions without a start before the others, and by their ends.
func byStart(a, b *trace.UserRegionSummary) int {
	key := func(r *trace.UserRegionSummary) (int64, int64) {
		start, end := int64(-1), int64(1)<<62
		if r.Start != nil {
			start = int64(r.Start.Time())
		}
		if r.End != nil {
			end = int64(r.End.Time())
		}
		return start, end
	}
	as, ae := key(a)
	bs, be := key(b)
	return cmp.Or(cmp.Compare(as, bs), cmp.Compare(ae, be))
}

func goroutines(summary *trace.Summary, print func(row)) {
	for _, id := range sorted(summary.Goroutines) {
		g := summary.Goroutines[id]
		print(stats(row{
			"kind": "goroutine", "id": int64(id), "name": g.Name,
			"create": int64(g.CreationTime), "start": optional(g.StartTime), "end": optional(g.EndTime),
		}, g.GoroutineExecStats))
		slices.SortStableFunc(g.Regions, byStart)
		for _, r := range g.Regions {
			print(stats(row{
				"kind": "region", "goroutine": int64(id), "name": r.Name, "task": uint64(r.TaskID),
				"start": at(r.Start), "end": at(r.End),
			}, r.GoroutineExecStats))
		}
	}
}

func tasks(summary *trace.Summary, print func(row)) {
	for _, id := range sorted(summary.Tasks) {
		t := summary.Tasks[id]
		var parent any
		if t.Parent != nil {
			parent = uint64(t.Parent.ID)
		}
		print(row{
			"kind": "task", "id": uint64(id), "name": t.Name, "parent": parent, "start": at(t.Start), "end": at(t.End),
			"logs": len(t.Logs), "regions": len(t.Regions), "complete": t.Complete(),
		})
	}
}

func dump(path string, out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	print := func(r row) {
		if err := encoder.Encode(r); err != nil {
			log.Fatal(err)
		}
	}
	found := spans{open: make(map[scope]trace.Time), totals: make(map[string]int64)}
	summarizer := trace.NewSummarizer()
	failed := read(path, func(ev *trace.Event) {
		found.add(ev)
		summarizer.Event(ev)
	})
	if failed != nil {
		return failed
	}
	summary := summarizer.Finalize()
	goroutines(summary, print)
	tasks(summary, print)
	for _, s := range found.stw {
		print(row{"kind": "stw", "name": s.name, "begin": s.begin, "duration": s.duration})
	}
	for _, s := range found.samples {
		print(s)
	}
	print(row{"kind": "ranges", "totals": found.totals})
	print(row{"kind": "end", "events": found.events, "generations": found.syncs - 1})
	return nil
}

func measure(path string, bare bool) error {
	began := time.Now()
	var err error
	if bare {
		err = read(path, nil)
	} else {
		s := trace.NewSummarizer()
		err = read(path, s.Event)
		s.Finalize()
	}
	fmt.Println(time.Since(began).Nanoseconds())
	return err
}

func main() {
	log.SetFlags(0)
	timed := flag.Bool("time", false, "print how many nanoseconds reading takes")
	bare := flag.Bool("bare", false, "with -time: leave the summarizer out")
	flag.Parse()
	for _, path := range flag.Args() {
		out := bufio.NewWriterSize(os.Stdout, 1<<20)
		var err error
		if *timed {
			err = measure(path, *bare)
		} else {
			err = dump(path, out)
		}
		if err != nil {
			log.Fatalf("%s: %v", path, err)
		}
		out.Flush()
	}
}
