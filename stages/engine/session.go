package engine

import (
	"errors"
	"fmt"

	"scbench/kernels"
	"scbench/stages/kv"
)

// Session is one conversation on one model. It is used by one goroutine at a time.
type Session struct {
	Tokens []int32     // all tokens of the conversation, those that compression dropped included
	Layers []*kv.Layer // one per attention layer
	Policy Policy
	Cost   Cost // what Forward spent on this session since it was opened or forked
	// AttendSeconds is processor time of attention alone, all threads together, since the session was opened or forked.
	AttendSeconds float64

	// RopeLength is the length whose frequencies all rows get from a RoPE that depends on the length; 0: that of each pass.
	RopeLength int

	settled bool // the first prompt is over
}

// Cost counts what attention did for a session.
type Cost struct {
	Cells      int64 // query-key products computed
	DenseCells int64 // those that full attention over all tokens seen would compute
	Stored     int64 // those that reading everything stored would compute
	ReadBytes  int64 // bytes of keys and values, and of the index, that the rows read, each row on its own
	Rows       int64 // rows computed
}

// Add returns the sum of two costs.
func (c Cost) Add(d Cost) Cost {
	return Cost{c.Cells + d.Cells, c.DenseCells + d.DenseCells, c.Stored + d.Stored, c.ReadBytes + d.ReadBytes, c.Rows + d.Rows}
}

// NewSession opens an empty conversation. window is the number of last rows whose queries branches may want to observe:
// the largest Window of the policies that will be forked from it.
func NewSession(s Shape, store *kv.Store, p Policy, window int) *Session {
	ses := &Session{Policy: p, Layers: make([]*kv.Layer, s.Layers)}
	for i := range ses.Layers {
		ses.Layers[i] = kv.NewLayer(store, s.KVHeads, window)
	}
	return ses
}

// Fork returns a branch that shares everything computed so far and goes on under policy p. Its costs start at zero.
func (s *Session) Fork(p Policy) *Session {
	f := &Session{Tokens: s.Tokens[:len(s.Tokens):len(s.Tokens)], Policy: p, Layers: make([]*kv.Layer, len(s.Layers)), RopeLength: s.RopeLength, settled: s.settled}
	for i, l := range s.Layers {
		f.Layers[i] = l.Fork()
	}
	return f
}

// Release gives the session's memory back. Forks of it live on. Releasing twice is harmless.
func (s *Session) Release() {
	for _, l := range s.Layers {
		l.Release()
	}
	s.Layers = nil
}

// Settle ends the first prompt: the policy's compression is carried out and its index built. Rows that follow are
// dense over what is stored, or as Load says. On an error the session must be released. See Engine.Settle.
func (s *Session) Settle(pool *kernels.Pool) error {
	s.settled = true
	errs := make([]error, len(s.Layers))
	pool.Run(len(s.Layers), func(i int) { errs[i] = s.settle(i) })
	return errors.Join(errs...)
}

func (s *Session) settle(layer int) error {
	l := s.Layers[layer]
	w := l.Window()
	if want := min(s.Policy.Window, len(s.Tokens)); w.Rows < want {
		panic(fmt.Sprintf("engine: %s wants the queries of %d rows; the session was opened to remember %d", s.Policy.Name, want, w.Rows))
	}
	if s.Policy.Compress != nil {
		if err := l.Apply(s.Policy.Compress(layer, l, w)); err != nil {
			return err
		}
	}
	if s.Policy.Index != nil {
		l.SetIndex(s.Policy.Index(layer, l, w))
	}
	l.Seal()
	return nil
}

// Kept is the smallest, mean and largest number of tokens that a head of a layer holds.
func (s *Session) Kept() (least int, mean float64, most int) {
	n, sum := 0, 0
	for i, l := range s.Layers {
		for h := range l.Heads() {
			k := l.Slots(h)
			if least = min(least, k); i == 0 && h == 0 {
				least = k
			}
			most = max(most, k)
			sum += k
			n++
		}
	}
	if n > 0 {
		mean = float64(sum) / float64(n)
	}
	return least, mean, most
}

// Bytes is the memory of the session's cache: logical, what full attention would store for its tokens; resident,
// what its tokens take now, index included; shared, the part of resident that is the prefilled prompt itself and not a copy: all
// branches of that prompt hold it together, once.
func (s *Session) Bytes() (logical, resident, shared int64) {
	for _, l := range s.Layers {
		logical += int64(len(s.Tokens)) * int64(l.Heads()) * l.TokenBytes()
		resident += l.Bytes()
		shared += l.SharedBytes()
	}
	return logical, resident, shared
}
