package pool

import (
	"encoding/binary"
	"hash/fnv"
)

// page is how many bytes of the journal an entry is chained to.
const page = 4 << 10

// Ledger is the book of all invoices. Each entry carries a checksum over the
// page in front of it, so that a removed entry is noticed. One goroutine books.
type Ledger struct {
	journal [page]byte
	entries int
	cents   uint64
}

// Book appends one invoice.
func (l *Ledger) Book(invoice Invoice) {
	chain := fnv.New64a()
	chain.Write(l.journal[:])
	at := l.entries % (page / 16) * 16
	binary.LittleEndian.PutUint64(l.journal[at:], chain.Sum64())
	binary.LittleEndian.PutUint64(l.journal[at+8:], uint64(invoice.OrderID))
	l.entries++
	l.cents += invoice.Cents
}

// Entries is the number of invoices booked so far.
func (l *Ledger) Entries() int { return l.entries }

// Cents is the sum of all invoices booked so far.
func (l *Ledger) Cents() uint64 { return l.cents }
