// Command mutator prints what Go's own code says about a trace's mutator utilization, as JSON.
//
// It is built inside a toolchain's tree (go build -overlay), since the package it asks is internal to Go.
package main

import (
	"bufio"
	"encoding/json"
	"internal/trace"
	"io"
	"log"
	"os"
	"time"
)

// Without UtilBackground: with it Go 1.26 counts a worker twice from its second run on, and once per run for good.
var counted = map[string]trace.UtilFlags{
	"stw":              trace.UtilSTW,
	"stw+assist":       trace.UtilSTW | trace.UtilAssist,
	"stw+assist+sweep": trace.UtilSTW | trace.UtilAssist | trace.UtilSweep,
}

type answer struct {
	Steps   [][2]float64       `json:"steps"`
	Minimum map[string]float64 `json:"minimum"`
}

func read(path string) (events []trace.Event) {
	f, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	r, err := trace.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		log.Fatal(err)
	}
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return events
		}
		if err != nil {
			log.Fatal(err)
		}
		events = append(events, ev)
	}
}

func main() {
	log.SetFlags(0)
	events := read(os.Args[1])
	answers := make(map[string]answer)
	for name, flags := range counted {
		util := trace.MutatorUtilizationV2(events, flags)
		curve := trace.NewMMUCurve(util)
		found := answer{Minimum: make(map[string]float64)}
		for _, step := range util[0] {
			found.Steps = append(found.Steps, [2]float64{float64(step.Time - util[0][0].Time), step.Util})
		}
		for _, window := range []time.Duration{10 * time.Microsecond, time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Hour} {
			found.Minimum[window.String()] = curve.MMU(window)
		}
		answers[name] = found
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}
