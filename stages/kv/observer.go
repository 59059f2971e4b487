package kv

import "scbench/kernels"

// Observer watches the queries of the first prompt go by, for a method that decides by more than the last of them. It belongs to one
// layer, and branches with it.
type Observer interface {
	// Observe sees the queries q [rows, query heads, Dim], after RoPE and not scaled, of the tokens in slots [first, first+rows)
	// of every head of l, which holds their keys already. Rows come in order; passes may cut them anywhere, so what an observer
	// works out must not depend on where. It may use the pool.
	Observe(pool *kernels.Pool, l *Layer, q []float32, first, rows int)
	Fork() Observer // a copy that goes on on its own; shares what is immutable
}

// Counter is what an Observer is, too, that computes products of queries and keys to make up its mind.
type Counter interface {
	// Cells is how many it has computed since the prompt began, those of the observer that it was forked from included.
	Cells() int64
}

// seer is an observer under the name that its method asks for it by.
type seer struct {
	name string
	Observer
}

// Watch adds an observer; under a name that is taken already, nothing.
func (l *Layer) Watch(name string, o Observer) {
	if l.Observer(name) == nil {
		l.seers = append(l.seers, seer{name, o})
	}
}

// Observer returns the observer of that name, or nil.
func (l *Layer) Observer(name string) Observer {
	for _, s := range l.seers {
		if s.name == name {
			return s.Observer
		}
	}
	return nil
}

// Unwatch lets all observers go.
func (l *Layer) Unwatch() { l.seers = nil }
