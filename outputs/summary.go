package outputs

import (
	"cmp"
	"slices"
)

// Mean is a mean in the making. Failures count in it, with score 0; what does not apply does not.
type Mean struct {
	Sum float64 `json:"sum"`
	N   int     `json:"n"`
}

// Add takes a value in.
func (m *Mean) Add(x float64) { m.Sum += x; m.N++ }

// Value returns the mean; ok is false where nothing was added.
func (m Mean) Value() (x float64, ok bool) {
	if m.N == 0 {
		return 0, false
	}
	return m.Sum / float64(m.N), true
}

// Share is a number of attention cells, and what dense attention would have computed.
type Share struct {
	Computed int64 `json:"computed"`
	Dense    int64 `json:"dense"`
}

func (s *Share) add(computed, dense int64) { s.Computed += computed; s.Dense += dense }

// TurnMean holds the scores of one turn over the examples.
type TurnMean struct {
	Turn   int32 `json:"turn"` // from 1
	Strict Mean  `json:"strict"`
	Fixed  Mean  `json:"fixed"`
}

// Part holds the scores of one subtask; a task that is not mixed has one, without a name.
type Part struct {
	Name   string     `json:"name"`
	Strict Mean       `json:"strict"` // over queries
	Fixed  Mean       `json:"fixed"`
	Turns  []TurnMean `json:"turns"` // ascending; only turns that were asked

	Cut        Mean `json:"evidence_cut"` // Fixed over the queries whose evidence truncation cut out
	Answerable Mean `json:"answerable"`   // and over all others
}

// Cell sums up the queries of one task under one method, mode and history.
type Cell struct {
	Mode    Mode    `json:"mode"`
	History History `json:"history"`
	Task    string  `json:"task"`
	Skill   string  `json:"skill"`
	Method  string  `json:"method"`

	N      int    `json:"n"`      // queries, failures included
	Failed int    `json:"failed"` // of those, failures
	Parts  []Part `json:"parts"`  // as first seen

	Deflated Mean `json:"context_deflated"` // bytes of contexts after DEFLATE over before

	// Over the queries that ran; nothing is added for failures.
	Kept     Mean  `json:"kept"`              // tokens kept over prompt tokens
	Resident Mean  `json:"kv_bytes_resident"` // bytes
	Logical  Mean  `json:"kv_bytes_logical"`
	Read     Mean  `json:"read_bytes_per_token"`
	Prefill  Share `json:"prefill_cells"`
	Decode   Share `json:"decode_cells"`
}

// Summary groups results by mode, history, task and method. The zero value is empty; Add streams rows into it.
type Summary struct {
	Cells []Cell `json:"cells"` // as first seen
	index map[cellKey]int
}

type cellKey struct {
	mode         Mode
	history      History
	task, method string
}

// Summarize sums up rows; tasks, methods and modes keep the order in which they come first.
func Summarize(rows []Result) Summary {
	var s Summary
	for i := range rows {
		s.Add(&rows[i])
	}
	return s
}

// Add takes one row in. The sums depend on the order of rows, to the last bit; the files of a run have a fixed one.
func (s *Summary) Add(r *Result) {
	c := s.cell(r)
	c.N++
	p := c.part(r.Part)
	t := p.turn(r.Turn)
	if r.ScoreStrict != nil {
		p.Strict.Add(*r.ScoreStrict)
		t.Strict.Add(*r.ScoreStrict)
	}
	if r.ScoreFixed != nil {
		p.Fixed.Add(*r.ScoreFixed)
		t.Fixed.Add(*r.ScoreFixed)
		if r.Evidence == EvidenceCut {
			p.Cut.Add(*r.ScoreFixed)
		} else {
			p.Answerable.Add(*r.ScoreFixed)
		}
	}
	if r.ContextDeflated != nil {
		c.Deflated.Add(*r.ContextDeflated)
	}
	if r.Status.Failure() {
		c.Failed++
		return
	}
	if r.PromptTokens > 0 {
		c.Kept.Add(r.KeptMean / float64(r.PromptTokens))
	}
	if r.KVBytesLogical > 0 { // else the answer comes from elsewhere, and nothing was measured
		c.Resident.Add(float64(r.KVBytesResident))
		c.Logical.Add(float64(r.KVBytesLogical))
		c.Read.Add(r.ReadBytesPerToken)
	}
	c.Prefill.add(r.PrefillCells, r.PrefillCellsDense)
	c.Decode.add(r.DecodeCells, r.DecodeCellsDense)
}

