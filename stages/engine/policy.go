package engine

import (
	"context"
	"fmt"
	"slices"

	"scbench/kernels"
	"scbench/stages/kv"
)

// Policy is how one method treats the cache. A nil field means: as full attention does. The functions are pure
// and may be called concurrently for different heads and rows; they keep no state of their own.
type Policy struct {
	Name string // the method's specification with all its settings, as results record it

	// Rewrite shortens the shared context before it is tokenized.
	Rewrite func(ctx context.Context, text string) (string, error)

	// Generate plans the attention of rows of the first prompt in one layer.
	Generate func(layer int, t Tile) Plan
	// WholePrompt says that Generate must see the first prompt in one pass. Unset, it decides each row by positions alone, so that a
	// prompt may be prefilled in parts, and share its beginning with other prompts, without changing a number.
	WholePrompt bool
	// Beginning is the policy that computes the first rows of a prompt of n tokens just as this one does, row for row, and how many
	// rows those are: they are computed once for all that begin so. nil: none but those of the same Generation.
	Beginning func(n int) (p *Policy, rows int)

	// Retrieve puts the context of the first prompt together from chunks computed apart; its rows are computed by no Generate.
	Retrieve *Chunking

	// Window is the number of last rows of the first prompt whose queries Compress and Index want to see. They may be given
	// more, if others ask for more, and take what they want with Window.Last.
	Window int
	// Observe is what else watches the first prompt for this policy; Compress, Revise and Index find it as kv.Layer.Observer.
	Observe []Observation
	// Compress decides, once the first prompt is in the cache, which tokens stay. An edit that renumbers tokens must leave all heads
	// of all layers equally many.
	Compress func(layer int, l *kv.Layer, w kv.Window) kv.Edit
	// Revise is Compress for methods that decide over all layers at once, or that must run the model once more: it may fork the
	// session, watch the fork and feed it, must have the session Spend what that cost, and must release it. It returns an edit per layer.
	Revise func(ctx context.Context, e *Engine, s *Session) ([]kv.Edit, error)
	// Quantise is the format that full pages of what stays are stored in, all but those that hold any of the last Residual tokens;
	// 0: that of the store. What is appended later is not quantised.
	Quantise kernels.PageFormat
	Residual int
	// Index builds, after Compress, what Load searches.
	Index func(layer int, l *kv.Layer, w kv.Window) kv.Index
	// Load says which slots a row reads; called for every row after the first prompt and every KV head. It appends to dst[m] the
	// slots of query head m of the group, and returns the bytes of the index that it looked at to decide.
	Load func(layer int, l *kv.Layer, q Query, dst [][]kv.Span) (examined int64)

	// Together says that Load wants to see the queries of all rows of a pass, which makes its choice depend on how prompts are fed.
	Together bool

	// Budget is the nominal number of tokens that a query reads, or that stay, of a context of n; nil: all.
	Budget func(n int) int

	parts []Policy // what Compose made it of
}

// Observation is an observer that a policy needs in every layer. Equal names mean equal observers: they are made once.
type Observation struct {
	Name string
	New  func(layer int) kv.Observer
}

// Generation names what shapes the first prompt: "" for dense attention. Policies with the same Generation compute the same keys and
// values from the same prompt, and so share them.
func (p *Policy) Generation() string {
	if p.Generate == nil && p.Retrieve == nil {
		return ""
	}
	for _, q := range p.parts {
		if q.Generate != nil || q.Retrieve != nil {
			return q.Name
		}
	}
	return p.Name
}

// Rewriting names what rewrites the context: "" if nothing does. Policies with the same Rewriting ask about the same text.
func (p *Policy) Rewriting() string {
	if p.Rewrite == nil {
		return ""
	}
	for _, q := range p.parts {
		if q.Rewrite != nil {
			return q.Name
		}
	}
	return p.Name
}

// Full reports whether the policy decides nothing: full attention.
func (p *Policy) Full() bool {
	return p.Rewrite == nil && p.Generate == nil && p.Retrieve == nil && p.Compress == nil && p.Revise == nil && p.Quantise == 0 && p.Index == nil && p.Load == nil
}

// suits reports a policy that has nothing to decide about in a model whose layers are all recurrent.
func (p *Policy) suits(s Shape) error {
	if s.State > 0 && s.Layers == 0 && p.Rewrite == nil && !p.Full() {
		return fmt.Errorf("method %s: it works on attention, and all layers of the model are recurrent: use full, or a method that shortens the prompt", p.Name)
	}
	return nil
}

// Copies reports whether branches under the policy hold a copy of what stays of the first prompt, rather than the prompt itself.
func (p *Policy) Copies() bool { return p.Compress != nil || p.Revise != nil || p.Quantise != 0 }

// observes reports whether the policy wants the observation of that name.
func (p *Policy) observes(name string) bool {
	return slices.ContainsFunc(p.Observe, func(o Observation) bool { return o.Name == name })
}

