// Command workload traces what a Go program can do to its scheduler, one scenario a run: workload SCENARIO FILE.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

var scenarios = map[string]func(ctx context.Context){
	"channels":    channels,
	"mutexes":     mutexes,
	"cond":        cond,
	"selects":     selects,
	"timers":      timers,
	"network":     network,
	"syscalls":    syscalls,
	"threads":     threads,
	"collection":  collection,
	"procs":       procs,
	"regions":     regions,
	"tasks":       tasks,
	"goroutines":  goroutines,
	"generations": generations,
	"border":      border,
	"pool":        pool,
	"profile":     profile,
	"preemption":  preemption,
}

var sink any

// before are what runs before the trace begins; they close what they are given when tracing stops.
var before = map[string]func() func(){
	"regions":     openRegions,
	"generations": backgroundWork,
	"collection":  backgroundWork,
	"threads":     sleepingThreads,
}

func main() {
	log.SetFlags(0)
	run, known := scenarios[os.Args[1]]
	if !known {
		log.Fatalf("no scenario %q", os.Args[1])
	}
	stop := func() {}
	if prepare := before[os.Args[1]]; prepare != nil {
		stop = prepare()
	}
	f, err := os.Create(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if err := trace.Start(f); err != nil {
		log.Fatal(err)
	}
	run(context.Background())
	trace.Stop()
	stop()
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
}

func spin(n int) (x int) {
	for i := 0; i < n; i++ {
		x += i * i
	}
	return x
}

// amount is the third argument, if there is one.
func amount(fallback int) int {
	if len(os.Args) > 3 {
		fmt.Sscan(os.Args[3], &fallback)
	}
	return fallback
}

// together runs f in n goroutines and waits for them.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f(i)
		}()
	}
	wg.Wait()
}

func channels(ctx context.Context) {
	jobs, results := make(chan int), make(chan int, 4)
	go func() {
		defer close(jobs)
		for i := 0; i < 500; i++ {
			jobs <- i
		}
	}()
	go func() {
		together(6, func(int) {
			for j := range jobs {
				spin(200)
				results <- j
			}
		})
		close(results)
	}()
	for range results {
	}
	go func() { select {} }()
	go func() { <-chan int(nil) }()
	time.Sleep(time.Millisecond)
}

func mutexes(ctx context.Context) {
	var mu sync.Mutex
	var rw sync.RWMutex
	together(16, func(i int) {
		for k := 0; k < 100; k++ {
			mu.Lock()
			spin(500)
			mu.Unlock()
			if k%10 == 0 {
				rw.Lock()
				runtime.Gosched()
				rw.Unlock()
			} else {
				rw.RLock()
				spin(10)
				rw.RUnlock()
			}
		}
	})
}

func cond(ctx context.Context) {
	var mu sync.Mutex
	ready := 0
	c := sync.NewCond(&mu)
	together(9, func(i int) {
		if i > 0 {
			mu.Lock()
			for ready < i {
				c.Wait()
			}
			mu.Unlock()
			return
		}
		for k := 0; k < 8; k++ {
			time.Sleep(200 * time.Microsecond)
			mu.Lock()
			ready++
			mu.Unlock()
			c.Broadcast()
		}
	})
}

func selects(ctx context.Context) {
	a, b, done := make(chan int), make(chan int), make(chan bool)
	go func() {
		for i := 0; i < 200; i++ {
			select {
			case a <- i:
			case b <- i:
			case <-time.After(time.Second):
			}
		}
		close(done)
	}()
	for {
		select {
		case <-a:
		case <-b:
			runtime.Gosched()
		case <-done:
			return
		}
	}
}

func timers(ctx context.Context) {
	together(8, func(i int) {
		ticker := time.NewTicker(time.Duration(100+50*i) * time.Microsecond)
		defer ticker.Stop()
		for k := 0; k < 10; k++ {
			<-ticker.C
		}
	})
}

func network(ctx context.Context) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				data := make([]byte, 64)
				for {
					n, err := c.Read(data)
					if err != nil {
						return
					}
					c.Write(data[:n])
				}
			}()
		}
	}()
	together(8, func(i int) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		defer c.Close()
		data := make([]byte, 64)
		for k := 0; k < 20; k++ {
			c.Write(data[:8])
			c.Read(data)
		}
	})
	l.Close()
}

