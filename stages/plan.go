package stages

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"scbench/stages/engine"
)

// Plan is what a run will do, worked out from the prompts alone.
type Plan struct {
	Examples, Queries int
	Alone             int64 // tokens of first prompts, if every method computed its own in every mode
	Prefill           int64 // tokens that will be computed: each distinct beginning once
	Bound             int64 // the least that would do: each row once that is the same, number for number, in several prompts
	Apart             int64 // tokens that will be computed in chunks, apart from the prompts that are put together from them
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
		for _, root := range forest(prompts) {
			p.Prefill += root.tokensBelow()
			p.Apart += root.apart(func(_ *engine.Chunking, tokens int) int64 { return int64(tokens) })
		}
		p.Bound += bound(prompts)
		p.Peak = max(p.Peak, j.plan(a, prompts))
	}
	return p, nil
}

// Peak is the most bytes of KV cache that one example of the work needs at once, and the number of tokens of the longest first prompt.
// Nothing of the model but its shape is used. Contexts that a policy rewrites count as they are: rewriting may take long, and makes them
// shorter.
func (j *Job) Peak(work iter.Seq2[Work, error]) (bytes int64, longest int, err error) {
	for w, err := range work {
		if err != nil {
			return 0, 0, err
		}
		scripts, err := j.scripts(w.Task, w.Example)
		if err != nil {
			return 0, 0, fmt.Errorf("%s %s: %w", w.Task.Name, w.Example.ID, err)
		}
		scripts = slices.DeleteFunc(scripts, func(s *Script) bool { return s.Refused != "" })
		a := &Asked{Work: w, Scripts: slices.Repeat([][]*Script{scripts}, len(j.Policies))}
		bytes = max(bytes, j.plan(a, j.prompts(a)))
		for _, s := range scripts {
			longest = max(longest, len(s.First))
		}
	}
	return bytes, longest, nil
}

// bound counts the rows of prompts that differ, whatever else keeps them from being shared: a row is the same in two prompts if both
// begin with the same tokens up to it, and methods of the same kind compute it, from positions alone.
func bound(prompts [][]*prompt) int64 {
	root := &node{}
	var n int64
	seen := map[*prompt]bool{}
	for _, row := range prompts {
		for _, p := range row {
			if seen[p] {
				continue
			}
			seen[p] = true
			free := *p
			if free.alone = p.policy.WholePrompt; free.alone {
				n += int64(len(p.tokens))
				continue
			}
			root.add(&free)
		}
	}
	return n + root.tokensBelow()
}

// tokensBelow is the number of tokens of a node and all below it.
func (n *node) tokensBelow() int64 {
	sum := int64(len(n.tokens))
	for _, k := range n.kids {
		sum += k.tokensBelow()
	}
	return sum
}