// Parts are the policies that this one was composed of; itself, if it is one method alone.
func (p *Policy) Parts() []Policy {
	if len(p.parts) > 0 {
		return p.parts
	}
	return []Policy{*p}
}

// Tile is the rows of one forward pass over one session, in one layer.
type Tile struct {
	Lo, Hi  int // positions of the rows: [Lo, Hi)
	Heads   int // query heads
	KVHeads int
	Dim     int
	Layer   *kv.Layer // holds the keys of all rows before Hi
	// Queries computes the queries of the rows at positions [lo, hi), [hi-lo, Heads, Dim], after RoPE, not scaled.
	// It computes on the pool, so it must not be called from a task of it.
	Queries func(lo, hi int) []float32
	Pool    *kernels.Pool // for what a plan can work out for its heads side by side
}

// Plan says for each query head which keys its rows read.
type Plan struct {
	Cuts  []int32   // ascending positions at which patterns change; a pattern is never asked for rows on both sides of one
	Heads []Pattern // one per query head, or a single one for all; a nil Pattern is dense
}

// Pattern appends to dst the keys that the queries at positions [lo, hi) read. Spans may overlap; a key is
// read once, and none after the query is ever read.
type Pattern func(dst []kv.Span, lo, hi int32) []kv.Span

// Query is one row that is about to read the cache of one KV head.
type Query struct {
	Group  []float32 // [query heads that share KVHead, Dim]: the row's queries, after RoPE, not scaled
	KVHead int
	Slots  int // the row may read slots [0, Slots); its own token is the last of them
	// Together is the queries of all rows that are computed in one pass with this one, [rows, query heads, Dim], if the policy is
	// Together; else nil.
	Together []float32
}

// Member returns the query of head m of the group, of dim numbers.
func (q Query) Member(m, dim int) []float32 { return q.Group[m*dim : (m+1)*dim] }

// Compose merges policies of different stages into one. Two that decide the same thing are an error naming both.
func Compose(ps ...Policy) (Policy, error) {
	var out Policy
	owner := map[string]string{}
	claim := func(field, name string, set bool) error {
		if !set {
			return nil
		}
		if other, taken := owner[field]; taken {
			return fmt.Errorf("methods %s and %s both decide what to %s: use one of them", other, name, field)
		}
		owner[field] = name
		return nil
	}
	for i, p := range ps {
		for _, err := range []error{
			claim("rewrite", p.Name, p.Rewrite != nil), claim("generate", p.Name, p.Generate != nil || p.Retrieve != nil),
			claim("compress", p.Name, p.Compress != nil || p.Revise != nil), claim("quantise", p.Name, p.Quantise != 0), claim("index", p.Name, p.Index != nil), claim("load", p.Name, p.Load != nil),
		} {
			if err != nil {
				return Policy{}, err
			}
		}
		out = out.with(p, i == 0)
	}
	if len(ps) > 1 {
		out.parts = ps
	}
	return out, out.visible()
}

// visible reports a policy that wants to see queries of the first prompt which its Retrieve does not compute.
func (p *Policy) visible() error {
	if p.Retrieve == nil || len(p.Observe) == 0 && p.Window <= p.Retrieve.Last {
		return nil
	}
	for _, q := range p.Parts() {
		if len(q.Observe) > 0 {
			return fmt.Errorf("method %s observes the queries of all rows of a prompt, and %s does not compute them: use one of them", q.Name, p.Generation())
		}
		if q.Window > p.Retrieve.Last {
			return fmt.Errorf("method %s observes the last %d queries of a prompt, and %s computes the last %d in any case: raise last", q.Name, q.Window, p.Generation(), p.Retrieve.Last)
		}
	}
	return nil
}

// with returns p with the fields that q sets.
func (p Policy) with(q Policy, first bool) Policy {
	if first {
		return q
	}
	p.Name += "+" + q.Name
	p.Window = max(p.Window, q.Window)
	if q.Rewrite != nil {
		p.Rewrite = q.Rewrite
	}
	if q.Generate != nil {
		p.Generate, p.WholePrompt, p.Beginning = q.Generate, q.WholePrompt, q.Beginning
	}
	if q.Retrieve != nil {
		p.Retrieve = q.Retrieve
	}
	p.Observe = append(p.Observe[:len(p.Observe):len(p.Observe)], q.Observe...)
	if q.Compress != nil || q.Revise != nil {
		p.Compress, p.Revise = q.Compress, q.Revise
	}
	if q.Quantise != 0 {
		p.Quantise, p.Residual = q.Quantise, q.Residual
	}
	if q.Index != nil {
		p.Index = q.Index
	}
	if q.Load != nil {
		p.Load, p.Together = q.Load, q.Together
	}
	if a, b := p.Budget, q.Budget; a == nil {
		p.Budget = b
	} else if b != nil {
		p.Budget = func(n int) int { return min(a(n), b(n)) }
	}
	return p
}
