package models

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"scbench/kernels"
	"scbench/stages/tokenizers"
)

// roundedShare bounds what rounding decoded weights to float16 changes in logits, as a share of their spread: 2^-12 of each at most, which
// the layers make some 10^-3 of. llama.cpp's own products of quantised weights are 20 times as far from the decoded ones.
const roundedShare = 5e-3

// TestGGUFLlamaCpp: a file that llama.cpp wrote gives its logits and its token ids. See testdata/README.md.
func TestGGUFLlamaCpp(t *testing.T) {
	const path = "testdata/llamacpp-q4_k_m.gguf"
	var want struct {
		IDs    []int32
		Logits []float32
		Texts  []struct {
			Text string
			IDs  []int32
		}
	}
	raw, err := os.ReadFile("testdata/llamacpp-q4_k_m.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	pool := kernels.NewPool(2)
	defer pool.Close()
	l, err := Load(path, pool, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := allLogits(t, l, want.IDs)
	share := spread(got[len(got)-len(want.Logits):], want.Logits)
	t.Logf("logits differ by %.2g of their spread", share)
	if len(want.Logits) != l.Shape().Vocab || !(share <= roundedShare) {
		t.Errorf("logits differ from llama.cpp's by %.2g of their spread, more than %g", share, roundedShare)
	}
	tk, err := tokenizers.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range want.Texts {
		if ids, err := tk.Encode(c.Text, true); err != nil || !slices.Equal(ids, c.IDs) {
			t.Errorf("%q is %v (%v), llama.cpp has %v", c.Text, ids, err, c.IDs)
		}
	}
	chat, err := tokenizers.LoadChat(path)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := chat.Render([]tokenizers.Message{{Role: "user", Content: "hi"}}, true); err != nil || text != "<|begin|>hi<|end|>" {
		t.Errorf("%q, %v", text, err)
	}
}
