// Package encode writes orders in the shop's compact form: records of fields
// separated by tabs, each record a slice of its own that a caller may keep.
package encode

import (
	"strconv"
	"strings"
)

// Order is what is written.
type Order struct {
	ID       int
	Customer string
	Note     string
	Lines    []Line
}

// Line is one article of an order.
type Line struct {
	Article string
	Count   int
	Cents   int
}

// Encoder writes orders. It keeps a buffer between records, so that one goroutine
// at a time may use it.
type Encoder struct {
	buffer []byte
}

// Encode returns the record of every order.
func (e *Encoder) Encode(orders []Order) [][]byte {
	records := make([][]byte, len(orders))
	for i := range orders {
		e.buffer = appendOrder(e.buffer[:0], &orders[i])
		records[i] = append([]byte(nil), e.buffer...)
	}
	return records
}

// appendOrder writes one record behind what is in the buffer.
func appendOrder(buffer []byte, order *Order) []byte {
	buffer = strconv.AppendInt(buffer, int64(order.ID), 10)
	buffer = append(buffer, '\t')
	buffer = append(buffer, order.Customer...)
	buffer = append(buffer, '\t')
	buffer = append(buffer, escape(order.Note)...)
	for _, line := range order.Lines {
		buffer = append(buffer, '\t')
		buffer = append(buffer, line.Article...)
		buffer = append(buffer, '*')
		buffer = strconv.AppendInt(buffer, int64(line.Count), 10)
		buffer = append(buffer, '@')
		buffer = strconv.AppendInt(buffer, int64(line.Cents), 10)
	}
	return append(buffer, '\n')
}

// escape keeps what separates fields and records out of a note.
func escape(note string) string {
	if !strings.ContainsAny(note, "\t\n") {
		return note
	}
	return strings.NewReplacer("\t", " ", "\n", " ").Replace(note)
}
