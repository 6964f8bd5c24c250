// Command shop traces a few requests of which one is slow, and leaves some goroutines behind: shop FILE.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"time"
)

const slow = 3

type question struct {
	request int
	answer  chan int
}

func database(questions chan question) {
	for q := range questions {
		if q.request == slow {
			time.Sleep(200 * time.Millisecond)
		}
		q.answer <- q.request
	}
}

func spin(n int) (x int) {
	for i := 0; i < n; i++ {
		x += i * i
	}
	return x
}

func serve(ctx context.Context, request int, questions chan question) {
	ctx, task := trace.NewTask(ctx, "request")
	defer task.End()
	trace.Log(ctx, "id", fmt.Sprint(request))
	trace.WithRegion(ctx, "parse", func() { spin(10_000) })
	trace.WithRegion(ctx, "query", func() {
		inner, part := trace.NewTask(ctx, "lookup")
		defer part.End()
		q := question{request, make(chan int)}
		questions <- q
		trace.Log(inner, "answer", fmt.Sprint(<-q.answer))
	})
	trace.WithRegion(ctx, "render", func() { spin(20_000) })
}

func leak(started chan<- int, never chan int) {
	started <- 1
	<-never
}

func main() {
	f, err := os.Create(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := trace.Start(f); err != nil {
		log.Fatal(err)
	}
	ctx, questions, never := context.Background(), make(chan question), make(chan int)
	go database(questions)
	for i := 0; i < 6; i++ {
		serve(ctx, i, questions)
	}
	started := make(chan int, 5)
	for i := 0; i < 5; i++ {
		go leak(started, never)
	}
	for i := 0; i < 5; i++ {
		<-started
	}
	trace.WithRegion(ctx, "\x1b[31mred\x1b[0m\n::error::no ##[group]\u202e", runtime.GC)
	time.Sleep(time.Millisecond)
	trace.Stop()
	close(never)
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
}
