package drift

import (
	"context"
	"math"

	"scbench/stages/engine"
	"scbench/stages/kv"
)

// choice is what one method keeps of a prompt and reads of what it kept.
type choice struct {
	policy  engine.Policy // the method's, that takes down what it decides
	session *engine.Session
	prompt  int           // tokens
	kept    [][][]int32   // [layer][KV head] the tokens of the prompt that stayed, by slot; nil: all
	spans   [][][]kv.Span // [layer][query head] the slots that the latest row reads
}

func newChoice(p engine.Policy, s engine.Shape, prompt int) *choice {
	c := &choice{policy: p, prompt: prompt, kept: make([][][]int32, s.Layers), spans: make([][][]kv.Span, s.Layers)}
	for l := range c.spans {
		c.spans[l] = make([][]kv.Span, s.Heads)
		for h := range c.spans[l] {
			c.spans[l][h] = []kv.Span{kv.Column(0, math.MaxInt32)} // what a policy without Load reads
		}
	}
	if p.Compress != nil {
		c.policy.Compress = func(layer int, l *kv.Layer, w kv.Window) kv.Edit {
			e := p.Compress(layer, l, w)
			c.kept[layer] = e.Keep
			return e
		}
	}
	if p.Revise != nil {
		c.policy.Revise = func(ctx context.Context, e *engine.Engine, s *engine.Session) ([]kv.Edit, error) {
			edits, err := p.Revise(ctx, e, s)
			for layer, edit := range edits {
				c.kept[layer] = edit.Keep
			}
			return edits, err
		}
	}
	if p.Load != nil {
		c.policy.Load = func(layer int, l *kv.Layer, q engine.Query, dst [][]kv.Span) int64 {
			examined := p.Load(layer, l, q, dst)
			for m := range dst {
				at := &c.spans[layer][q.KVHead*len(dst)+m]
				*at = append((*at)[:0], dst[m]...)
			}
			return examined
		}
	}
	return c
}

// reads calls f with every token that the latest row read in a head of a group of so many, ascending.
func (c *choice) reads(h Head, group int, f func(token int)) {
	kvHead := h.Head / group
	var kept []int32
	if c.kept[h.Layer] != nil {
		kept = c.kept[h.Layer][kvHead]
	}
	slots := c.session.Layers[h.Layer].Slots(kvHead)
	for _, r := range kv.Runs(nil, c.spans[h.Layer][h.Head], int32(slots-1)) {
		for slot := int(r.Lo); slot < int(r.Hi); slot++ {
			switch {
			case kept == nil:
				f(slot)
			case slot < len(kept):
				f(int(kept[slot]))
			default: // generated, or else fed, since
				f(c.prompt + slot - len(kept))
			}
		}
	}
}
