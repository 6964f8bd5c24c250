//go:build go1.24

package encode

import "testing"

// BenchmarkEncodeLoop is BenchmarkEncode in the form that testing.B has since Go 1.24.
func BenchmarkEncodeLoop(b *testing.B) {
	day := orders(batches * batchSize)
	var e Encoder
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e.Encode(day[i%batches*batchSize:][:batchSize])
	}
}
