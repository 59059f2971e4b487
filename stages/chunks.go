package stages

import (
	"context"
	"fmt"
	"slices"

	"scbench/stages/engine"
	"scbench/stages/prefix"
)

// shelf has contexts whose chunks were computed apart, for all methods that put them together from chunks of one size.
type shelf []*chunked

// chunked is a context in chunks.
type chunked struct {
	tokens  []int32
	size    int // of a chunk
	chunks  []*engine.Session
	seconds float64
}

func (s *shelf) release() {
	for _, c := range *s {
		for _, chunk := range c.chunks {
			chunk.Release()
		}
	}
}

// forward computes the rest of a node's tokens on top of session s: in a row, or put together from chunks. It returns the seconds of
// that, those of the chunks included, which it also adds to path.
func (j *Job) forward(ctx context.Context, n *node, s *engine.Session, rest []int32, step *prefix.Step, path *spent, apart *shelf) (float64, error) {
	if !n.blend {
		seconds, err := j.Engine.Forward(ctx, []engine.Chunk{{Session: s, Tokens: rest, Logits: step.Logits}})
		if err != nil {
			return 0, err
		}
		return seconds[0], nil
	}
	c, err := j.chunks(ctx, apart, n.tokens, n.policy.Retrieve.Chunk, s.RopeLength)
	if err != nil {
		return 0, err
	}
	path.chunks += c.seconds
	seconds, err := j.Engine.Blend(ctx, engine.Chunk{Session: s, Logits: step.Logits}, c.chunks)
	return c.seconds + seconds, err
}

// chunks returns a context in chunks of a size, each the beginning of a conversation of its own: from the shelf, where it puts them, from the
// prefix cache, or computed now, all that are missing in one pass.
func (j *Job) chunks(ctx context.Context, apart *shelf, tokens []int32, size, ropeLength int) (*chunked, error) {
	for _, c := range *apart {
		if c.size == size && slices.Equal(c.tokens, tokens) {
			return c, nil
		}
	}
	c := &chunked{tokens: tokens, size: size}
	*apart = append(*apart, c)
	shape := j.Engine.Model.Shape()
	var missing []engine.Chunk
	var steps []prefix.Step
	for piece := range slices.Chunk(tokens, size) {
		s := j.Engine.Open(engine.Policy{})
		s.RopeLength = ropeLength
		c.chunks = append(c.chunks, s)
		step, done := prefix.Step{Tokens: piece, Whole: shape.LengthDependent}, 0
		if j.Prefix != nil {
			step.Trail = j.Prefix.Root()
			if shape.LengthDependent {
				step.Generation = fmt.Sprintf(" of %d", ropeLength)
			}
			var err error
			if done, err = j.Prefix.Restore(&step, s, shape); err != nil {
				return nil, err
			}
		}
		if done < len(piece) {
			missing, steps = append(missing, engine.Chunk{Session: s, Tokens: piece[done:]}), append(steps, step)
		}
	}
	if len(missing) == 0 {
		return c, nil
	}
	seconds, err := j.Engine.Forward(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, m := range missing {
		j.apart.Add(int64(len(m.Tokens)))
		c.seconds += seconds[i]
		if j.Prefix == nil {
			continue
		}
		if err := j.Prefix.Store(&steps[i], m.Session, shape); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// apart adds up f over the contexts below n that are computed in chunks, those in chunks of one size once.
func (n *node) apart(f func(c *engine.Chunking, tokens int) int64) (sum int64) {
	var seen []*node
	var visit func(n *node)
	visit = func(n *node) {
		if n.blend && !slices.ContainsFunc(seen, func(o *node) bool {
			return o.policy.Retrieve.Chunk == n.policy.Retrieve.Chunk && slices.Equal(o.tokens, n.tokens)
		}) {
			seen = append(seen, n)
			sum += f(n.policy.Retrieve, len(n.tokens))
		}
		for _, k := range n.kids {
			visit(k)
		}
	}
	visit(n)
	return sum
}
