package pool

import (
	"hash/fnv"
	"sync"
)

// shards is how many locks the cache spreads its keys over.
const shards = 64

// Cache keeps the price lists of products. It is safe for concurrent use: each
// shard has a lock of its own, and reading one product does not hold up another.
type Cache struct {
	shards [shards]shard
}

type shard struct {
	mu    sync.Mutex
	lists map[string][]byte
}

// NewCache returns an empty cache.
func NewCache() *Cache {
	cache := &Cache{}
	for i := range cache.shards {
		cache.shards[i].lists = make(map[string][]byte)
	}
	return cache
}

// Put stores the price list of a product.
func (c *Cache) Put(product string, list []byte) {
	s := c.shard(product)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists[product] = list
}

// Price looks a product up and verifies its list. The list stays locked while it
// is read, because Put may replace it.
func (c *Cache) Price(product string) (cents uint64, ok bool) {
	s := c.shard(product)
	s.mu.Lock()
	defer s.mu.Unlock()
	list, ok := s.lists[product]
	if !ok {
		return 0, false
	}
	sum := fnv.New64a()
	sum.Write(list)
	return sum.Sum64() % 100_000, true
}

// shard is where a product lives.
func (c *Cache) shard(product string) *shard {
	key := fnv.New32a()
	key.Write([]byte(product))
	return &c.shards[key.Sum32()%shards]
}
