package methods

import (
	"bytes"
	"encoding"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// stored has specifications of methods that observe the first prompt, one for each kind of observer and of its settings.
var stored = []string{
	"h2o:budget=64",
	"expectedattention:budget=64",
	"duoattention:sinks=4,recent=32",
	"infllm:init=8,local=50",
	"retrievalattention:sample=16",
}

// written is the state of an observer.
func written(t testing.TB, o kv.Observer) []byte {
	t.Helper()
	data, err := o.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestObserverState wants observers to go on from a state as if they had seen it all, to say the same of it, and to refuse what is
// cut short, goes on, or is of another version.
func TestObserverState(t *testing.T) {
	for _, spec := range stored {
		t.Run(spec, func(t *testing.T) {
			c := newChat(t, 1)
			p := c.policy(spec)
			feed := func(s *engine.Session, rows int) {
				if err := (noise{c.pool}).Forward(t.Context(), []engine.Chunk{{Session: s, Tokens: make([]int32, rows)}}); err != nil {
					t.Fatal(err)
				}
			}
			whole := engine.NewSession(conformanceShape, c.store, p)
			defer whole.Release()
			feed(whole, promptRows)
			s := engine.NewSession(conformanceShape, c.store, p)
			defer s.Release()
			for _, rows := range []int{0, 2, 131, promptRows - 133} {
				if rows > 0 {
					feed(s, rows)
				}
				for i, l := range s.Layers {
					restored(t, i, l, p.Observe[0])
				}
			}
			for i := range s.Layers {
				a, b := written(t, whole.Layers[i].Observer(p.Observe[0].Name)), written(t, s.Layers[i].Observer(p.Observe[0].Name))
				if !bytes.Equal(a, b) || len(a) < 100 {
					t.Errorf("layer %d: a state of %d bytes, and another of %d without a stop", i, len(b), len(a))
				}
			}
		})
	}
}

// TestObserversAreStored wants every method's observers to write their states.
func TestObserversAreStored(t *testing.T) {
	c := newChat(t, 1)
	for _, m := range All {
		for _, spec := range conforming[m.Name].small {
			for _, o := range c.policy(spec).Observe {
				if _, ok := o.New(0).(interface {
					encoding.BinaryMarshaler
					encoding.BinaryUnmarshaler
				}); !ok {
					t.Errorf("%s: the observer %q cannot be kept in the prefix cache", spec, o.Name)
				}
			}
		}
	}
}

// restored puts in the place of a layer's observer one that has read its state.
func restored(t *testing.T, layer int, l *kv.Layer, what engine.Observation) {
	t.Helper()
	data := written(t, l.Observer(what.Name))
	for name, bad := range map[string][]byte{"nothing": {}, "its beginning": data[:len(data)-1], "more": append(slices.Clone(data), 0), "another version": append([]byte{stateVersion + 1}, data[1:]...)} {
		if err := what.New(layer).(encoding.BinaryUnmarshaler).UnmarshalBinary(bad); err == nil {
			t.Errorf("a state of %d bytes is read from %s", len(data), name)
		}
	}
	o := l.Observer(what.Name).Fork() // what it has seen before does not count
	if err := o.(encoding.BinaryUnmarshaler).UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if again := written(t, o); !bytes.Equal(again, data) {
		t.Errorf("a state of %d bytes is written again with %d", len(data), len(again))
	}
	l.Unwatch()
	l.Watch(what.Name, o)
}

// FuzzObserverState wants no bytes to upset an observer, and those that it takes to be what it would write.
func FuzzObserverState(f *testing.F) {
	pool := kernels.NewPool(1)
	defer pool.Close()
	kinds := []func() kv.Observer{
		func() kv.Observer { return &received{} }, func() kv.Observer { return &nearby{init: 4, local: 8} }, func() kv.Observer { return newSample(4) },
		func() kv.Observer { return &queries{shape: conformanceShape} }, func() kv.Observer { return &queries{shape: conformanceShape, covariance: true} },
	}
	store := kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, conformanceShape.Dim, 0)
	for i, fresh := range kinds {
		f.Add(byte(i), written(f, fresh()))
		s := engine.NewSession(conformanceShape, store, engine.Policy{Observe: []engine.Observation{{Name: "it", New: func(int) kv.Observer { return fresh() }}}})
		if err := (noise{pool}).Forward(f.Context(), []engine.Chunk{{Session: s, Tokens: make([]int32, 7)}}); err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), written(f, s.Layers[0].Observer("it")))
		s.Release()
	}
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		o := kinds[int(kind)%len(kinds)]()
		if o.(encoding.BinaryUnmarshaler).UnmarshalBinary(data) != nil {
			return
		}
		if again := written(t, o); !bytes.Equal(again, data) {
			t.Errorf("%x is read as what is written as %x", data, again)
		}
	})
}
