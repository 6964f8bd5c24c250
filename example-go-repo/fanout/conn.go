package fanout

import (
	"encoding/binary"
	"hash/crc32"
)

// frame is the size of one answer of the warehouse.
const frame = 4 << 10

// koopman is the polynomial that the warehouse speaks. No processor has it in hardware.
var koopman = crc32.MakeTable(crc32.Koopman)

// conn is one connection. One goroutine at a time may use it.
type conn struct {
	frame [frame]byte
}

func newConn() *conn {
	c := &conn{}
	for i := range c.frame {
		c.frame[i] = byte(i * 7)
	}
	return c
}

// load asks for one article and checks the answer, which is what takes the time.
func (c *conn) load(article uint32) uint32 {
	binary.LittleEndian.PutUint32(c.frame[:], article)
	return crc32.Checksum(c.frame[:], koopman) % 1000
}
