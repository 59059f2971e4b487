package models

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"scbench/kernels"
)

// encoderTolerance is the absolute tolerance on logits that the golden README states, by model and number of tokens.
var encoderTolerance = map[string]map[int]float64{
	"bert-tokcls": {1: 2e-5, 17: 1e-5, 40: 2e-5, 64: 2e-5, 300: 2e-5},
	"xlmr-tokcls": {1: 2e-5, 17: 1e-5, 40: 1e-5, 64: 1e-5, 300: 2e-5},
}

// TestGoldenEncoders runs every encoder of the golden folder: logits of all lengths, the padded batch (each text by itself), hidden
// states, on one thread and on three, with equal bits.
func TestGoldenEncoders(t *testing.T) {
	ran := 0
	for _, dir := range goldenFolders(t, "goldens.safetensors") {
		name := filepath.Base(dir)
		if !strings.HasSuffix(name, "-tokcls") {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) {
			one, three := openEncoder(t, dir, 1), openEncoder(t, dir, 3)
			g := goldenModel{name: name, tensor: openTensors(t, filepath.Join(dir, "goldens.safetensors"))}
			classify := func(ids, types []int32) []float32 {
				t.Helper()
				got, err := one.Classify(context.Background(), ids, types)
				if err != nil {
					t.Fatal(err)
				}
				if again, err := three.Classify(context.Background(), ids, types); err != nil || !slices.Equal(got, again) {
					t.Errorf("%d tokens: three threads compute other numbers than one: %v", len(ids), err)
				}
				return got
			}
			for _, tensor := range g.tensor.Names() {
				s, ok := strings.CutPrefix(tensor, "input_ids.")
				n, err := strconv.Atoi(s)
				if !ok || err != nil {
					continue
				}
				got := classify(g.ids(t, tensor), nil)
				compare(t, "logits."+s, got, g.floats(t, "logits."+s), encoderTolerance[name][n])
				if _, ok := g.tensor.Tensor("logits_f64." + s); ok {
					compare(t, "logits_f64."+s, got, g.floats(t, "logits_f64."+s), encoderTolerance[name][n])
				}
			}
			_, err := one.forward(context.Background(), g.ids(t, "input_ids.64"), nil, func(layer int, x []float32) {
				compare(t, fmt.Sprintf("hidden64.%d", layer), x, g.floats(t, fmt.Sprintf("hidden64.%d", layer)), stateTolerance)
			})
			if err != nil {
				t.Fatal(err)
			}
			g.padded(t, one.Labels(), classify)
		})
	}
	if ran == 0 {
		t.Skip("there are no encoders in the golden folder")
	}
}

// padded compares the texts of the padded batch, without their padding.
func (g goldenModel) padded(t *testing.T, labels int, classify func(ids, types []int32) []float32) {
	ids, mask, want := g.ids(t, "pad.input_ids"), g.ids(t, "pad.attention_mask"), g.floats(t, "pad.logits")
	var types []int32
	if _, ok := g.tensor.Tensor("pad.token_type_ids"); ok {
		types = g.ids(t, "pad.token_type_ids")
	}
	x, _ := g.tensor.Tensor("pad.input_ids")
	width := x.Shape[1]
	for lo := 0; lo < len(ids); lo += width {
		n := 0
		for n < width && mask[lo+n] == 1 {
			n++
		}
		var own []int32
		if types != nil {
			own = types[lo : lo+n]
		}
		compare(t, fmt.Sprintf("pad.logits, row %d of %d tokens", lo/width, n), classify(ids[lo:lo+n], own), want[lo*labels:(lo+n)*labels], encoderTolerance[g.name][40])
	}
}

func openEncoder(t testing.TB, dir string, threads int) *Classifier {
	t.Helper()
	pool := kernels.NewPool(threads)
	t.Cleanup(pool.Close)
	m, err := OpenClassifier(dir, pool, kernels.PrecisionF32)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}
