//go:build cgo

package main

/*
#include <pthread.h>
#include <unistd.h>

extern void enter(int);

static void *thread(void *arg) {
	for (int i = 0; i < 10; i++) {
		enter(i);
		if (i % 4 == 0) usleep(200);
	}
	return arg;
}

static void call(int threads) {
	pthread_t all[16];
	for (int i = 0; i < threads; i++) pthread_create(&all[i], 0, thread, 0);
	for (int i = 0; i < threads; i++) pthread_join(all[i], 0);
}
*/
import "C"

import (
	"context"
	"runtime"
)

func init() { scenarios["callbacks"] = callbacks }

//export enter
func enter(i C.int) {
	spin(int(i) * 100)
	if i%3 == 0 {
		runtime.Gosched()
	}
}

// callbacks has threads made by C call into Go, again and again with new threads.
func callbacks(context.Context) {
	for k := 0; k < 5; k++ {
		together(2, func(int) { C.call(4) })
	}
}