func (s *Summary) cell(r *Result) *Cell {
	k := cellKey{r.Mode, r.History, r.Task, r.Method}
	i, ok := s.index[k]
	if !ok {
		if s.index == nil {
			s.index = map[cellKey]int{}
		}
		i = len(s.Cells)
		s.index[k] = i
		s.Cells = append(s.Cells, Cell{Mode: r.Mode, History: r.History, Task: r.Task, Skill: r.Skill, Method: r.Method})
	}
	return &s.Cells[i]
}

func (c *Cell) part(name string) *Part {
	i := slices.IndexFunc(c.Parts, func(p Part) bool { return p.Name == name })
	if i < 0 {
		i = len(c.Parts)
		c.Parts = append(c.Parts, Part{Name: name})
	}
	return &c.Parts[i]
}

func (p *Part) turn(turn int32) *TurnMean {
	i, ok := slices.BinarySearchFunc(p.Turns, turn, func(t TurnMean, turn int32) int { return cmp.Compare(t.Turn, turn) })
	if !ok {
		p.Turns = slices.Insert(p.Turns, i, TurnMean{Turn: turn})
	}
	return &p.Turns[i]
}

// Fixed is the task's score in [0, 1] under fixed scoring: the mean over its queries, for a mixed task the mean of its
// subtasks' means, so that the subtask with more queries does not weigh more. ok is false where no score applies.
func (c Cell) Fixed() (x float64, ok bool) { return c.overParts(func(p Part) Mean { return p.Fixed }) }

// Strict is Fixed under the published scoring.
//
// Differs from the reference: a subtask without queries does not count as 0, and every query weighs the same whatever
// number of turns its session has (the reference prints means per turn, and none over them).
func (c Cell) Strict() (x float64, ok bool) {
	return c.overParts(func(p Part) Mean { return p.Strict })
}

func (c Cell) overParts(of func(Part) Mean) (float64, bool) {
	var m Mean
	for _, p := range c.Parts {
		if x, ok := of(p).Value(); ok {
			m.Add(x)
		}
	}
	return m.Value()
}

// Paper is the task's score as the paper has it: published scoring, in multi-turn mode the mean over turns of each turn's mean, so that a turn
// that few sessions have weighs like the first, else the mean over queries; of a mixed task the mean of its subtasks.
//
// Differs from the reference: a subtask that a turn does not ask is left out of that turn, where the reference prints 0.000.
func (c Cell) Paper() (x float64, ok bool) {
	if c.Mode != MultiTurn {
		return c.Strict()
	}
	return c.overParts(func(p Part) (turns Mean) {
		for _, t := range p.Turns {
			if x, ok := t.Strict.Value(); ok {
				turns.Add(x)
			}
		}
		return turns
	})
}

// Answerable is Fixed over the queries whose evidence truncation did not cut out.
func (c Cell) Answerable() (x float64, ok bool) {
	return c.overParts(func(p Part) Mean { return p.Answerable })
}

// Turns returns the fixed scores by turn, ascending, over the queries of all subtasks.
func (c Cell) Turns() []TurnMean {
	var all Part
	for _, p := range c.Parts {
		for _, t := range p.Turns {
			sum := all.turn(t.Turn)
			sum.Strict = Mean{sum.Strict.Sum + t.Strict.Sum, sum.Strict.N + t.Strict.N}
			sum.Fixed = Mean{sum.Fixed.Sum + t.Fixed.Sum, sum.Fixed.N + t.Fixed.N}
		}
	}
	return all.Turns
}

// Decay is the fixed score of turn 1 less the mean of the later turns' scores: what a method that saw only the first question
// loses on the others. In a mixed task it compares turn 1 with later turns of the same subtask. ok is false without later turns.
func (c Cell) Decay() (x float64, ok bool) {
	var decay Mean
	for _, p := range c.Parts {
		if len(p.Turns) < 2 || p.Turns[0].Turn != 1 {
			continue
		}
		first, ok := p.Turns[0].Fixed.Value()
		var later Mean
		for _, t := range p.Turns[1:] {
			if y, ok := t.Fixed.Value(); ok {
				later.Add(y)
			}
		}
		if y, has := later.Value(); ok && has {
			decay.Add(first - y)
		}
	}
	return decay.Value()
}
