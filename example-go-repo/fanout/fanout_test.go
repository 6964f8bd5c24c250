package fanout

import (
	"context"
	"errors"
	"testing"
)

func articles(n int) []uint32 {
	articles := make([]uint32, n)
	for i := range articles {
		articles[i] = uint32(i*2654435761 + 1)
	}
	return articles
}

func TestLoadAllKeepsTheOrder(t *testing.T) {
	client := Dial()
	defer client.Close()
	for _, n := range []int{0, 1, 3, 100} {
		levels, err := client.LoadAll(context.Background(), articles(n))
		if err != nil || len(levels) != n {
			t.Fatalf("%d articles: %d levels, error %v", n, len(levels), err)
		}
		for i, article := range articles(n) {
			if want := newConn().load(article); levels[i] != want {
				t.Errorf("article %d: level %d, want %d", i, levels[i], want)
			}
		}
	}
}

func TestLoadAllStopsWithItsContext(t *testing.T) {
	client := Dial()
	defer client.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client.LoadAll(ctx, articles(100)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func BenchmarkLoadAll(b *testing.B) {
	client := Dial()
	defer client.Close()
	wanted := articles(64)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if _, err := client.LoadAll(context.Background(), wanted); err != nil {
			b.Fatal(err)
		}
	}
}
