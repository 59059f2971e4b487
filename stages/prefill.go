package stages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/pipeline"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/prefix"
)

// errFull refuses an example whose plan was kept and whose caches grew beyond it all the same. It names no bytes: results are
// the same on every machine.
var errFull = errors.New("its KV caches outgrew --kv-memory; give more and add --force")

const pageTokens = kernels.PageTokens

// Filled is an example whose first prompts are in the cache.
type Filled struct {
	*Asked
	prompts [][]*prompt // per policy and script; what is computed alike is the same prompt
	refused error       // why the example was not run, or nil
	budget  *pipeline.Budget
	bytes   int64 // taken from budget
}

// prompt is one distinct first prompt under one distinct generation.
type prompt struct {
	tokens  []int32
	context int // tokens before the question
	policy  *engine.Policy
	users   []engine.Policy // whose branches fork from it
	alone   bool            // whether it shares its computation with nobody
	session *engine.Session
	logits  []float32 // of the last token; nil if no answer follows it directly
	spent   spent
}

// spent is what the computation of a prompt took.
type spent struct {
	seconds float64
	chunks  float64   // of them, those of chunks computed apart
	watch   []float64 // per policy: seconds of its observers
	cost    engine.Cost
	trail   prefix.Trail // the tokens so far, as the prefix cache names them
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
	j.bound.Add(bound(f.prompts))
	for _, row := range f.prompts {
		for _, p := range row {
			j.alone.Add(int64(len(p.tokens)))
		}
	}
	for _, root := range forest(f.prompts) {
		if err := j.fill(ctx, root); err != nil {
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

// prompts lists what is to be computed: policies of one generation share a prompt if the tokens are the same. A prompt that must be
// computed in one pass, and one of a model whose RoPE depends on its length, shares no part with others.
func (j *Job) prompts(a *Asked) [][]*prompt {
	var seen []*prompt
	shape := j.Engine.Model.Shape()
	out := make([][]*prompt, len(j.Policies))
	for i := range j.Policies {
		for _, s := range a.Scripts[i] {
			p := findPrompt(seen, &j.Policies[i], s)
			if p == nil || j.NoShare {
				p = &prompt{tokens: s.First, context: s.Context, policy: &j.Policies[i]}
				p.alone = p.policy.WholePrompt || shape.LengthDependent || j.NoShare
				seen = append(seen, p)
			}
			p.users = append(p.users, j.Policies[i])
			if s.Mode != outputs.MultiRequest && p.logits == nil {
				p.logits = make([]float32, shape.Vocab)
			}
			out[i] = append(out[i], p)
		}
	}
	return out
}

func findPrompt(seen []*prompt, policy *engine.Policy, s *Script) *prompt {
	for _, p := range seen {
		if p.policy.Generation() == policy.Generation() && (policy.Retrieve == nil || p.context == s.Context) && slices.Equal(p.tokens, s.First) {
			return p
		}
	}
	return nil
}

// node is a stretch of tokens that the prompts below it have in common, computed under one policy.
type node struct {
	tokens []int32
	policy *engine.Policy
	kids   []*node
	prompt *prompt // ends here, or nil
	blend  bool    // the tokens are a context that policy puts together from chunks, all of it or none
}

// forest joins the distinct prompts, in order of first appearance, by their common beginnings: one tree for all that share, and
// one for each that does not. Roots have no tokens.
func forest(all [][]*prompt) []*node {
	shared := &node{}
	roots := []*node{shared}
	known := map[*prompt]bool{}
	for _, row := range all {
		for _, p := range row {
			if known[p] {
				continue
			}
			known[p] = true
			root := shared
			if p.alone {
				root = &node{}
				roots = append(roots, root)
			}
			root.add(p)
		}
	}
	if len(shared.kids) == 0 {
		return roots[1:]
	}
	return roots
}

// add inserts a prompt, in the parts that its policy divides it into.
func (n *node) add(p *prompt) {
	if p.policy.Retrieve != nil && p.context > 0 {
		n = n.context(p.tokens[:p.context], p.policy)
		n.insert(p.tokens[p.context:], p.policy).prompt = p
		return
	}
	if begin := p.policy.Beginning; begin != nil && !p.alone {
		policy, rows := begin(len(p.tokens))
		if rows = min(rows, len(p.tokens)-1); rows > 0 { // a prompt ends at a node of its own
			n = n.insert(p.tokens[:rows], policy)
			n.insert(p.tokens[rows:], p.policy).prompt = p
			return
		}
	}
	n.insert(p.tokens, p.policy).prompt = p
}

// context returns the node below n that blends the tokens given.
func (n *node) context(tokens []int32, policy *engine.Policy) *node {
	for _, k := range n.kids {
		if k.blend && k.policy.Generation() == policy.Generation() && slices.Equal(k.tokens, tokens) {
			return k
		}
	}
	k := &node{tokens: tokens, policy: policy, blend: true}
	n.kids = append(n.kids, k)
	return k
}

// insert returns the node below n at which tokens end, computed under policy.
func (n *node) insert(tokens []int32, policy *engine.Policy) *node {
	if len(tokens) == 0 {
		return n
	}
	for _, k := range n.kids {
		c := common(k.tokens, tokens)
		if c == 0 || k.blend || k.policy.Generation() != policy.Generation() {
			continue
		}
		if c < len(k.tokens) { // split the kid
			k.kids = []*node{{tokens: k.tokens[c:], policy: k.policy, kids: k.kids, prompt: k.prompt}}
			k.tokens, k.prompt = k.tokens[:c], nil
		}
		return k.insert(tokens[c:], policy)
	}
	k := &node{tokens: tokens, policy: policy}
	n.kids = append(n.kids, k)
	return k
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

// fill computes the prompts of a tree.
func (j *Job) fill(ctx context.Context, root *node) error {
	below := root.prompts()
	var users []engine.Policy
	for _, p := range below {
		users = append(users, p.users...)
	}
	open := j.Engine.Open(engine.Policy{}, users...)
	if j.Engine.Model.Shape().LengthDependent {
		open.RopeLength = len(below[0].tokens) // there is no other
	}
	above := spent{watch: make([]float64, len(j.Policies))}
	if j.Prefix != nil {
		above.trail = j.Prefix.Root()
	}
	var apart shelf
	defer apart.release()
	return j.grow(ctx, root, open, above, &apart)
}

// prompts lists those of a node and of all below it.
func (n *node) prompts() (list []*prompt) {
	if n.prompt != nil {
		list = append(list, n.prompt)
	}
	for _, k := range n.kids {
		list = append(list, k.prompts()...)
	}
	return list
}

// grow computes the tokens of n on top of session s, which it takes over, and then the nodes below. above is what was spent so far, apart the
// chunks computed apart.
func (j *Job) grow(ctx context.Context, n *node, s *engine.Session, above spent, apart *shelf) error {
	path := above
	if len(n.tokens) > 0 {
		if err := j.compute(ctx, n, s, &path, apart); err != nil {
			s.Release()
			return err
		}
	}
	if n.prompt != nil {
		n.prompt.session, n.prompt.spent = s, path
	} else {
		defer s.Release()
	}
	for _, k := range n.kids {
		if err := j.grow(ctx, k, s.Fork(*k.policy), path, apart); err != nil {
			return err
		}
	}
	return nil
}

// compute appends the tokens of n to session s, those that the prefix cache has from there, and adds what that took to path.
func (j *Job) compute(ctx context.Context, n *node, s *engine.Session, path *spent, apart *shelf) error {
	start, shape := time.Now(), j.Engine.Model.Shape()
	if n.blend {
		s.Unwatch() // observers see all rows or none
	}
	step := prefix.Step{Trail: path.trail, Generation: n.policy.Generation(), Tokens: n.tokens, Whole: n.blend || n.policy.WholePrompt || shape.LengthDependent}
	if n.prompt != nil {
		step.Logits = n.prompt.logits
	}
	done := 0
	if j.Prefix != nil {
		if shape.LengthDependent {
			step.Generation += fmt.Sprintf(" of %d", s.RopeLength)
		}
		if n.blend || n.policy.WholePrompt { // every row depends on all tokens
			step.Generation += " of " + outputs.HashTokens(n.tokens)
		}
		var err error
		if done, err = j.Prefix.Restore(&step, s, shape); err != nil {
			return err
		}
		path.trail, _ = path.trail.Extend(step.Generation, n.tokens)
		path.seconds += time.Since(start).Seconds()
	}
	if rest := n.tokens[done:]; len(rest) > 0 {
		seconds, err := j.forward(ctx, n, s, rest, &step, path, apart)
		if err != nil {
			return err
		}
		j.computed.Add(int64(len(rest)))
		path.seconds += seconds
		if j.Prefix != nil {
			if err := j.Prefix.Store(&step, s, shape); err != nil {
				return err
			}
		}
	}
	path.cost = path.cost.Add(s.Cost)
	path.watch = slices.Clone(path.watch)
	for i, p := range j.Policies {
		path.watch[i] += s.WatchSeconds(p)
	}
	return nil
}

// plan is an upper bound of the cache bytes that an example needs at once: every distinct stretch of prompts, and for
// each branch what its method keeps as a copy, what the conversation adds, and the fork of the longest answer.
func (j *Job) plan(a *Asked, prompts [][]*prompt) int64 {
	room := Room{j.Engine.Model.Shape(), j.Engine.Store}
	pages := room.pages
	var n int64
	for _, root := range forest(prompts) {
		n += root.pages(pages) + root.apart(func(c *engine.Chunking, tokens int) int64 {
			return int64(tokens/c.Chunk+1) * pages(min(c.Chunk, tokens))
		})
	}
	replay := int64(0) // of the prompt, once more, by one method after the other
	for i := range j.Policies {
		p := &j.Policies[i]
		for _, script := range a.Scripts[i] {
			n += room.kept(p, len(script.First))
			replay = max(replay, room.replay(p, len(script.First)))
			history, longest := 0, 0
			for _, t := range script.Turns {
				ask, answer := script.Ask[t], script.MaxAnswer[t]
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
	return n + replay
}

func (n *node) pages(pages func(int) int64) int64 {
	sum := pages(len(n.tokens))
	for _, k := range n.kids {
		sum += k.pages(pages)
	}
	return sum
}
