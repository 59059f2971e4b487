package engine

import (
	"errors"
	"fmt"
	"slices"

	"scbench/kernels"
	"scbench/stages/kv"
)

// Session is one conversation on one model. It is used by one goroutine at a time.
type Session struct {
	Tokens []int32     // all tokens of the conversation, those that compression dropped included
	Layers []*kv.Layer // one per attention layer
	Policy Policy
	Cost   Cost // what was spent on this session since it was opened or forked, by Forward and by Settle
	// AttendSeconds is processor time of attention alone, all threads together, since the session was opened or forked.
	AttendSeconds float64

	// RopeLength is the length whose frequencies all rows get from a RoPE that depends on the length; 0: that of each pass.
	RopeLength int

	// Pages is what the first prompt's rows have cost since it began, by the pages of kernels.PageTokens tokens that they fall into.
	Pages []Cost

	store   *kv.Store
	state   *kv.State // of the recurrent layers; nil: none, or no tokens yet
	states  int       // its numbers
	prefill bool      // the state is that of the prefilled prompt itself

	settled bool // the first prompt is over
	missing int  // by how much positions are behind the number of tokens, since an edit has renumbered those that stayed
	watch   []watched
}

// watched is an observation of a session, with the seconds that it took since the session was opened or forked.
type watched struct {
	name    string
	seconds float64
}

// Cost counts what attention did for a session.
type Cost struct {
	Cells      int64 // query-key products computed
	DenseCells int64 // those that full attention over all tokens seen would compute
	Stored     int64 // those that reading everything stored would compute
	ReadBytes  int64 // bytes of keys and values, of the index, and of the state of recurrent layers that the rows read, each row on its own
	Rows       int64 // tokens
	Fresh      int64 // those of them that were computed in all layers; the others' keys and values are those of chunks
}

// Add returns the sum of two costs.
func (c Cost) Add(d Cost) Cost {
	return Cost{c.Cells + d.Cells, c.DenseCells + d.DenseCells, c.Stored + d.Stored, c.ReadBytes + d.ReadBytes, c.Rows + d.Rows, c.Fresh + d.Fresh}
}

// Sub returns the difference of two costs.
func (c Cost) Sub(d Cost) Cost {
	return Cost{c.Cells - d.Cells, c.DenseCells - d.DenseCells, c.Stored - d.Stored, c.ReadBytes - d.ReadBytes, c.Rows - d.Rows, c.Fresh - d.Fresh}
}

// NewSession opens an empty conversation under policy p. It remembers and watches what p and those that will be forked from it,
// branches, want to have seen of the first prompt.
func NewSession(s Shape, store *kv.Store, p Policy, branches ...Policy) *Session {
	ses := &Session{Policy: p, Layers: make([]*kv.Layer, s.Layers), store: store, states: s.State}
	window := p.Window
	for _, b := range branches {
		window = max(window, b.Window)
	}
	for i := range ses.Layers {
		ses.Layers[i] = kv.NewLayer(store, s.KVHeads, window)
	}
	for _, b := range append([]Policy{p}, branches...) {
		ses.Watch(b.Observe)
	}
	return ses
}

// Watch adds observers to what they see of the rows that follow.
func (s *Session) Watch(list []Observation) {
	for _, o := range list {
		if slices.ContainsFunc(s.watch, func(w watched) bool { return w.name == o.Name }) {
			continue
		}
		s.watch = append(s.watch, watched{name: o.Name})
		for i, l := range s.Layers {
			l.Watch(o.Name, o.New(i))
		}
	}
}

// Unwatch lets all observers go: a fork that Revise feeds is nobody else's to see.
func (s *Session) Unwatch() {
	s.watch = nil
	for _, l := range s.Layers {
		l.Unwatch()
	}
}

// Watched names what is observed.
func (s *Session) Watched() []string {
	var names []string
	for _, w := range s.watch {
		names = append(names, w.name)
	}
	return names
}

// WatchSeconds is the time that observers took for what policy p observes, since the session was opened or forked.
func (s *Session) WatchSeconds(p Policy) float64 {
	var sum float64
	for _, w := range s.watch {
		if p.observes(w.name) {
			sum += w.seconds
		}
	}
	return sum
}

// watchSeconds is the time of all observers together.
func (s *Session) watchSeconds() (sum float64) {
	for _, w := range s.watch {
		sum += w.seconds
	}
	return sum
}

// Spend adds to the cost of a session work of its policy beside its tokens' own, as Revise's: all but the dense cells, those of the tokens
// alone, so that there may be more cells than dense ones.
func (s *Session) Spend(c Cost) {
	c.DenseCells = 0
	s.Cost = s.Cost.Add(c)
}

