package engine

import "fmt"

// State is what the recurrent layers remember of the conversation, [Shape.State] in the model's order, for reading; nil if it has no
// tokens yet, or the model no such layers.
func (s *Session) State() []float32 {
	if s.state == nil {
		return nil
	}
	return s.state.Floats()
}

// SetState makes x, of Shape.State numbers, the state of the session, whose tokens it must be that of. It is an error that wraps
// kv.ErrFull if there is no room.
func (s *Session) SetState(x []float32) error {
	if len(x) != s.states {
		panic(fmt.Sprintf("engine: a state of %d numbers for a session of %d", len(x), s.states))
	}
	if err := s.ownState(); err != nil || s.states == 0 {
		return err
	}
	copy(s.state.Floats(), x)
	return nil
}

// ownState makes sure that the session's state is there and nobody else's, so that rows may move it on.
func (s *Session) ownState() (err error) {
	if s.states == 0 {
		return nil
	}
	s.prefill = false
	if s.state == nil {
		s.state, err = s.store.NewState(s.states)
		return err
	}
	own, err := s.state.Own()
	if err == nil {
		s.state = own
	}
	return err
}

// States calls f for every chunk that has rows in [lo, hi) of the batch: with those rows, counted from lo, and the state of its
// session, [Shape.State], which f moves on over them. Blocks must come in order.
func (s *Step) States(lo, hi int, f func(state []float32, from, to int)) {
	for i := range s.parts {
		p := &s.parts[i]
		if a, b := max(lo, p.lo), min(hi, p.lo+p.n); a < b {
			f(p.chunk.Session.state.Floats(), a-lo, b-lo)
		}
	}
}
