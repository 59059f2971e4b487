package stages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"scbench/outputs"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// Answered is an example with the answers of all its queries.
type Answered struct {
	*Asked
	Queries []*Query // in order of mode, policy and turn
	refused error
}

// Query is one question with its answer and what both cost.
type Query struct {
	Turn   int // from 0
	Branch *Branch
	Answer *engine.Answer

	Prompt   []int32 // the whole logical prompt
	Computed int     // of its tokens, those computed for this query; in a branch's first query the first prompt is
	Cost     engine.Cost

	KeptMin, KeptMax          int
	KeptMean                  float64
	KeptHeads, KeptPlaces     []int32 // where something is missing, of a branch's first query: see engine.Session.Retention
	Logical, Resident, Shared int64   // bytes of the cache when the answer starts, as Session.Bytes

	Recomputed        *float64 // share of the first prompt computed in all layers, if it was put together from chunks
	Prefill, Question float64  // seconds
	Chunks            float64  // of Prefill
	Started, Finished time.Time
}

// decode answers all questions of an example. Turn by turn, the questions of all branches are one ragged batch, and so are
// their answers. An answer is decoded on a fork; with gold history the fork is thrown away and the conversation goes on from
// before it, with own history it goes on from the fork.
func (j *Job) decode(ctx context.Context, b *Branched) (_ *Answered, err error) {
	defer b.Release()
	a := &Answered{Asked: b.Asked, refused: b.refused}
	perBranch := make(map[*Branch][]*Query, len(b.Branches)) // looked up, never iterated
	for turn := range b.Example.Turns {
		if a.refused != nil {
			break
		}
		qs, err := j.turn(ctx, b, turn)
		if errors.Is(err, kv.ErrFull) {
			a.refused = errFull
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s, turn %d: %w", b.Task.Name, b.Example.ID, turn+1, err)
		}
		for _, q := range qs {
			perBranch[q.Branch] = append(perBranch[q.Branch], q)
		}
	}
	for _, x := range b.Branches {
		a.Queries = append(a.Queries, perBranch[x]...)
	}
	return a, nil
}

// turn puts one question to every branch that asks it and decodes the answers.
func (j *Job) turn(ctx context.Context, b *Branched, turn int) ([]*Query, error) {
	var branches []*Branch
	for _, x := range b.Branches {
		if slices.Contains(x.Script.Turns, turn) {
			branches = append(branches, x)
		}
	}
	queries := make([]*Query, len(branches))
	forks := make([]*engine.Session, len(branches))
	defer func() {
		for _, f := range forks {
			if f != nil {
				f.Release()
			}
		}
	}()
	var batch []engine.Chunk
	var asked []*Query
	for i, x := range branches {
		q := &Query{Turn: turn, Branch: x, Started: time.Now()}
		queries[i] = q
		if x.Script.Mode == outputs.MultiRequest {
			forks[i] = x.session.Fork(*x.Policy)
		}
		if ask := x.Script.Ask[turn]; ask != nil {
			q.Answer = &engine.Answer{Logits: make([]float32, j.Engine.Model.Shape().Vocab)}
			c := engine.Chunk{Session: x.session, Tokens: append(x.unfed(), ask...), Logits: q.Answer.Logits}
			if forks[i] != nil {
				c.Session = forks[i]
			}
			c.Session.Cost = engine.Cost{}
			q.Computed = len(c.Tokens)
			batch, asked = append(batch, c), append(asked, q)
		} else {
			q.Answer = &engine.Answer{Logits: append([]float32(nil), x.prompt.logits...)}
		}
		if q.first() {
			prompt := x.prompt.spent
			q.Prefill, q.Chunks, q.Cost = prompt.seconds, prompt.chunks, prompt.cost.Add(x.cost)
			if x.Policy.Retrieve != nil && prompt.cost.Rows > 0 {
				share := float64(prompt.cost.Fresh) / float64(prompt.cost.Rows)
				q.Recomputed = &share
			}
			q.Computed += len(x.Script.First)
		}
	}
	if err := j.ask(ctx, batch, asked); err != nil {
		return nil, err
	}
	answers := make([]*engine.Answer, len(queries))
	for i, q := range queries {
		if forks[i] == nil {
			forks[i] = q.Branch.session.Fork(*q.Branch.Policy)
		}
		q.measure(forks[i])
		q.Answer.Session, q.Answer.Max, q.Answer.Stop, q.Answer.Limit = forks[i], q.Branch.Script.MaxAnswer[turn], j.Stop, j.Limit
		answers[i] = q.Answer
	}
	against(queries)
	if err := j.Engine.Decode(ctx, answers); err != nil {
		return nil, err
	}
	for i, q := range queries {
		q.Finished = time.Now()
		if j.History == outputs.OwnHistory && q.Branch.Script.Mode == outputs.MultiTurn {
			q.Branch.goOn(q.Answer)
			forks[i] = nil
		}
		q.Answer.Session = nil
	}
	return queries, nil
}

// against lets every answer be compared with that of full attention to the same prompt, if that is asked for in the run. With own
// history, conversations part when answers do, and are compared no further.
func against(queries []*Query) {
	for _, full := range queries {
		if !full.Branch.Policy.Full() {
			continue
		}
		for _, q := range queries {
			if q != full && q.Branch.Script.Mode == full.Branch.Script.Mode && slices.Equal(q.Prompt, full.Prompt) {
				q.Answer.Against = full.Answer
			}
		}
	}
}

// first says whether the query is the one that pays for what its branch computed before any question.
func (q *Query) first() bool { return q.Turn == q.Branch.Script.Turns[0] }

// ask feeds the questions of one turn.
func (j *Job) ask(ctx context.Context, batch []engine.Chunk, queries []*Query) error {
	if len(batch) == 0 {
		return nil
	}
	seconds, err := j.Engine.Forward(ctx, batch)
	if err != nil {
		return err
	}
	for i, q := range queries {
		q.Question = seconds[i]
		q.Cost = q.Cost.Add(batch[i].Session.Cost)
	}
	return nil
}

// measure reads off the cache what the answer starts from.
func (q *Query) measure(s *engine.Session) {
	q.Prompt = s.Tokens[:len(s.Tokens):len(s.Tokens)]
	q.KeptMin, q.KeptMean, q.KeptMax = s.Kept()
	q.Logical, q.Resident, q.Shared = s.Bytes()
	if q.first() && q.KeptMin < len(q.Prompt) {
		q.KeptHeads, q.KeptPlaces = s.Retention(outputs.KeptParts)
	}
}

// goOn continues a conversation from the fork on which the model answered.
func (b *Branch) goOn(a *engine.Answer) {
	b.session.Release()
	b.session = a.Session
	b.pending = append([]int32(nil), a.Tokens[a.Fed:]...)
}

// unfed returns the tokens of the last answer that are not yet in the cache, once.
func (b *Branch) unfed() []int32 {
	p := b.pending
	b.pending = nil
	return p
}