// watchCells is what observers computed, since the prompt began, for what the session's policy observes.
func (s *Session) watchCells() (sum int64) {
	for _, w := range s.watch {
		if !s.Policy.observes(w.name) {
			continue
		}
		for _, l := range s.Layers {
			if c, ok := l.Observer(w.name).(kv.Counter); ok {
				sum += c.Cells()
			}
		}
	}
	return sum
}

// Fork returns a branch that shares everything computed so far and goes on under policy p. Its costs start at zero.
func (s *Session) Fork(p Policy) *Session {
	f := &Session{Tokens: s.Tokens[:len(s.Tokens):len(s.Tokens)], Policy: p, Layers: make([]*kv.Layer, len(s.Layers)), RopeLength: s.RopeLength, settled: s.settled, missing: s.missing,
		store: s.store, states: s.states, prefill: s.prefill}
	if s.state != nil {
		f.state = s.state.Share()
	}
	for i, l := range s.Layers {
		f.Layers[i] = l.Fork()
	}
	if !s.settled {
		f.Pages = slices.Clone(s.Pages)
	}
	for _, w := range s.watch {
		f.watch = append(f.watch, watched{name: w.name})
	}
	return f
}

// AddPages counts what rows of the first prompt cost that follow those counted so far: costs has a cost for the page that the
// first of them falls into, and for each page after it.
func (s *Session) AddPages(costs []Cost) {
	for i, c := range costs {
		if i == 0 && len(s.Pages) > 0 && s.Pages[len(s.Pages)-1].Rows < kernels.PageTokens {
			last := &s.Pages[len(s.Pages)-1]
			*last = last.Add(c)
			continue
		}
		s.Pages = append(s.Pages, c)
	}
}

// Release gives the session's memory back. Forks of it live on. Releasing twice is harmless.
func (s *Session) Release() {
	for _, l := range s.Layers {
		l.Release()
	}
	s.Layers = nil
	if s.state != nil {
		s.state.Release()
		s.state = nil
	}
}

// Settle ends the first prompt: the policy's compression is carried out and its index built. Rows that follow are
// dense over what is stored, or as Load says. What the policy's observers computed is added to the session's cost. On an error the session
// must be released. See Engine.Settle.
func (s *Session) Settle(pool *kernels.Pool) error { return s.settle(pool, nil) }

// settle is Settle; edits, one a layer, are those that the policy's Revise has decided on, or nil.
func (s *Session) settle(pool *kernels.Pool, edits []kv.Edit) error {
	s.Spend(Cost{Cells: s.watchCells()})
	s.settled, s.watch, s.Pages, s.prefill = true, nil, nil, true
	errs, renumbers := make([]error, len(s.Layers)), make([]bool, len(s.Layers))
	pool.Run(len(s.Layers), func(i int) {
		var e kv.Edit
		if edits != nil {
			e = edits[i]
		}
		errs[i] = s.settleLayer(i, &e)
		renumbers[i] = e.Renumber
	})
	if len(renumbers) > 0 && renumbers[0] {
		s.missing = len(s.Tokens) - s.Layers[0].Slots(0)
	}
	for i, l := range s.Layers {
		for h := range l.Heads() {
			if s.missing > 0 && (!renumbers[i] || l.Slots(h)+s.missing != len(s.Tokens)) {
				panic(fmt.Sprintf("engine: %s renumbers tokens, and head %d of layer %d has %d of them, others %d", s.Policy.Name, h, i, l.Slots(h), len(s.Tokens)-s.missing))
			}
		}
	}
	return errors.Join(errs...)
}

func (s *Session) settleLayer(layer int, e *kv.Edit) error {
	l, p := s.Layers[layer], &s.Policy
	w := l.Window()
	if want := min(p.Window, len(s.Tokens)); w.Rows < want {
		panic(fmt.Sprintf("engine: %s wants the queries of %d rows; the session was opened to remember %d", p.Name, want, w.Rows))
	}
	if p.Compress != nil {
		*e = p.Compress(layer, l, w)
	}
	if p.Quantise != 0 {
		e.Quantise, e.Residual = p.Quantise, p.Residual
	}
	if err := l.Apply(*e); err != nil {
		return err
	}
	if p.Index != nil {
		l.SetIndex(p.Index(layer, l, w))
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
// branches of that prompt hold it together, once. The state of recurrent layers, constant in length, is part of all three, of shared
// until the first row after the prompt.
func (s *Session) Bytes() (logical, resident, shared int64) {
	for _, l := range s.Layers {
		logical += int64(len(s.Tokens)) * int64(l.Heads()) * l.TokenBytes()
		resident += l.Bytes()
		shared += l.SharedBytes()
	}
	if s.state != nil {
		logical += s.state.Bytes()
		resident += s.state.Bytes()
		if s.prefill {
			shared += s.state.Bytes()
		}
	}
	return logical, resident, shared
}
