package models

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"scbench/kernels"
)

// heap is the Go heap in use, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestRandomOnce: of a random model, memory has the packed weights, which are off the heap, and of the tensors themselves only the
// embeddings, which are looked up. Nothing is kept in a folder for packed weights, however large the model.
func TestRandomOnce(t *testing.T) {
	s := randomLlama("once", 4, 256, 4, 2, 64, 704, 512)
	packs := filepath.Join(t.TempDir(), "packs")
	before := heap()
	m, err := Random(s, nil, Choice{Precision: kernels.PrecisionBF16, PackCache: packs, packAll: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, size := m.Weights.Size()
	if size != 2*s.Params() {
		t.Errorf("%d bytes of %d weights of bf16", size, s.Params())
	}
	if got := heap() - before; got > size/3 {
		t.Errorf("%d bytes of the heap are a model's of %d bytes", got, size)
	}
	if _, err := os.Stat(packs); !os.IsNotExist(err) {
		t.Errorf("random weights were kept: %v", err)
	}
	macs, read := m.Products()
	if want := s.Params() - 9*256; macs != want || read != 2*want { // tied embeddings count once, as output layer; norms are no products
		t.Errorf("a token takes %d multiply-adds and %d bytes, want %d and %d", macs, read, want, 2*want)
	}
}

// TestRandomAgain: a tensor that was forgotten is drawn again as it was, by any number of threads.
func TestRandomAgain(t *testing.T) {
	pool := kernels.NewPool(3)
	defer pool.Close()
	s := RandomShapes[0]
	a, b := s.weights(nil), s.weights(pool)
	for _, name := range a.Names() {
		x, err := a.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		first := slices.Clone(x.Data)
		a.Forget(name)
		again, _ := a.Tensor(name)
		other, _ := b.Tensor(name)
		if &again.Data[0] == &x.Data[0] || !bytes.Equal(first, again.Data) || !bytes.Equal(first, other.Data) {
			t.Errorf("%s: not drawn again as it was", name)
		}
	}
	p, _ := a.Hash()
	if q, err := b.Hash(); err != nil || p != q {
		t.Errorf("hashes %s and %s, %v", p, q, err)
	}
}

// TestProductsUntied: an embedding that is looked up takes part in no product, and experts do that a token goes to.
func TestProductsUntied(t *testing.T) {
	s := randomLlama("untied", 2, 64, 2, 1, 32, 96, 128)
	s.config["tie_word_embeddings"] = false
	tied := s.tensors
	s.tensors = func(add func(string, ...int)) {
		tied(add)
		add("lm_head.weight", 128, 64)
	}
	m, err := Random(s, nil, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	macs, _ := m.Products()
	if want := s.Params() - 128*64 - 5*64; macs != want {
		t.Errorf("a token takes %d multiply-adds, want %d", macs, want)
	}
	for _, s := range RandomShapes {
		if s.Name != "tiny-jamba" {
			continue
		}
		m, err := Random(s, nil, Choice{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if macs, _ := m.Products(); m.Idle() == 0 || macs >= s.Params()-m.Idle() || macs < (s.Params()-m.Idle())*9/10 {
			t.Errorf("a token takes %d multiply-adds of %d weights, %d of them idle", macs, s.Params(), m.Idle())
		}
	}
}
