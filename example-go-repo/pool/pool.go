// Package pool settles batches of orders: a few workers price them, one ledger
// books the invoices.
package pool

import (
	"hash/fnv"
	"sync"
)

// backlog is how many priced invoices may wait for the ledger. The ledger is
// slower than the workers together, so a worker must be able to put its invoice
// down and carry on.
const backlog = 128

// Order is one order as it comes from the queue.
type Order struct {
	ID    int
	Lines []byte
}

// Invoice is a priced order.
type Invoice struct {
	OrderID int
	Cents   uint64
}

// Pool prices orders with a fixed number of workers.
type Pool struct {
	workers int
}

// New returns a pool of the given number of workers, at least one.
func New(workers int) *Pool {
	return &Pool{workers: max(workers, 1)}
}

// Settle prices all orders and books them. Invoices are booked in the order in
// which they become ready, which need not be the order of the batch.
func (p *Pool) Settle(orders []Order, ledger *Ledger) {
	queue := make(chan Order, p.workers)
	go func() {
		defer close(queue)
		for _, order := range orders {
			queue <- order
		}
	}()

	invoices := make(chan Invoice, backlog)
	var workers sync.WaitGroup
	for i := 0; i < p.workers; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for order := range queue {
				invoices <- price(order)
			}
		}()
	}

	for range orders {
		ledger.Book(<-invoices)
	}
	workers.Wait()
}

// price adds up an order. Its cost is proportional to the length of the lines.
func price(order Order) Invoice {
	sum := fnv.New64a()
	sum.Write(order.Lines)
	return Invoice{OrderID: order.ID, Cents: sum.Sum64() % 100_000}
}
