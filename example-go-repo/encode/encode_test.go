package encode

import (
	"fmt"
	"testing"
)

// A day has this many batches. They stay in memory, as in the service, so that
// the garbage collector has something to mark.
const batches, batchSize = 8, 128

func orders(n int) []Order {
	orders := make([]Order, n)
	for i := range orders {
		orders[i] = Order{ID: i, Customer: fmt.Sprintf("customer-%d", i%17), Note: notes[i%len(notes)]}
		for line := 0; line < 10; line++ {
			orders[i].Lines = append(orders[i].Lines, Line{
				Article: fmt.Sprintf("article-%03d", (i*5+line*3)%101), Count: 1 + line, Cents: 199 + i,
			})
		}
	}
	return orders
}

var notes = []string{
	"leave at the door", "", "ring twice\nthen wait", "gift, no invoice in the box",
	"second floor", "", "call first", "neighbour takes it",
}

func TestEncodeWritesOneRecordForEachOrder(t *testing.T) {
	var e Encoder
	records := e.Encode([]Order{
		{ID: 7, Customer: "ada", Note: "a\tb\nc", Lines: []Line{{"tea", 2, 350}, {"rice", 1, 199}}},
		{ID: 8, Customer: "bob", Note: "soon"},
	})
	want := []string{"7\tada\ta b c\ttea*2@350\trice*1@199\n", "8\tbob\tsoon\n"}
	for i := range want {
		if string(records[i]) != want[i] {
			t.Errorf("record %d is %q, want %q", i, records[i], want[i])
		}
	}
}

func TestDictionaryKnowsAWordTheSecondTime(t *testing.T) {
	d := NewDictionary()
	var text []byte
	for _, word := range []string{"tea", "rice", "tea"} {
		text = d.Append(text, word)
	}
	if want := "\x00\x03tea\x00\x04rice\x01"; string(text) != want || d.Hits() != 1 {
		t.Errorf("wrote %q with %d hits, want %q with 1", text, d.Hits(), want)
	}
}

func BenchmarkEncode(b *testing.B) {
	day := orders(batches * batchSize)
	var e Encoder
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		batch := day[i%batches*batchSize:][:batchSize]
		if got := e.Encode(batch); len(got) != batchSize {
			b.Fatal(len(got))
		}
	}
}

func BenchmarkDictionary(b *testing.B) {
	batch := orders(batchSize)
	hits := 0
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		d := NewDictionary()
		var text []byte
		for _, order := range batch {
			text = d.Append(text, order.Customer)
			for _, line := range order.Lines {
				text = d.Append(text, line.Article)
			}
		}
		hits += d.Hits()
	}
	b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
}
