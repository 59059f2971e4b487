package stages

import (
	"context"
	"iter"
)

// Plan is what a run will do, worked out from the prompts alone.
type Plan struct {
	Examples, Queries int
	Alone             int64 // tokens of first prompts, if every method computed its own in every mode
	Prefill           int64 // tokens that will be computed: each distinct beginning once
	Bound             int64 // the least that would do, if every method could share every beginning with every other of its generation
	Follow            int64 // tokens of questions and gold answers that are fed after the first prompts
	Peak              int64 // most bytes of KV cache that one example needs at once
}

// Plan tokenizes all work and adds up what its prompts will cost.
func (j *Job) Plan(ctx context.Context, work iter.Seq2[Work, error]) (Plan, error) {
	var p Plan
	for w, err := range work {
		if err != nil {
			return p, err
		}
		a, err := j.tokenize(ctx, w)
		if err != nil {
			return p, err
		}
		prompts := j.prompts(a)
		p.Examples++
		p.Queries += len(w.Example.Turns) * len(j.Policies) * len(j.Modes)
		for i, row := range prompts {
			for m, one := range row {
				p.Alone += int64(len(one.tokens))
				for _, ask := range a.Scripts[i][m].Ask {
					p.Follow += int64(len(ask))
				}
			}
		}
		for _, g := range j.grouped(prompts) {
			p.Prefill += tree(g).tokensBelow()
		}
		for _, g := range grouped(prompts, func(*prompt) bool { return true }) {
			p.Bound += tree(g).tokensBelow()
		}
		p.Peak = max(p.Peak, j.plan(a, prompts))
	}
	return p, nil
}

// tokensBelow is the number of tokens of a node and all below it.
func (n *node) tokensBelow() int64 {
	sum := int64(len(n.tokens))
	for _, k := range n.kids {
		sum += k.tokensBelow()
	}
	return sum
}
