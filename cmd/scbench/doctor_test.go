package main

import (
	"fmt"
	"testing"

	"scbench/stages/engine"
)

// TestCacheRows wants what fits to be told of models with attention, with recurrent layers, and with both.
func TestCacheRows(t *testing.T) {
	attention := engine.Shape{Layers: 2, Heads: 4, KVHeads: 2, Dim: 8, MaxTokens: 1000}
	recurrent := engine.Shape{State: 250, MaxTokens: 1 << 31}
	hybrid := attention
	hybrid.State = 250
	for _, c := range []struct {
		shape       engine.Shape
		token       int64
		layers, all string
	}{
		{attention, 100, "3 layers, 4 query heads, 2 KV heads of 8", "[[context 1000 tokens at most] [KV cache 0.1 KiB a token in f32, 97.7 KiB for the longest context] [room for 10 contexts of that length, or 10000 tokens of full attention, in half of the free memory]]"},
		{recurrent, 0, "3 layers, 3 of them recurrent", "[[state 1.0 KiB a conversation, however long it is] [room for 1000 conversations, in half of the free memory]]"},
		{hybrid, 100, "3 layers, 1 of them recurrent, 4 query heads, 2 KV heads of 8", "[[context 1000 tokens at most] [KV cache 0.1 KiB a token in f32, 97.7 KiB for the longest context] [state 1.0 KiB a conversation, however long it is] [room for 9 contexts of that length, or 10000 tokens of full attention, in half of the free memory]]"},
	} {
		if got := layersText(3, c.shape); got != c.layers {
			t.Errorf("layers %q, want %q", got, c.layers)
		}
		if got := fmt.Sprint(cacheRows(c.shape, "f32", c.token, 2e6)); got != c.all {
			t.Errorf("cache\n%s, want\n%s", got, c.all)
		}
	}
}
