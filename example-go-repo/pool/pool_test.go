package pool

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

func batch(orders int) []Order {
	batch := make([]Order, orders)
	for i := range batch {
		batch[i] = Order{ID: i, Lines: bytes.Repeat([]byte{byte(i), 7, 3, 1}, 512)}
	}
	return batch
}

func TestSettleBooksEveryOrderOnce(t *testing.T) {
	orders := batch(300)
	var want uint64
	for _, order := range orders {
		want += price(order).Cents
	}
	for _, workers := range []int{0, 1, 4, 32} {
		var ledger Ledger
		New(workers).Settle(orders, &ledger)
		if ledger.Entries() != len(orders) || ledger.Cents() != want {
			t.Errorf("%d workers: booked %d entries, %d cents; want %d entries, %d cents",
				workers, ledger.Entries(), ledger.Cents(), len(orders), want)
		}
	}
}

func TestSettleOfNothingBooksNothing(t *testing.T) {
	var ledger Ledger
	New(4).Settle(nil, &ledger)
	if ledger.Entries() != 0 {
		t.Errorf("booked %d entries of an empty batch", ledger.Entries())
	}
}

func TestCacheGivesWhatWasPut(t *testing.T) {
	cache := NewCache()
	cache.Put("tea", []byte("list of tea"))
	cache.Put("rice", []byte("list of rice"))
	tea, ok := cache.Price("tea")
	rice, _ := cache.Price("rice")
	if !ok || tea == rice {
		t.Errorf("tea costs %d (found: %t), rice %d", tea, ok, rice)
	}
	if _, ok := cache.Price("salt"); ok {
		t.Error("a product that was never put has a price")
	}
}

func BenchmarkPool(b *testing.B) {
	orders := batch(96)
	workers := New(4)
	var ledger Ledger
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		workers.Settle(orders, &ledger)
	}
}

func BenchmarkCache(b *testing.B) {
	const readers, lookups = 32, 8
	cache := NewCache()
	products := make([]string, 256)
	for i := range products {
		products[i] = fmt.Sprintf("product-%03d", i)
		cache.Put(products[i], bytes.Repeat([]byte(products[i]), 256))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		var done sync.WaitGroup
		for reader := 0; reader < readers; reader++ {
			done.Add(1)
			go func(first int) {
				defer done.Done()
				for n := 0; n < lookups; n++ {
					cache.Price(products[(first+n*7)%len(products)])
				}
			}(reader * 31)
		}
		done.Wait()
	}
}
