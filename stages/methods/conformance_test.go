package methods

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// conforming has, per method, specifications small enough to act on a prompt of promptRows, and those without a limit, which must be
// full attention bit for bit. A method that is not listed fails TestConformance.
var conforming = map[string]struct{ small, unlimited []string }{
	"full":               {[]string{"full"}, []string{"full"}},
	"ashape":             {[]string{"ashape:init=4,local=32"}, []string{"ashape:init=0,local=1000", "ashape:init=1000,local=1"}},
	"trishape":           {[]string{"trishape:init=4,local=32,last=20"}, []string{"trishape:local=1000", "trishape:init=0,local=1,last=1000"}},
	"minference":         {[]string{"minference:vertical=30,slash=100", "minference:pattern=block_sparse,blocks=2", "minference:pattern=stream_llm,vertical=4,slash=32"}, []string{"minference", "minference:vertical=1000,slash=1", "minference:pattern=block_sparse", "minference:pattern=stream_llm"}},
	"flexprefill":        {[]string{"flexprefill:gamma=0.3,block=32", "flexprefill:gamma=0.3,tau=1,block=32"}, []string{"flexprefill:gamma=1,block=32", "flexprefill:block=32,min=1000"}},
	"xattention":         {[]string{"xattention:threshold=0.3,block=32,chunk=64"}, []string{"xattention:threshold=1,block=32,chunk=64"}},
	"trianglemix":        {[]string{"trianglemix:init=4,local=32,last=20,start=1", "trianglemix:init=4,local=32,last=20,start=1,lower=minference,vertical=30,slash=100"}, []string{"trianglemix", "trianglemix:start=100"}},
	"streamingllm":       {[]string{"streamingllm:init=4,local=32", "streamingllm:init=4,local=32,positions=cache"}, []string{"streamingllm", "streamingllm:positions=cache"}},
	"snapkv":             {[]string{"snapkv:budget=64", "snapkv:budget=1/4,pool=max"}, []string{"snapkv"}},
	"pyramidkv":          {[]string{"pyramidkv:budget=64", "pyramidkv:budget=1/2,beta=3"}, []string{"pyramidkv"}},
	"adakv":              {[]string{"adakv:budget=64", "adakv:budget=1/4,rule=guarded"}, []string{"adakv", "adakv:rule=guarded"}},
	"tova":               {[]string{"tova:budget=64"}, []string{"tova"}},
	"kivi":               {[]string{"kivi:bits=2", "kivi:bits=4,residual=100", "kivi:bits=8"}, []string{"kivi:residual=1000"}},
	"llmlingua2":         {[]string{"llmlingua2:model=toy", "llmlingua2:model=toy,rate=40", "llmlingua2:model=toy,rate=50%,force=,digits=yes,repeats=drop,word=first"}, []string{"llmlingua2:model=toy,rate=100%"}},
	"quest":              {[]string{"quest:budget=64", "quest:budget=64,last=scored", "quest:budget=64,signs=chunk"}, []string{"quest", "quest:page=1,last=scored"}},
	"retrievalattention": {[]string{"retrievalattention:sinks=4,window=32,topk=20,beam=20", "retrievalattention:sinks=4,window=32,topk=1/8,index=flat", "retrievalattention:sinks=0,window=1,topk=20,later=indexed"}, []string{"retrievalattention", "retrievalattention:sinks=0,window=1,topk=1000", "retrievalattention:sinks=4,window=32,topk=100%,later=indexed,index=flat"}},
	"infllm":             {[]string{"infllm:block=16,init=4,local=64,topk=3,repr=2", "infllm:block=10,init=0,local=1,topk=1"}, []string{"infllm", "infllm:block=16,init=4,local=1,topk=100", "infllm:local=1000,topk=1"}},
	"shadowkv":           {[]string{"shadowkv:budget=32,outliers=2", "shadowkv:budget=1/4,chunk=10,outliers=0,local=0"}, []string{"shadowkv", "shadowkv:budget=1000,outliers=0,local=0", "shadowkv:budget=1,outliers=100"}},

	"cacheblend": {[]string{"cacheblend:ratio=0.1,chunk=64,check=0", "cacheblend:ratio=0.3,chunk=100,check=0,last=1"}, []string{"cacheblend", "cacheblend:ratio=1,chunk=64,check=0", "cacheblend:ratio=1,chunk=1,check=0,last=1"}},

	// methods that watch the whole prompt, or run the model again
	"h2o":               {[]string{"h2o:budget=64", "h2o:budget=1/4,recent=1/8,score=mean"}, []string{"h2o", "h2o:budget=1000,recent=1"}},
	"expectedattention": {[]string{"expectedattention:budget=64", "expectedattention:budget=1/4,heads=uniform,spread=none"}, []string{"expectedattention"}},
	"duoattention":      {[]string{"duoattention:sinks=4,recent=32", "duoattention:sinks=0,recent=32,retrieval=0.25,estimate=repeat"}, []string{"duoattention:recent=1000", "duoattention:retrieval=1,recent=1"}},
	"think":             {[]string{"think:recent=32", "think:ratio=0.9,recent=0,window=5"}, []string{"think:recent=1000", "think:ratio=0"}},
	"kvzip":             {[]string{"kvzip:budget=64,chunk=100", "kvzip:budget=1/4,across=layer", "kvzip:budget=1/4,across=head,sinks=0"}, []string{"kvzip"}},
}

