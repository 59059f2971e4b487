package stages

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/zeebo/blake3"

	"scbench/datasets/metric"
	"scbench/outputs"
	"scbench/stages/engine"
)

// score makes the rows of an example: one for each mode, policy and turn, whatever became of the query.
func (j *Job) score(_ context.Context, a *Answered) ([]outputs.Row, error) {
	if a.refused != nil {
		return j.refusals(a), nil
	}
	rows := j.unasked(a)
	for _, q := range a.Queries {
		if err := q.idle(); err != nil {
			return nil, fmt.Errorf("%s %s, turn %d: %w", a.Task.Name, a.Example.ID, q.Turn+1, err)
		}
		rows = append(rows, j.row(a, q))
	}
	return rows, nil
}

// idle reports a method whose budget is below what it was given, and that in its stage of the cache dropped and skipped nothing all the
// same: its numbers would be those of full attention under another name. Each method of a composition is judged alone, a loading method
// by what a compressing one has left it. A method without a budget promises nothing.
func (q *Query) idle() error {
	prompt, read := q.Branch.prompt.spent.cost, q.Answer.Read
	for _, p := range q.Branch.Policy.Parts() {
		if p.Budget == nil {
			continue
		}
		n := len(q.Branch.Script.First)
		nothing := false
		switch {
		case p.Generate != nil:
			nothing = prompt.Cells >= prompt.DenseCells
		case p.Copies():
			nothing = q.KeptMean >= float64(len(q.Prompt)) && q.Resident >= q.Logical
		case p.Load != nil:
			n = min(n, q.KeptMax)
			nothing = read.Rows > 0 && read.Cells >= read.Stored
		default:
			nothing = true
		}
		if budget := p.Budget(n); nothing && budget < n {
			return fmt.Errorf("method %s did nothing: of %d tokens it was to keep or read %d, and kept and read all of them", p.Name, n, budget)
		}
	}
	return nil
}

// head is what all rows of one query have, answered or not.
func (j *Job) head(a *Asked, policy *engine.Policy, s *Script, turn int) outputs.Result {
	r := j.Base
	t := a.Example.Turns[turn]
	r.Key = j.key(a.Work, s.Mode, policy.Name, turn)
	r.Question = int32(a.Example.Place(turn))
	r.Part, r.Skill, r.Answers = t.Part, string(a.Task.Skill), t.Answers
	r.Profile, r.Seed, r.DataHash = a.Source.Profile, a.Source.Seed, a.Source.DataHash
	r.MethodHash = hashText(policy.Name)
	r.ScorerVersion = metric.Version
	r.TruncatedTokens, r.Evidence = int32(s.Dropped), s.Evidence[turn]
	r.EvidenceDepth, r.ContextDeflated = depth(a.Example, turn), a.deflated
	if policy.Budget != nil {
		n := int32(policy.Budget(len(s.First)))
		r.BudgetTokens = &n
	}
	return r
}

