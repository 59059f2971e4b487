package models

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// TestPacks starts a model three times with a folder for packed weights: packing, mapping, and after a byte of the file was
// changed. The logits are the same, and the file is written when it must be.
func TestPacks(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, Reference()); err != nil {
		t.Fatal(err)
	}
	packsTwice(t, dir)
}

// packsTwice does that with the checkpoint in a folder.
func packsTwice(t *testing.T, from string) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	choice := Choice{Precision: kernels.PrecisionBF16, PackCache: filepath.Join(dir, "packs"), packAll: true}
	logits := func() []float32 {
		m, err := Load(dir, nil, choice)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		store := kv.NewStore(memory.NewGoAllocator(), m.PageFormat(), m.Shape().Dim, 0)
		s := engine.NewSession(m.Shape(), store, engine.Policy{})
		defer s.Release()
		out := make([]float32, m.Shape().Vocab)
		if err := m.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: []int32{1, 2, 3, 4, 5}, Logits: out}}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	file := func() (string, []byte) {
		found, err := filepath.Glob(filepath.Join(dir, "packs", "*.packed"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%d files of packed weights, %v", len(found), err)
		}
		b, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		return found[0], b
	}
	want := logits()
	path, first := file()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(logits(), want) {
		t.Error("weights of the file give other logits")
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was written again: %v", err)
	}
	damaged := slices.Clone(first)
	damaged[len(damaged)/2] ^= 4
	if err := os.WriteFile(path, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(logits(), want) {
		t.Error("damaged packed weights were used")
	}
	if _, b := file(); !slices.Equal(b, first) {
		t.Error("the damaged file was not replaced by a good one")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "packs", ".packed-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