// The conversation of the suite: a prompt whose last page is not full, and a follow-up.
const (
	promptRows = 333
	followRows = 5
)

var conformanceShape = engine.Shape{Layers: 2, Heads: 4, KVHeads: 2, Dim: 32, Vocab: 1, Rotate: rotateHalf(10000)}

// chat is a session on random keys, values and queries.
type chat struct {
	t     *testing.T
	pool  *kernels.Pool
	store *kv.Store
}

func newChat(t *testing.T, threads int) *chat {
	pool := kernels.NewPool(threads)
	t.Cleanup(pool.Close)
	return &chat{t, pool, kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, conformanceShape.Dim, 0)}
}

// say feeds rows tokens whose numbers depend on seed, and returns what attention makes of them, layer after layer. A policy that puts
// a prompt together from chunks gets them, and what it says of its prompt is of some rows.
func (c *chat) say(s *engine.Session, rows int, seed uint64) []float32 {
	c.t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	random := func(heads int) []float32 {
		x := make([]float32, rows*heads*conformanceShape.Dim)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	m := &speech{pool: c.pool, rows: rows}
	for range conformanceShape.Layers {
		m.k, m.v = append(m.k, random(conformanceShape.KVHeads)), append(m.v, random(conformanceShape.KVHeads))
		m.q = append(m.q, random(conformanceShape.Heads))
	}
	var err error
	if s.Policy.Retrieve != nil && len(s.Tokens) == 0 {
		e := engine.Engine{Model: m, Store: c.store, Pool: c.pool}
		chunks := c.chunks(m, s.Policy.Retrieve.Chunk)
		_, err = e.Blend(c.t.Context(), engine.Chunk{Session: s}, chunks)
		for _, x := range chunks {
			x.Release()
		}
	} else {
		err = m.Forward(c.t.Context(), []engine.Chunk{{Session: s, Tokens: make([]int32, rows)}})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return m.out
}

// speech is a model whose last rows rows have the keys, values and queries given, per layer.
type speech struct {
	pool    *kernels.Pool
	rows    int
	k, v, q [][]float32
	out     []float32
}

// Shape is that of the conformance suite.
func (*speech) Shape() engine.Shape { return conformanceShape }

// Forward runs one chunk.
func (m *speech) Forward(ctx context.Context, batch []engine.Chunk) error {
	step, err := engine.Begin(ctx, conformanceShape, m.pool, batch)
	if err != nil {
		return err
	}
	var at []int32
	for i := range step.Rows {
		at = append(at, int32(m.rows-step.Rows+i))
	}
	for l := range conformanceShape.Layers {
		if err := step.Append(l, pick(m.k[l], at, m.rows), pick(m.v[l], at, m.rows), 0, step.Rows); err != nil {
			return err
		}
		if rows := step.Select(l); rows != nil {
			at = pick(at, rows, len(at))
		}
		q := pick(m.q[l], at, m.rows)
		w := len(q) / step.Rows
		step.Plan(l, func(lo, hi int) []float32 { return slices.Clone(q[lo*w : hi*w]) })
		out := make([]float32, len(q))
		step.Attend(l, out, q, 0, step.Rows)
		m.out = append(m.out, out...)
	}
	return step.End()
}

// pick returns the rows at of x [rows, ..].
func pick[T any](x []T, at []int32, rows int) (out []T) {
	w := len(x) / rows
	for _, i := range at {
		out = append(out, x[int(i)*w:(int(i)+1)*w]...)
	}
	return out
}

// chunks are sessions that hold a speech in parts, of which the first has the same keys and values and the others have other ones.
func (c *chat) chunks(m *speech, size int) (chunks []*engine.Session) {
	c.t.Helper()
	for lo := 0; lo < m.rows; lo += size {
		part := &speech{pool: c.pool, rows: min(size, m.rows-lo)}
		for l := range m.k {
			of := func(x []float32) []float32 {
				w := len(x) / m.rows
				y := slices.Clone(x[lo*w : (lo+part.rows)*w])
				for i := range y {
					y[i] *= float32(1 + lo)
				}
				return y
			}
			part.k, part.v, part.q = append(part.k, of(m.k[l])), append(part.v, of(m.v[l])), append(part.q, of(m.q[l]))
		}
		s := engine.NewSession(conformanceShape, c.store, engine.Policy{})
		if err := part.Forward(c.t.Context(), []engine.Chunk{{Session: s, Tokens: make([]int32, part.rows)}}); err != nil {
			c.t.Fatal(err)
		}
		chunks = append(chunks, s)
	}
	return chunks
}

// converse runs a whole conversation and returns all of attention's answers, but for those to a prompt that is put together from chunks, and what the prompt and the follow-up cost.
func (c *chat) converse(spec string) (out []float32, prompt, follow engine.Cost) {
	c.t.Helper()
	p := c.policy(spec)
	s := engine.NewSession(conformanceShape, c.store, p)
	defer s.Release()
	if out = c.say(s, promptRows, 1); p.Retrieve != nil {
		out = nil
	}
	prompt = s.Cost
	c.settle(s)
	f := s.Fork(p)
	defer f.Release()
	out = append(out, c.say(f, followRows, 2)...)
	return append(out, c.say(f, 1, 3)...), prompt, f.Cost
}

func (c *chat) policy(spec string) engine.Policy {
	c.t.Helper()
	p, err := ParseWith(spec, conformanceShape, toyEncoders)
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// TestConformance is what every method must hold to.
func TestConformance(t *testing.T) {
	for _, m := range All {
		specs, ok := conforming[m.Name]
		if !ok {
			t.Errorf("method %s is not in the table of this test", m.Name)
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			c := newChat(t, 1)
			full, _, _ := c.converse("full")
			if m.Stage == engine.Retrieval {
				full = full[promptRows*len(full)/(promptRows+followRows+1):]
			}
			for _, spec := range specs.unlimited {
				if got, _, _ := c.converse(spec); !slices.Equal(got, full) {
					t.Errorf("%s is not full attention, bit for bit", spec)
				}
				c.rewrites(spec, false)
			}
			for _, spec := range specs.small {
				got, prompt, follow := c.converse(spec)
				acts := spec != "full" && !c.rewrites(spec, true)
				if acts && slices.Equal(got, full) || prompt.Cells > prompt.DenseCells || follow.Cells > follow.DenseCells {
					t.Errorf("%s: %d of %d cells in the prompt and %d of %d after it, and the answers of full attention: %v",
						spec, prompt.Cells, prompt.DenseCells, follow.Cells, follow.DenseCells, slices.Equal(got, full))
				}
				if two, _, _ := newChat(t, 2).converse(spec); !slices.Equal(got, two) {
					t.Errorf("%s: two threads compute other numbers than one", spec)
				}
				c.forks(spec)
				c.budget(spec, prompt)
			}
			if n := c.store.InUse(); n != 0 {
				t.Errorf("%d bytes left", n)
			}
			refuses(t, m)
		})
	}
}

// budget checks that a budget says no less than what attention of the prompt reads per row, for methods that shape it.
func (c *chat) budget(spec string, prompt engine.Cost) {
	c.t.Helper()
	p := c.policy(spec)
	if p.Budget == nil {
		return
	}
	n := p.Budget(promptRows)
	if n < 1 || n > promptRows {
		c.t.Errorf("%s: a budget of %d tokens of %d", spec, n, promptRows)
	}
	if p.Generate != nil && n < promptRows && prompt.Cells >= prompt.DenseCells {
		c.t.Errorf("%s: a budget of %d tokens, and yet all cells are computed", spec, n)
	}
}

// forks checks that what a branch decodes leaves its parent and the parent's next branch as they were.
func (c *chat) forks(spec string) {
	c.t.Helper()
	p := c.policy(spec)
	parent := engine.NewSession(conformanceShape, c.store, p)
	defer parent.Release()
	c.say(parent, promptRows, 1)
	c.settle(parent)
	before := contents(parent)
	var first []float32
	for i := range 3 {
		f := parent.Fork(p)
		if i == 1 { // another conversation in between
			c.say(f, 70, 9)
			f.Release()
			continue
		}
		got := c.say(f, followRows, 2)
		f.Release()
		if first == nil {
			first = got
		} else if !slices.Equal(got, first) {
			c.t.Errorf("%s: a branch answers differently after another was decoded", spec)
		}
	}
	if !slices.Equal(contents(parent), before) {
		c.t.Errorf("%s: a branch changed its parent's cache", spec)
	}
}

// contents are all keys and values that a session holds.
func contents(s *engine.Session) []float32 {
	var all []float32
	x := make([]float32, conformanceShape.Dim)
	for _, l := range s.Layers {
		for h := range l.Heads() {
			for i := range l.Slots(h) {
				l.Key(x, h, i)
				all = append(all, x...)
				l.Value(x, h, i)
				all = append(all, x...)
			}
		}
	}
	return all
}

// refuses checks that settings out of range are errors that name method and setting.
func refuses(t *testing.T, m *engine.Method) {
	t.Helper()
	for _, p := range m.Params {
		if m.Name+"."+p.Name == "llmlingua2.force" { // any text will do
			continue
		}
		for _, bad := range []string{"-1", "no/such"} {
			_, err := Parse(m.Name+":"+p.Name+"="+bad, conformanceShape)
			if want := "method " + m.Name + ": " + p.Name + "=" + bad; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s=%s: error %v, want one that says %q", p.Name, bad, err, want)
			}
		}
	}
	if _, err := Parse(m.Name+":nonsense=1", conformanceShape); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("an unknown setting: %v", err)
	}
}
