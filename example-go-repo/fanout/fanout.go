// Package fanout loads many stock levels at once over a few connections.
package fanout

import (
	"context"
	"sync"
	"sync/atomic"
)

// connections is how many connections the warehouse allows us.
const connections = 4

// Client talks to the warehouse.
type Client struct {
	idle chan *conn
}

// Dial opens all connections.
func Dial() *Client {
	client := &Client{idle: make(chan *conn, connections)}
	for i := 0; i < connections; i++ {
		client.idle <- newConn()
	}
	return client
}

// Close gives the connections back. No load may be under way.
func (c *Client) Close() {
	for i := 0; i < connections; i++ {
		<-c.idle
	}
}

// LoadAll returns the stock levels of all articles, in their order, or the first
// error of the context. There are never more goroutines than connections.
func (c *Client) LoadAll(ctx context.Context, articles []uint32) ([]uint32, error) {
	levels := make([]uint32, len(articles))
	var next atomic.Int64
	var loaders sync.WaitGroup
	for i := 0; i < min(connections, len(articles)); i++ {
		loaders.Add(1)
		go func() {
			defer loaders.Done()
			conn := <-c.idle
			defer func() { c.idle <- conn }()
			for ctx.Err() == nil {
				at := int(next.Add(1)) - 1
				if at >= len(articles) {
					return
				}
				levels[at] = conn.load(articles[at])
			}
		}()
	}
	loaders.Wait()
	return levels, ctx.Err()
}