// blockingPipe is a pipe whose ends block their thread, unlike those of os.Pipe.
func blockingPipe() (r, w int) {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		log.Fatal(err)
	}
	return ends[0], ends[1]
}

func syscalls(ctx context.Context) {
	r, w := blockingPipe()
	together(2, func(i int) {
		data := make([]byte, 1)
		for k := 0; k < 60; k++ {
			if i == 0 {
				time.Sleep(time.Duration(50*(k%4)) * time.Microsecond)
				syscall.Write(w, data)
			} else {
				syscall.Read(r, data)
			}
		}
	})
	together(4, func(i int) {
		for k := 0; k < 50; k++ {
			f, err := os.Open(os.Args[0])
			if err != nil {
				log.Fatal(err)
			}
			f.Read(make([]byte, 4096))
			f.Close()
		}
	})
}

func sleepingThreads() func() {
	r, w := blockingPipe()
	for i := 0; i < 8; i++ {
		go syscall.Read(r, make([]byte, 1))
	}
	time.Sleep(5 * time.Millisecond)
	return func() { syscall.Write(w, make([]byte, 8)) }
}

// threads keeps some forty threads busy, so that the reader's heap and sort have something to do.
func threads(ctx context.Context) {
	r, w := blockingPipe()
	together(48, func(i int) {
		data := make([]byte, 1)
		for k := 0; k < 30; k++ {
			if i%2 == 0 {
				syscall.Write(w, data)
				spin(rand.Intn(3000))
			} else {
				syscall.Read(r, data)
			}
			if k%8 == 0 {
				ts := syscall.NsecToTimespec(int64(rand.Intn(60_000)))
				syscall.Nanosleep(&ts, nil)
			}
		}
	})
}

func backgroundWork() func() {
	stop := make(chan bool)
	var kept sync.WaitGroup
	kept.Add(1)
	go func() {
		defer kept.Done()
		for {
			select {
			case <-stop:
				return
			case <-time.After(300 * time.Microsecond):
				sink = make([]byte, 20_000)
			}
		}
	}()
	return func() {
		close(stop)
		kept.Wait()
	}
}

func collection(ctx context.Context) {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	var mu sync.Mutex
	kept := make(map[int][]*[256]int)
	together(6, func(i int) {
		for k := 0; k < 600; k++ {
			block := make([]*[256]int, 8)
			for j := range block {
				block[j] = new([256]int)
			}
			if k%4 == 0 {
				mu.Lock()
				kept[i*600+k] = block
				mu.Unlock()
			}
		}
	})
	runtime.GC()
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	sink = kept
}

func procs(ctx context.Context) {
	before := runtime.GOMAXPROCS(0)
	for n := 1; n <= 6; n++ {
		runtime.GOMAXPROCS(n)
		together(8, func(int) {
			for k := 0; k < 5; k++ {
				spin(20_000)
				runtime.Gosched()
			}
		})
	}
	runtime.GOMAXPROCS(before)
}

var unended []*trace.Region

// openRegions begins regions in a trace of which nothing is kept: outside of any trace a region is nothing at all.
func openRegions() func() {
	if err := trace.Start(io.Discard); err != nil {
		log.Fatal(err)
	}
	for i := 0; i < 2; i++ {
		unended = append(unended, trace.StartRegion(context.Background(), "began before the trace"))
	}
	trace.Stop()
	return func() {}
}

func regions(ctx context.Context) {
	for _, r := range unended {
		r.End()
	}
	ctx, task := trace.NewTask(ctx, "outer")
	together(4, func(i int) {
		for k := 0; k < 50; k++ {
			trace.WithRegion(ctx, "one", func() {
				spin(300)
				trace.WithRegion(ctx, "two | <b>", func() {
					runtime.Gosched()
					trace.WithRegion(context.Background(), "three", func() { time.Sleep(10 * time.Microsecond) })
				})
				if k%10 == 0 {
					// Inherits the task of the region it is started in.
					done := make(chan bool)
					go func() {
						spin(100)
						close(done)
					}()
					<-done
				}
			})
		}
		trace.StartRegion(ctx, "never ended")
	})
	trace.StartRegion(ctx, "open when the trace ends")
	task.End()
}

