package engine

import (
	"context"
	"fmt"
	"math"

	"scbench/kernels"
)

// Answer is one answer to be decoded greedily.
type Answer struct {
	Session *Session  // holds the prompt; the answer's first Fed tokens are appended
	Logits  []float32 // [Vocab] of the prompt's last row
	Max     int       // most new tokens, at least 1
	Stop    []int32   // end tokens; the one that ends the answer is not part of it
	Limit   float64   // seconds of decoding after which the answer is cut off; 0: none
	Against *Answer   // the answer of full attention to the same prompt, decoded beside this one, to compare with; or nil

	Tokens    []int32   // the answer
	Stopped   bool      // it ended by an end token
	Timeout   bool      // it ended by Limit
	Fed       int       // tokens of the answer that are in the session
	Seconds   []float64 // of each pass after the first token, as Engine.Forward attributes them
	Read      Cost      // cost of those passes
	Agreement Agreement

	open   bool    // the answer goes on
	shadow *shadow // follows Against from where this answer has left it
}

// Agreement compares the next-token distributions of a method with those of full attention on the same tokens: the prompt, and full
// attention's answer up to there, its end included.
type Agreement struct {
	Steps    int     // distributions compared
	Same     int     // those whose most likely token is the same
	KL       float64 // sum over the steps of the divergence from full attention, in nats
	Diverged int     // the first token of the answer that is another than full attention's, counted from 0; -1: none
}

// shadow is a branch of an answer's cache that is fed full attention's tokens instead of the answer's own.
type shadow struct {
	session *Session
	logits  []float32
}

// Decode answers all of answers in one ragged batch: each pass extends those that are not finished by one token. Ties of
// the logits go to the lower token. An answer that is compared with another follows its tokens: as long as both agree by itself, then
// on a fork of its cache, so that distributions are compared on the same history; that fork's cost is not the answer's.
func (e *Engine) Decode(ctx context.Context, answers []*Answer) error {
	defer func() {
		for _, a := range answers {
			a.end()
		}
	}()
	for _, a := range answers {
		a.open, a.Agreement.Diverged = true, -1
	}
	for {
		if err := next(answers); err != nil {
			return err
		}
		var batch []Chunk
		var open []*Answer
		var before []Cost
		for _, a := range answers {
			if a.open {
				batch = append(batch, Chunk{Session: a.Session, Tokens: a.Tokens[len(a.Tokens)-1:], Logits: a.Logits})
				open, before = append(open, a), append(before, a.Session.Cost)
			}
		}
		if len(open) == 0 {
			return nil
		}
		for _, a := range answers {
			if a.shadow != nil {
				lead := a.Against.Tokens
				batch = append(batch, Chunk{Session: a.shadow.session, Tokens: lead[len(lead)-1:], Logits: a.shadow.logits})
			}
		}
		seconds, err := e.Forward(ctx, batch)
		if err != nil {
			return err
		}
		for i, a := range open {
			a.Fed++
			a.Read = a.Read.Add(a.Session.Cost.Sub(before[i]))
			a.Seconds = append(a.Seconds, seconds[i])
		}
	}
}

// next compares the distributions of all answers, and lets those that are open take a token.
func next(answers []*Answer) error {
	lead := make([]int, len(answers)) // tokens of the answer compared with, before this step
	for i, a := range answers {
		if a.Against != nil && a.Against.open {
			lead[i] = len(a.Against.Tokens)
			a.compare()
		}
	}
	leading := make([]bool, len(answers))
	for i, a := range answers {
		leading[i] = a.Against != nil && a.Against.open
	}
	for _, a := range answers {
		if a.open {
			if err := a.take(); err != nil {
				return err
			}
		}
	}
	for i, a := range answers {
		if leading[i] {
			a.follow(lead[i])
		}
	}
	return nil
}

// take adds the token that the logits choose, or ends the answer. Logits that are no numbers are an error.
func (a *Answer) take() error {
	t := int32(kernels.Argmax(a.Logits))
	if t < 0 {
		return fmt.Errorf("the model's logits for token %d of the answer are not numbers: the weights are damaged, or overflow", len(a.Tokens)+1)
	}
	for _, s := range a.Stop {
		if t == s {
			a.Stopped, a.open = true, false
			return nil
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
	a.open = len(a.Tokens) < a.Max && !a.Timeout
	return nil
}

// compare adds the distributions of this step to the agreement.
func (a *Answer) compare() {
	mine := a.Logits
	if a.shadow != nil {
		mine = a.shadow.logits
	}
	g := &a.Agreement
	g.Steps++
	if kernels.Argmax(mine) == kernels.Argmax(a.Against.Logits) {
		g.Same++
	}
	g.KL += divergence(a.Against.Logits, mine)
}

// follow looks, after both have taken step at, whether the answer still goes with the one it is compared with. Where it leaves it, and that
// one goes on, a fork of the cache goes on with it.
func (a *Answer) follow(at int) {
	lead := a.Against
	if a.Agreement.Diverged < 0 {
		same := len(a.Tokens) > at == (len(lead.Tokens) > at) && (len(lead.Tokens) <= at || a.Tokens[at] == lead.Tokens[at])
		if same && a.open == lead.open {
			return
		}
		if !same {
			a.Agreement.Diverged = at
		}
		if lead.open {
			a.shadow = &shadow{session: a.Session.Fork(a.Session.Policy), logits: make([]float32, len(a.Logits))}
		}
	}
	if !lead.open {
		a.end()
	}
}

// end lets go of the shadow.
func (a *Answer) end() {
	if a.shadow != nil {
		a.shadow.session.Release()
		a.shadow = nil
	}
}

// divergence is the Kullback-Leibler divergence of the distribution of logits q from that of p, in nats: Σ p·(ln p − ln q).
func divergence(p, q []float32) float64 {
	lp, lq := kernels.LogSumExp(p), kernels.LogSumExp(q)
	var sum float64
	for i, x := range p {
		if w := math.Exp(float64(x) - lp); w > 0 {
			sum += w * ((float64(x) - lp) - (float64(q[i]) - lq))
		}
	}
	return max(sum, 0) // rounding may take equal distributions below
}
