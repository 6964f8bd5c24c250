package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func newHandler(tb testing.TB) *Handler {
	tb.Helper()
	header := filepath.Join(tb.TempDir(), "header.html")
	if err := os.WriteFile(header, bytes.Repeat([]byte("<h1>Shop</h1>\n"), 64), 0o600); err != nil {
		tb.Fatal(err)
	}
	h, err := New(NewStore(2048), header)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func order(tb testing.TB, items int) Request {
	tb.Helper()
	var b basket
	for i := 0; i < items; i++ {
		b.Items = append(b.Items, item{Product: i * 37 % 2048, Count: 1 + i%3})
	}
	body, err := json.Marshal(b)
	if err != nil {
		tb.Fatal(err)
	}
	return Request{Customer: "c-1", Body: body}
}

func TestServeAnswersABasketWithItsLinesAndItsSum(t *testing.T) {
	h := newHandler(t)
	response := h.Serve(context.Background(), order(t, 3))
	if response.Status != 200 {
		t.Fatalf("status %d: %s", response.Status, response.Page)
	}
	for _, want := range []string{"<h1>Shop</h1>", `"article 37"</td><td>2</td><td>1.37`, "<p>8.96</p>"} {
		if !bytes.Contains(response.Page, []byte(want)) {
			t.Errorf("the page does not contain %q:\n%s", want, response.Page)
		}
	}
	if h.store.Queries() != 1 {
		t.Errorf("one request made %d queries", h.store.Queries())
	}
}

func TestServeRefusesWhatItCannotAnswer(t *testing.T) {
	h := newHandler(t)
	for body, want := range map[string]int{
		"{":                          400,
		`{"items":[]}`:               400,
		`{"items":[{"product":9}]}`:  200,
		`{"items":[{"product":-1}]}`: 404,
	} {
		if got := h.Serve(context.Background(), Request{Body: []byte(body)}).Status; got != want {
			t.Errorf("body %s: status %d, want %d", body, got, want)
		}
	}
}

func TestNewNeedsTheHeader(t *testing.T) {
	if _, err := New(NewStore(1), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a handler without its header")
	}
}

func BenchmarkHandler(b *testing.B) {
	for _, size := range []struct {
		name  string
		items int
	}{
		{"small", 24},
		{"large", 64},
	} {
		b.Run(size.name, func(b *testing.B) {
			h, request := newHandler(b), order(b, size.items)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i++ {
				if got := h.Serve(context.Background(), request); got.Status != 200 {
					b.Fatal(got.Status)
				}
			}
		})
	}
}
