package engine

import (
	"context"
	"sync"
	"time"

	"scbench/kernels"
	"scbench/stages/kv"
)

// Engine lets several stages use one model in turn.
type Engine struct {
	Model Model
	Store *kv.Store
	Pool  *kernels.Pool
	// Encode turns text into tokens, for policies that put a question of their own to the model; nil: they do without.
	Encode func(text string) ([]int32, error)

	mu sync.Mutex
}

// Open starts an empty conversation: see NewSession.
func (e *Engine) Open(p Policy, branches ...Policy) *Session {
	return NewSession(e.Model.Shape(), e.Store, p, branches...)
}

// Forward runs one batch while nobody else does. It returns the seconds that each chunk took, waiting not counted:
// its own attention as measured, and of the rest, which reads all weights once for the whole batch, a share by rows. The time
// of observers is not among them: see Session.WatchSeconds.
func (e *Engine) Forward(ctx context.Context, batch []Chunk) ([]float64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	seconds := make([]float64, len(batch))
	rows := 0
	var watching float64
	for i, c := range batch {
		watching -= c.Session.watchSeconds()
		seconds[i] = -c.Session.AttendSeconds
		rows += len(c.Tokens)
	}
	start := time.Now()
	if err := e.Model.Forward(ctx, batch); err != nil {
		return nil, err
	}
	rest := time.Since(start).Seconds()
	for i, c := range batch {
		watching += c.Session.watchSeconds()
		seconds[i] = (seconds[i] + c.Session.AttendSeconds) / float64(e.Pool.Threads())
		rest -= seconds[i]
	}
	rest -= watching
	for i, c := range batch {
		seconds[i] += max(rest, 0) * float64(len(c.Tokens)) / float64(rows)
	}
	return seconds, nil
}

// Rate measures how many tokens a second a prompt of some 500 tokens takes.
func (e *Engine) Rate(ctx context.Context) (float64, error) {
	const n = 512
	s := e.Open(Policy{})
	defer s.Release()
	seconds, err := e.Forward(ctx, []Chunk{{Session: s, Tokens: make([]int32, n)}})
	if err != nil {
		return 0, err
	}
	return n / max(seconds[0], 1e-9), nil
}

// Settle ends the first prompt of a session while nobody else computes, and returns the seconds it took. The session's cost gains what the
// policy computed to decide: the passes of its Revise, and what its observers did.
func (e *Engine) Settle(ctx context.Context, s *Session) (float64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	start := time.Now()
	var edits []kv.Edit
	if s.Policy.Revise != nil {
		var err error
		if edits, err = s.Policy.Revise(ctx, e, s); err != nil {
			return 0, err
		}
	}
	err := s.settle(e.Pool, edits)
	return time.Since(start).Seconds(), err
}
