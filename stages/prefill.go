package stages

import (
	"context"
	"errors"
	"fmt"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/pipeline"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// errFull refuses an example whose plan was kept and whose caches grew beyond it all the same. It names no bytes: results are
// the same on every machine.
var errFull = errors.New("its KV caches outgrew --kv-memory; give more and add --force")

const pageTokens = kernels.PageTokens

// Filled is an example whose first prompts are in the cache.
type Filled struct {
	*Asked
	prompts [][]*prompt // per policy and mode; what is computed alike is the same prompt
	refused error       // why the example was not run, or nil
	budget  *pipeline.Budget
	bytes   int64 // taken from budget
}

// prompt is one distinct first prompt under one distinct generation.
type prompt struct {
	tokens  []int32
	policy  *engine.Policy
	session *engine.Session
	logits  []float32 // of the last token; nil if no answer follows it directly
	seconds float64
	cost    engine.Cost
}

// Release gives back what the example holds; the pipeline calls it for items it drops.
func (f *Filled) Release() {
	for _, row := range f.prompts {
		for _, p := range row {
			if p.session != nil {
				p.session.Release()
				p.session = nil
			}
		}
	}
	if f.bytes > 0 {
		f.budget.Release(f.bytes)
		f.bytes = 0
	}
}

// prefill computes the first prompts of an example, each distinct beginning once. It waits until the cache has room; an
// example that can never fit is refused, not failed, and the run goes on.
func (j *Job) prefill(ctx context.Context, a *Asked) (_ *Filled, err error) {
	f := &Filled{Asked: a, budget: j.Budget}
	f.prompts = j.prompts(a)
	defer func() {
		if err != nil {
			f.Release()
		}
	}()
	need := j.plan(a, f.prompts)
	if err := j.Budget.Acquire(ctx, need); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		f.refused = fmt.Errorf("its KV caches need up to %d MiB, more than --kv-memory gives; give more, or run fewer methods or shorter contexts, and add --force", need>>20+1)
		return f, nil
	}
	f.bytes = need
	for _, row := range f.prompts {
		for _, p := range row {
			j.alone.Add(int64(len(p.tokens)))
		}
	}
	for _, group := range j.grouped(f.prompts) {
		if err := j.fill(ctx, group); err != nil {
			if errors.Is(err, kv.ErrFull) {
				f.Release()
				f.refused = errFull
				return f, nil
			}
			return nil, err
		}
	}
	return f, nil
}

// prompts lists what is to be computed: policies of one generation share a prompt if the tokens are the same.
func (j *Job) prompts(a *Asked) [][]*prompt {
	var seen []*prompt
	out := make([][]*prompt, len(j.Policies))
	for i := range j.Policies {
		for _, s := range a.Scripts[i] {
			p := findPrompt(seen, &j.Policies[i], s.First)
			if p == nil {
				p = &prompt{tokens: s.First, policy: &j.Policies[i]}
				seen = append(seen, p)
			}
			if s.Mode == outputs.MultiTurn && p.logits == nil {
				p.logits = make([]float32, j.Engine.Model.Shape().Vocab)
			}
			out[i] = append(out[i], p)
		}
	}
	return out
}

func findPrompt(seen []*prompt, policy *engine.Policy, tokens []int32) *prompt {
	for _, p := range seen {
		if p.policy.Generation() == policy.Generation() && len(p.tokens) == len(tokens) && common(p.tokens, tokens) == len(tokens) {
			return p
		}
	}
	return nil
}

// grouped returns the distinct prompts in order of first appearance, those of one generation that may share a beginning together.
func grouped(all [][]*prompt, share func(*prompt) bool) [][]*prompt {
	var groups [][]*prompt
	known := map[*prompt]bool{}
	for _, row := range all {
		for _, p := range row {
			if known[p] {
				continue
			}
			known[p] = true
			at := len(groups)
			for i, g := range groups {
				if share(p) && g[0].policy.Generation() == p.policy.Generation() {
					at = i
				}
			}
			if at == len(groups) {
				groups = append(groups, nil)
			}
			groups[at] = append(groups[at], p)
		}
	}
	return groups
}

