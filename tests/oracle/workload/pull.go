//go:build go1.23

package main

import (
	"context"
	"iter"
)

func init() { scenarios["coroutines"] = coroutines }

// coroutines switches between goroutines without the scheduler.
func coroutines(context.Context) {
	together(2, func(int) {
		next, stop := iter.Pull(func(yield func(int) bool) {
			for k := 0; k < 100; k++ {
				if !yield(spin(k)) {
					return
				}
			}
		})
		for {
			if _, more := next(); !more {
				break
			}
		}
		next, stop = iter.Pull(func(yield func(int) bool) {
			for yield(1) {
			}
		})
		next()
		stop()
	})
}
