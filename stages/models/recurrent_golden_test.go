package models

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scbench/kernels"
	"scbench/stages/engine"
)

// goldenCheckpoint returns the folder to load: dir itself, or for Mamba-2, whose main goldens are those of transformers' port, a folder
// with the same weights and a configuration that says so.
func goldenCheckpoint(t *testing.T, dir string) string {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil || !bytes.Contains(config, []byte(`"Mamba2ForCausalLM"`)) {
		return dir
	}
	out := t.TempDir()
	config = bytes.Replace(config, []byte("{"), []byte(`{"norm_groups": 1,`), 1)
	if err := os.WriteFile(filepath.Join(out, "config.json"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	weights, err := filepath.Abs(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(weights, filepath.Join(out, "model.safetensors")); err != nil {
		t.Skip(err)
	}
	return out
}

// TestGoldenAuthors compares Mamba-2 as published with the authors' own code: each group of channels is normalised by itself.
func TestGoldenAuthors(t *testing.T) {
	for _, dir := range goldenFolders(t, "goldens.safetensors") {
		tensors := openTensors(t, filepath.Join(dir, "goldens.safetensors"))
		if _, ok := tensors.Tensor("mamba_ssm.logits.1"); !ok {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			pool := kernels.NewPool(2)
			defer pool.Close()
			l, err := Load(dir, pool, Choice{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if notes := strings.Join(l.Notes(), "\n"); !strings.Contains(notes, "norm_groups") {
				t.Errorf("notes %q do not tell of the choice", notes)
			}
			g := newGolden(t, l, dir)
			g.prefix = "mamba_ssm."
			t.Run("logits", g.logits)
			t.Run("states", g.states)
			t.Run("greedy", func(t *testing.T) { g.greedy(t, "greedy") })
			g.close(t)
		})
	}
}

// bf16Tolerance is how far logits computed in bf16 may be from those of f32: a share of their spread, and where a router may choose other
// experts, as Jamba's does, as far as those of the reference in bf16 are.
func (g goldenModel) bf16Tolerance(t *testing.T, n int) float64 {
	if _, ok := g.Model.(*Jamba); !ok {
		return bf16Tolerance
	}
	var diff, spread float64
	theirs := g.floats(t, fmt.Sprintf("bf16.logits.%d", min(n, 64)))
	for i, x := range g.floats(t, fmt.Sprintf("logits.%d", min(n, 64))) {
		diff += (theirs[i] - x) * (theirs[i] - x)
		spread += x * x
	}
	return math.Sqrt(diff / spread)
}

// attentionLayer is the number of attention layer i among all layers.
func (g goldenModel) attentionLayer(i int) int {
	if m, ok := g.Model.(*Jamba); ok {
		return slices.IndexFunc(m.blocks, func(b jambaBlock) bool { return b.attention != nil && b.at == i })
	}
	return i
}

// recurrent compares what the recurrent layers remember after the prompts that have goldens of it, and the hidden states of models that
// have no others, whose goldens are numbered otherwise.
func (g goldenModel) recurrent(t *testing.T) {
	for _, n := range []int{64, 300} {
		var hidden [][]float32
		s := g.open()
		if err := g.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: g.ids(t, fmt.Sprintf("input_ids.%d", n)), Hidden: func(_ int, x []float32) {
			hidden = append(hidden, slices.Clone(x))
		}}}); err != nil {
			t.Fatal(err)
		}
		if logical, resident, _ := s.Bytes(); n == 64 && g.Shape().Layers == 0 && (logical != 4*int64(g.Shape().State) || resident != logical) {
			t.Errorf("%d and %d bytes, want those of %d numbers", logical, resident, g.Shape().State)
		}
		tolerance := g.stateTolerance()
		compared := 0
		for l := range g.Config.Layers {
			name := fmt.Sprintf("conv_state%d.%d", n, l)
			if _, ok := g.tensor.Tensor(g.prefix + name); !ok {
				continue
			}
			conv, ssm := g.state(s, l)
			want := g.floats(t, name) // [channels, width]
			width := len(want) / (len(want) - len(conv))
			var last []float64
			for i, x := range want {
				if i%width > 0 {
					last = append(last, x)
				}
			}
			compare(t, name, conv, last, tolerance)
			name = fmt.Sprintf("ssm_state%d.%d", n, l)
			compare(t, name, ssm, g.floats(t, name), tolerance)
			compared++
		}
		if n == 64 && compared == 0 {
			t.Error("no states compared")
		}
		if n == 64 && g.Shape().Layers == 0 {
			for k := range g.Config.Layers + 1 {
				compare(t, fmt.Sprintf("hidden64.%d", k), hidden[k+1], g.floats(t, fmt.Sprintf("hidden64.%d", k)), tolerance)
			}
		}
		s.Release()
	}
}

// state returns what layer l remembers as the goldens have it: one more input of the convolution, which here need not be kept and is not
// compared, and channels first.
func (g goldenModel) state(s *engine.Session, l int) (conv, ssm []float32) {
	var c *shortConv
	var at, size int
	var turn func(h []float32) []float32
	mamba := func(w *mambaMixer) {
		c, size = &w.conv, w.size()
		turn = func(h []float32) []float32 { return transposed(h, w.states, w.inner) }
	}
	switch m := g.Model.(type) {
	case *Mamba:
		mamba(&m.blocks[l].mixer)
		at = l * size
	case *Jamba:
		mamba(m.blocks[l].mixer)
		at = m.blocks[l].at
	case *Mamba2:
		w := &m.blocks[l].mixer
		c, size = &w.conv, w.size()
		at = l * size
		turn = func(h []float32) (out []float32) {
			for i := range w.Heads {
				out = append(out, transposed(h[i*w.State*w.Dim:(i+1)*w.State*w.Dim], w.State, w.Dim)...)
			}
			return out
		}
	}
	state := s.State()[at : at+size]
	return transposed(state[:c.size()], c.width-1, c.channels), turn(state[c.size():])
}
