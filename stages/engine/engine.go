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

	mu sync.Mutex
}

// Open starts an empty conversation.
func (e *Engine) Open(p Policy, window int) *Session {
	return NewSession(e.Model.Shape(), e.Store, p, window)
}

// Forward runs one batch while nobody else does. It returns the seconds that each chunk took, waiting not counted:
// its own attention as measured, and of the rest, which reads all weights once for the whole batch, a share by rows.
func (e *Engine) Forward(ctx context.Context, batch []Chunk) ([]float64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	seconds := make([]float64, len(batch))
	rows := 0
	for i, c := range batch {
		seconds[i] = -c.Session.AttendSeconds
		rows += len(c.Tokens)
	}
	start := time.Now()
	if err := e.Model.Forward(ctx, batch); err != nil {
		return nil, err
	}
	rest := time.Since(start).Seconds()
	for i, c := range batch {
		seconds[i] = (seconds[i] + c.Session.AttendSeconds) / float64(e.Pool.Threads())
		rest -= seconds[i]
	}
	for i, c := range batch {
		seconds[i] += max(rest, 0) * float64(len(c.Tokens)) / float64(rows)
	}
	return seconds, nil
}

// Rate measures how many tokens a second a prompt of some 500 tokens takes.
func (e *Engine) Rate(ctx context.Context) (float64, error) {
	const n = 512
	s := e.Open(Policy{}, 0)
	defer s.Release()
	seconds, err := e.Forward(ctx, []Chunk{{Session: s, Tokens: make([]int32, n)}})
	if err != nil {
		return 0, err
	}
	return n / max(seconds[0], 1e-9), nil
}

// Settle ends the first prompt of a session while nobody computes, and returns the seconds it took.
func (e *Engine) Settle(s *Session) (float64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	start := time.Now()
	err := s.Settle(e.Pool)
	return time.Since(start).Seconds(), err
}

func (c Cost) sub(d Cost) Cost {
	return Cost{c.Cells - d.Cells, c.DenseCells - d.DenseCells, c.Stored - d.Stored, c.ReadBytes - d.ReadBytes, c.Rows - d.Rows}
}
