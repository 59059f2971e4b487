package stages

import (
	"slices"
	"strings"
	"testing"

	"scbench/outputs"
	"scbench/stages/engine"
)

// checkRetention compares where a row says that tokens were kept with how many, and with where its method keeps them.
func checkRetention(t *testing.T, r outputs.Result, s engine.Shape) {
	t.Helper()
	if r.KeptMin == r.PromptTokens || r.Turn > 1 && r.Mode != outputs.SingleTurn {
		if len(r.KeptHeads)+len(r.KeptPlaces) > 0 {
			t.Errorf("%v: kept_heads has %d numbers although nothing is missing or it is no first question", r.Key, len(r.KeptHeads))
		}
		return
	}
	if len(r.KeptHeads) != s.Layers*s.KVHeads || len(r.KeptPlaces) != s.Layers*outputs.KeptParts {
		t.Fatalf("%v: %d heads, %d places for %d layers of %d heads", r.Key, len(r.KeptHeads), len(r.KeptPlaces), s.Layers, s.KVHeads)
	}
	if slices.Min(r.KeptHeads) != r.KeptMin || slices.Max(r.KeptHeads) != r.KeptMax {
		t.Errorf("%v: kept_heads %v, kept %d to %d", r.Key, r.KeptHeads, r.KeptMin, r.KeptMax)
	}
	for layer := range s.Layers {
		heads, places := int32(0), int32(0)
		for _, n := range r.KeptHeads[layer*s.KVHeads:][:s.KVHeads] {
			heads += n
		}
		row := r.KeptPlaces[layer*outputs.KeptParts:][:outputs.KeptParts]
		for _, n := range row {
			places += n
		}
		if heads != places {
			t.Errorf("%v: layer %d keeps %d tokens by head and %d by place", r.Key, layer, heads, places)
		}
		if strings.HasPrefix(r.Method, "streamingllm") && (row[0] == 0 || row[outputs.KeptParts-1] == 0 || row[outputs.KeptParts/2] != 0) {
			t.Errorf("%v: layer %d keeps %v: want the first and the latest tokens", r.Key, layer, row)
		}
	}
}