func tasks(ctx context.Context) {
	ctx, root := trace.NewTask(ctx, "root")
	together(3, func(i int) {
		mine, task := trace.NewTask(ctx, fmt.Sprintf("part %d", i))
		for k := 0; k < 20; k++ {
			_, inner := trace.NewTask(mine, "step")
			trace.Log(mine, "progress", fmt.Sprintf("%d/%d é\xff", i, k))
			trace.Logf(context.Background(), "loose", "%d", k)
			spin(1000)
			inner.End()
		}
		if i != 1 {
			task.End()
			task.End()
		}
	})
	pprof.Do(ctx, pprof.Labels("key", "value"), func(context.Context) { spin(1000) })
	root.End()
}

// goroutines come and go. A third argument says how many.
func goroutines(ctx context.Context) {
	together(amount(3000), func(i int) {
		if i%3 == 0 {
			runtime.Gosched()
		}
		if i%100 == 0 {
			together(5, func(int) { spin(100) })
		}
	})
}

// generations goes on for more than two of the runtime's generations, with work that spans their borders.
func generations(ctx context.Context) {
	ctx, task := trace.NewTask(ctx, "spans generations")
	r, w := blockingPipe()
	go func() {
		data := make([]byte, 1)
		for k := 0; k < 4; k++ {
			syscall.Read(r, data)
		}
	}()
	end := time.Now().Add(2300 * time.Millisecond)
	together(4, func(i int) {
		trace.WithRegion(ctx, "long", func() {
			for time.Now().Before(end) {
				trace.WithRegion(ctx, "short", func() { spin(2000) })
				time.Sleep(3 * time.Millisecond)
				if i == 0 {
					sink = make([]byte, 300_000)
				}
			}
		})
		if i == 0 {
			syscall.Write(w, make([]byte, 4))
		}
	})
	task.End()
}

// border is generations with as little as possible in them.
func border(ctx context.Context) {
	ctx, task := trace.NewTask(ctx, "spans generations")
	r, w := blockingPipe()
	region := trace.StartRegion(ctx, "long")
	go func() {
		trace.WithRegion(ctx, "in a system call", func() { syscall.Read(r, make([]byte, 1)) })
	}()
	for k := 0; k < 22; k++ {
		trace.WithRegion(ctx, "short", func() { time.Sleep(100 * time.Millisecond) })
	}
	syscall.Write(w, make([]byte, 1))
	time.Sleep(time.Millisecond)
	region.End()
	task.End()
}

// pool is what programs with regions mostly do: workers, channels, a lock and garbage. A third argument says how much.
func pool(ctx context.Context) {
	total := amount(2000)
	ctx, task := trace.NewTask(ctx, "pool")
	defer task.End()
	var mu sync.Mutex
	kept := make([][]byte, 0, 20_000)
	jobs, results := make(chan int), make(chan int)
	go func() {
		defer close(jobs)
		for i := 0; i < total; i++ {
			jobs <- i
		}
	}()
	go func() {
		defer close(results)
		together(8, func(int) {
			for j := range jobs {
				trace.WithRegion(ctx, "compute", func() {
					spin(500)
					mu.Lock()
					if len(kept) == cap(kept) {
						kept = kept[:0]
					}
					kept = append(kept, make([]byte, 1000))
					mu.Unlock()
					trace.WithRegion(ctx, "emit", func() { results <- j })
				})
				if j%1000 == 0 {
					trace.Log(ctx, "job", fmt.Sprint(j))
				}
			}
		})
	}()
	for range results {
	}
}

func profile(ctx context.Context) {
	f, err := os.CreateTemp("", "profile")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(f.Name())
	if err := pprof.StartCPUProfile(f); err != nil {
		log.Fatal(err)
	}
	together(3, func(int) {
		end := time.Now().Add(120 * time.Millisecond)
		for time.Now().Before(end) {
			spin(10_000)
		}
	})
	pprof.StopCPUProfile()
}

func preemption(ctx context.Context) {
	runtime.GOMAXPROCS(1)
	together(3, func(int) {
		end := time.Now().Add(60 * time.Millisecond)
		for time.Now().Before(end) {
			spin(100_000)
		}
	})
	runtime.LockOSThread()
	together(2, func(int) { spin(1000) })
	runtime.UnlockOSThread()
}
