// Package handler answers requests for baskets. Every request is a task of the
// execution trace, and its three steps are regions: parse, db and render.
package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/trace"
	"strconv"
)

// Request is what a customer sends.
type Request struct {
	Customer string
	Body     []byte
}

// Response is what the customer gets back.
type Response struct {
	Status int
	Page   []byte
}

// Handler answers requests. It is safe for concurrent use.
type Handler struct {
	store *Store
	head  []byte
}

type basket struct {
	Items []item `json:"items"`
}

type item struct {
	Product int `json:"product"`
	Count   int `json:"count"`
}

type line struct {
	item
	product Product
}

var errEmpty = errors.New("the basket is empty")

// New returns a handler that reads products from the store and puts the file
// header on top of every page.
func New(store *Store, header string) (*Handler, error) {
	head, err := os.ReadFile(header)
	if err != nil {
		return nil, fmt.Errorf("no page without its header: %w", err)
	}
	return &Handler{store: store, head: head}, nil
}

// Serve answers one request.
func (h *Handler) Serve(ctx context.Context, request Request) Response {
	ctx, task := trace.NewTask(ctx, "request")
	defer task.End()
	trace.Log(ctx, "customer", request.Customer)

	basket, err := parse(ctx, request.Body)
	if err != nil {
		trace.Log(ctx, "error", err.Error())
		return Response{Status: 400, Page: []byte(err.Error())}
	}
	lines, err := h.lookUp(ctx, basket)
	if err != nil {
		trace.Log(ctx, "error", err.Error())
		return Response{Status: 404, Page: []byte(err.Error())}
	}
	return Response{Status: 200, Page: h.render(ctx, lines)}
}

// parse reads the body of a request.
func parse(ctx context.Context, body []byte) (basket, error) {
	defer trace.StartRegion(ctx, "parse").End()
	var b basket
	if err := json.Unmarshal(body, &b); err != nil {
		return basket{}, err
	}
	if len(b.Items) == 0 {
		return basket{}, errEmpty
	}
	return b, nil
}

// lookUp finds the products of a basket.
func (h *Handler) lookUp(ctx context.Context, basket basket) ([]line, error) {
	defer trace.StartRegion(ctx, "db").End()
	lines := make([]line, 0, len(basket.Items))
	query := h.store.Query()
	for _, item := range basket.Items {
		product, err := query.Product(item.Product)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{item: item, product: product})
	}
	return lines, nil
}

// render writes the page.
func (h *Handler) render(ctx context.Context, lines []line) []byte {
	defer trace.StartRegion(ctx, "render").End()
	page := make([]byte, 0, len(h.head)+128*len(lines))
	page = append(page, h.head...)
	page = append(page, "<table>\n"...)
	sum := 0
	for _, line := range lines {
		page = append(page, "<tr><td>"...)
		page = strconv.AppendQuote(page, line.product.Name)
		page = append(page, "</td><td>"...)
		page = strconv.AppendInt(page, int64(line.Count), 10)
		page = append(page, "</td><td>"...)
		page = strconv.AppendFloat(page, float64(line.product.Cents)/100, 'f', 2, 64)
		page = append(page, "</td></tr>\n"...)
		sum += line.Count * line.product.Cents
	}
	page = append(page, "</table>\n<p>"...)
	page = strconv.AppendFloat(page, float64(sum)/100, 'f', 2, 64)
	return append(page, "</p>\n"...)
}