// grouped is the grouping for the job: prompts that must be computed in one pass share nothing, nor do those of a model whose RoPE
// depends on their length.
func (j *Job) grouped(all [][]*prompt) [][]*prompt {
	return grouped(all, func(p *prompt) bool { return !p.policy.WholePrompt && !j.Engine.Model.Shape().LengthDependent })
}

// node is a stretch of tokens that the prompts below it have in common.
type node struct {
	tokens []int32
	kids   []*node
	prompt *prompt // ends here, or nil
}

// tree joins prompts by their common beginnings. Its root has no tokens.
func tree(prompts []*prompt) *node {
	root := &node{}
	for _, p := range prompts {
		root.insert(p.tokens, p)
	}
	return root
}

func (n *node) insert(tokens []int32, p *prompt) {
	if len(tokens) == 0 {
		n.prompt = p
		return
	}
	for _, k := range n.kids {
		c := common(k.tokens, tokens)
		if c == 0 {
			continue
		}
		if c < len(k.tokens) { // split the kid
			k.kids = []*node{{tokens: k.tokens[c:], kids: k.kids, prompt: k.prompt}}
			k.tokens, k.prompt = k.tokens[:c], nil
		}
		k.insert(tokens[c:], p)
		return
	}
	n.kids = append(n.kids, &node{tokens: tokens, prompt: p})
}

// common is the length of the common beginning of a and b.
func common(a, b []int32) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// fill computes a group of prompts.
func (j *Job) fill(ctx context.Context, group []*prompt) error {
	window := 0
	for _, p := range j.Policies {
		window = max(window, p.Window)
	}
	open := j.Engine.Open(*group[0].policy, window)
	if j.Engine.Model.Shape().LengthDependent {
		open.RopeLength = len(group[0].tokens)
	}
	return j.grow(ctx, tree(group), open, &prompt{})
}

// grow computes the tokens of n on top of session s, which it takes over, and then the nodes below. above has the
// seconds and costs spent so far.
func (j *Job) grow(ctx context.Context, n *node, s *engine.Session, above *prompt) error {
	path := *above
	if len(n.tokens) > 0 {
		chunk := engine.Chunk{Session: s, Tokens: n.tokens}
		if n.prompt != nil {
			chunk.Logits = n.prompt.logits
		}
		seconds, err := j.Engine.Forward(ctx, []engine.Chunk{chunk})
		if err != nil {
			s.Release()
			return err
		}
		j.computed.Add(int64(len(n.tokens)))
		path.seconds += seconds[0]
		path.cost = path.cost.Add(s.Cost)
	}
	if n.prompt != nil {
		n.prompt.session, n.prompt.seconds, n.prompt.cost = s, path.seconds, path.cost
	} else {
		defer s.Release()
	}
	for _, k := range n.kids {
		if err := j.grow(ctx, k, s.Fork(s.Policy), &path); err != nil {
			return err
		}
	}
	return nil
}

// plan is an upper bound of the cache bytes that an example needs at once: every distinct stretch of prompts, and for
// each branch what its method keeps as a copy, what the conversation adds, and the fork of the longest answer.
func (j *Job) plan(a *Asked, prompts [][]*prompt) int64 {
	s := j.Engine.Model.Shape()
	page := int64(j.Engine.Store.PageBytes()) * int64(s.Layers*s.KVHeads)
	pages := func(tokens int) int64 { return (int64(tokens)/pageTokens + 2) * page }
	var n int64
	for _, g := range j.grouped(prompts) {
		n += tree(g).pages(pages)
	}
	for i, p := range j.Policies {
		for _, script := range a.Scripts[i] {
			if p.Compress != nil {
				n += pages(len(script.First))
			}
			history, longest := 0, 0
			for t, ask := range script.Ask {
				answer := script.MaxAnswer[t]
				if script.Mode == outputs.MultiTurn {
					history += len(ask)
					if j.History == outputs.OwnHistory {
						history += answer + pageTokens // each turn goes on from a fork, which copied a page
					}
				} else {
					answer += len(ask)
				}
				longest = max(longest, answer)
			}
			n += pages(history) + 2*pages(longest) // the answer, and the branch that follows full attention's
		}
	}
	return n
}

func (n *node) pages(pages func(int) int64) int64 {
	sum := pages(len(n.tokens))
	for _, k := range n.kids {
		sum += k.pages(pages)
	}
	return sum
}