func hashText(s string) string {
	sum := blake3.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// row is the row of an answered query.
func (j *Job) row(a *Answered, q *Query) outputs.Row {
	t, ans := a.Example.Turns[q.Turn], q.Answer
	r := j.head(a.Asked, q.Branch.Policy, q.Branch.Script, q.Turn)
	r.PromptHash = outputs.HashTokens(q.Prompt)
	r.Prediction = j.Prompter.Tokenizer.Decode(ans.Tokens, true)
	r.PredictionRaw = j.Prompter.Tokenizer.Decode(ans.Tokens, false)
	r.Status, r.Finish = outputs.OK, outputs.Length
	if ans.Stopped {
		r.Finish = outputs.Stopped
	}
	sc := a.Task.Score(r.Prediction, t)
	switch {
	case ans.Timeout:
		r.Status, sc = outputs.TimedOut, metric.Scores{}
		why := fmt.Sprintf("the answer was cut off after %g seconds", j.Limit)
		r.Error = &why
	case q.Branch.Script.Dropped > 0:
		r.Status = outputs.Truncated
	case r.Prediction == "":
		r.Status = outputs.Empty
	}
	r.ScoreStrict, r.ScoreFixed = &sc.Strict, &sc.Fixed
	r.PromptTokens, r.ComputedTokens = int32(len(q.Prompt)), int32(q.Computed)
	r.CachedTokens, r.NewTokens = r.PromptTokens-r.ComputedTokens, int32(len(ans.Tokens))
	r.KeptMin, r.KeptMean, r.KeptMax = int32(q.KeptMin), q.KeptMean, int32(q.KeptMax)
	r.KeptHeads, r.KeptPlaces = q.KeptHeads, q.KeptPlaces
	r.KVBytesLogical, r.KVBytesResident = q.Logical, q.Resident
	r.KVBytesShared = q.Shared
	if ans.Read.Rows > 0 {
		r.ReadBytesPerToken = float64(ans.Read.ReadBytes) / float64(ans.Read.Rows)
	}
	agree(&r, ans.Agreement)
	r.RecomputedShare = q.Recomputed
	r.PrefillCells, r.PrefillCellsDense = q.Cost.Cells, q.Cost.DenseCells
	r.DecodeCells, r.DecodeCellsDense = ans.Read.Cells, ans.Read.DenseCells
	return outputs.Row{Result: r, Timing: q.timing()}
}

// agree fills in the comparison with full attention; the columns stay NULL where there was none.
func agree(r *outputs.Result, a engine.Agreement) {
	if a.Steps == 0 {
		return
	}
	top1, kl := float64(a.Same)/float64(a.Steps), a.KL/float64(a.Steps)
	r.Top1Agreement, r.KLFull = &top1, &kl
	if a.Diverged >= 0 {
		n := int32(a.Diverged)
		r.FirstDivergingToken = &n
	}
}

func (q *Query) timing() outputs.Timing {
	t := outputs.Timing{Prefill: q.Prefill, Chunks: q.Chunks, Question: q.Question, Token: q.Answer.Seconds}
	if q.first() {
		t.Cache = q.Branch.seconds
	}
	t.TTFT = t.Prefill + t.Cache + t.Question
	for _, s := range q.Answer.Seconds {
		t.Decode += s
	}
	if t.Decode > 0 {
		t.TokensPerSecond = float64(len(q.Answer.Seconds)) / t.Decode
	}
	t.PeakRSS = PeakRSS()
	t.Started, t.Finished = q.Started.UnixMicro(), q.Finished.UnixMicro()
	return t
}

// refusals are the rows of an example that was not run: score 0, and still in every denominator.
func (j *Job) refusals(a *Answered) []outputs.Row {
	rows := j.unasked(a)
	for i, list := range a.Scripts {
		for _, s := range list {
			rows = append(rows, j.refusal(a.Asked, i, s, a.refused.Error())...)
		}
	}
	return rows
}

// unasked are the rows of the prompts that were refused.
func (j *Job) unasked(a *Answered) (rows []outputs.Row) {
	for i, list := range a.Refused {
		for _, s := range list {
			rows = append(rows, j.refusal(a.Asked, i, s, s.Refused)...)
		}
	}
	return rows
}

func (j *Job) refusal(a *Asked, policy int, s *Script, why string) (rows []outputs.Row) {
	for _, turn := range s.Turns {
		r := j.head(a, &j.Policies[policy], s, turn)
		r.Status, r.Error = outputs.Refused, &why
		r.ScoreStrict, r.ScoreFixed = new(float64), new(float64)
		r.PromptTokens = int32(len(s.First))
		rows = append(rows, outputs.Row{Result: r})
	}
	return rows
}

// Keys are the keys of the rows that an example will have.
func (j *Job) Keys(w Work) []outputs.Key {
	var keys []outputs.Key
	for _, mode := range j.Modes {
		for _, p := range j.Policies {
			for turn := range w.Example.Turns {
				keys = append(keys, j.key(w, mode, p.Name, turn))
			}
		}
	}
	return keys
}

func (j *Job) key(w Work, mode outputs.Mode, method string, turn int) outputs.Key {
	k := outputs.Key{Task: w.Task.Name, Example: w.Example.ID, Turn: int32(turn + 1), Mode: mode, Method: method, History: outputs.NoHistory}
	if mode == outputs.MultiTurn {
		k.History = j.History
	}
	return k
}
