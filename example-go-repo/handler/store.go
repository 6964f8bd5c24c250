package handler

import (
	"fmt"
	"hash/fnv"
	"sync/atomic"
)

// A page of the store holds this many products in this many bytes.
const (
	perPage  = 8
	pageSize = 2 << 10
)

// Product is what a shop sells.
type Product struct {
	Name  string
	Cents int
}

// Store keeps the products in checksummed pages. It is safe for concurrent use.
type Store struct {
	pages   []page
	queries atomic.Uint64
}

type page struct {
	data     [pageSize]byte
	checksum uint64
	products [perPage]Product
}

// Query is one read of the store.
type Query struct {
	store *Store
}

// NewStore returns a store with the given number of products.
func NewStore(products int) *Store {
	store := &Store{pages: make([]page, (products+perPage-1)/perPage)}
	for i := range store.pages {
		p := &store.pages[i]
		for at := range p.data {
			p.data[at] = byte(i + at)
		}
		for slot := range p.products {
			id := i*perPage + slot
			p.products[slot] = Product{Name: fmt.Sprintf("article %d", id), Cents: 100 + id%900}
		}
		p.checksum = p.sum()
	}
	return store
}

// Query begins a read.
func (s *Store) Query() Query {
	s.queries.Add(1)
	return Query{store: s}
}

// Queries is how many reads the store has seen.
func (s *Store) Queries() uint64 { return s.queries.Load() }

// Product reads one product and verifies the page it stands on.
func (q Query) Product(id int) (Product, error) {
	if id < 0 || id >= len(q.store.pages)*perPage {
		return Product{}, fmt.Errorf("no product %d", id)
	}
	p := &q.store.pages[id/perPage]
	if p.sum() != p.checksum {
		return Product{}, fmt.Errorf("page %d is damaged", id/perPage)
	}
	return p.products[id%perPage], nil
}

func (p *page) sum() uint64 {
	sum := fnv.New64a()
	sum.Write(p.data[:])
	return sum.Sum64()
}
