package models

import (
	"context"
	"fmt"
	"math"
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
			one, three := openEncoder(t, dir, 1, kernels.PrecisionF32), openEncoder(t, dir, 3, kernels.PrecisionF32)
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
			t.Run("bf16", func(t *testing.T) { g.encoderBF16(t, dir) })
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

// encoderBF16 compares logits computed in bf16.
func (g goldenModel) encoderBF16(t *testing.T, dir string) {
	if !slices.Contains(kernels.Precisions(), kernels.PrecisionBF16) {
		t.Skipf("not run: the %s kernels have no bf16", kernels.Tier())
	}
	one, three := openEncoder(t, dir, 1, kernels.PrecisionBF16), openEncoder(t, dir, 3, kernels.PrecisionBF16)
	ids, want := g.ids(t, "input_ids.300"), g.floats(t, "logits.300")
	got, err1 := one.Classify(context.Background(), ids, nil)
	again, err2 := three.Classify(context.Background(), ids, nil)
	if err1 != nil || err2 != nil || !slices.Equal(got, again) {
		t.Fatalf("three threads compute other numbers than one, or %v, %v", err1, err2)
	}
	var diff, spread float64
	for i, x := range want {
		diff += (float64(got[i]) - x) * (float64(got[i]) - x)
		spread += x * x
	}
	if share := math.Sqrt(diff / spread); !(share <= bf16Tolerance) || share == 0 {
		t.Errorf("bf16 differs by %.2g of the logits' spread, more than %g, or not at all", share, bf16Tolerance)
	}
}

func openEncoder(t testing.TB, dir string, threads int, p kernels.Precision) *Classifier {
	t.Helper()
	pool := kernels.NewPool(threads)
	t.Cleanup(pool.Close)
	m, err := OpenClassifier(dir, pool, p)
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
