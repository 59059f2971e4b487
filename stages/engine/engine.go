package engine

import (
	"context"
	"fmt"
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

// Settle ends the first prompt of a session while nobody computes, and returns the seconds it took.
func (e *Engine) Settle(s *Session) (float64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	start := time.Now()
	err := s.Settle(e.Pool)
	return time.Since(start).Seconds(), err
}

// Answer is one answer to be decoded greedily.
type Answer struct {
	Session *Session  // holds the prompt; the answer's first Fed tokens are appended
	Logits  []float32 // [Vocab] of the prompt's last row
	Max     int       // most new tokens, at least 1
	Stop    []int32   // end tokens; the one that ends the answer is not part of it
	Limit   float64   // seconds of decoding after which the answer is cut off; 0: none

	Tokens  []int32   // the answer
	Stopped bool      // it ended by an end token
	Timeout bool      // it ended by Limit
	Fed     int       // tokens of the answer that are in the session
	Seconds []float64 // of each pass after the first token, as Engine.Forward attributes them
	Read    Cost      // cost of those passes
}

// Decode answers all of answers in one ragged batch: each pass extends those that are not finished by one token. Ties of
// the logits go to the lower token.
func (e *Engine) Decode(ctx context.Context, answers []*Answer) error {
	open := make([]*Answer, 0, len(answers))
	for _, a := range answers {
		more, err := a.take()
		if err != nil {
			return err
		}
		if more {
			open = append(open, a)
		}
	}
	for len(open) > 0 {
		batch := make([]Chunk, len(open))
		for i, a := range open {
			batch[i] = Chunk{Session: a.Session, Tokens: a.Tokens[len(a.Tokens)-1:], Logits: a.Logits}
		}
		before := make([]Cost, len(open))
		for i, a := range open {
			before[i] = a.Session.Cost
		}
		seconds, err := e.Forward(ctx, batch)
		if err != nil {
			return err
		}
		still := open[:0]
		for i, a := range open {
			a.Fed++
			a.Read = a.Read.Add(a.Session.Cost.sub(before[i]))
			a.Seconds = append(a.Seconds, seconds[i])
			more, err := a.take()
			if err != nil {
				return err
			}
			if more {
				still = append(still, a)
			}
		}
		open = still
	}
	return nil
}

// take adds the token that the logits choose, and reports whether the answer goes on. Logits that are no numbers are an error.
func (a *Answer) take() (more bool, err error) {
	t := int32(kernels.Argmax(a.Logits))
	if t < 0 {
		return false, fmt.Errorf("the model's logits for token %d of the answer are not numbers: the weights are damaged, or overflow", len(a.Tokens)+1)
	}
	for _, s := range a.Stop {
		if t == s {
			a.Stopped = true
			return false, nil
		}
	}
	a.Tokens = append(a.Tokens, t)
	if a.Limit > 0 {
		var spent float64
		for _, s := range a.Seconds {
			spent += s
		}
		a.Timeout = spent > a.Limit
	}
	return len(a.Tokens) < a.Max && !a.Timeout, nil
}

func (c Cost) sub(d Cost) Cost {
	return Cost{c.Cells - d.Cells, c.DenseCells - d.DenseCells, c.Stored - d.Stored, c.ReadBytes - d.ReadBytes, c.Rows - d.Rows}
}
