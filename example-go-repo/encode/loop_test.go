//go:build go1.24

package encode

import "testing"

// BenchmarkEncodeLoop is BenchmarkEncode in the form that testing.B has since Go 1.24.
func BenchmarkEncodeLoop(b *testing.B) {
	batch := orders(256)
	var e Encoder
	b.ReportAllocs()
	for b.Loop() {
		e.Encode(batch)
	}
}
