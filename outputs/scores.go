package outputs

import (
	"encoding/binary"
	"slices"

	"github.com/zeebo/blake3"

	"scbench/outputs/stats"
)

// Scores are the scores of a run's queries, by cell, as statistics need them. The zero value is empty; Add streams rows
// into it. What the functions return depends on the order of rows, which the files of a run have fixed.
type Scores struct {
	cells []scoreCell
	index map[cellKey]int
}

// scoreCell holds the queries of one task under one method, mode and history.
type scoreCell struct {
	cellKey
	skill    string
	failed   int
	queries  []query
	sessions map[string]int // by example, as first seen
	parts    []string       // as first seen
}

// query is what statistics need of a row.
type query struct {
	session, part  int
	turn           int32
	strict, fixed  float64
	scored, failed bool
	data, prompt   string   // hashes
	answers        [16]byte // of what would have been right
	prediction     [16]byte
	example        string
}

// ReadScores reads the scores of a results file; errors are those of EachResult.
func ReadScores(path string) (*Scores, error) {
	s := &Scores{}
	return s, EachResult(path, func(r *Result) error { s.Add(r); return nil })
}

// Add takes a row in. A query to which a score does not apply counts for nothing; a failure scores 0.
func (s *Scores) Add(r *Result) {
	k := cellKey{r.Mode, r.History, r.Task, r.Method}
	i, ok := s.index[k]
	if !ok {
		if s.index == nil {
			s.index = map[cellKey]int{}
		}
		i = len(s.cells)
		s.index[k] = i
		s.cells = append(s.cells, scoreCell{cellKey: k, skill: r.Skill, sessions: map[string]int{}})
	}
	s.cells[i].add(r)
}

func (c *scoreCell) add(r *Result) {
	session, ok := c.sessions[r.Example]
	if !ok {
		session = len(c.sessions)
		c.sessions[r.Example] = session
	}
	part := slices.Index(c.parts, r.Part)
	if part < 0 {
		part = len(c.parts)
		c.parts = append(c.parts, r.Part)
	}
	q := query{session: session, part: part, turn: r.Turn, failed: r.Status.Failure(), data: r.DataHash, prompt: r.PromptHash,
		answers: digest(r.Answers...), prediction: digest(r.Prediction), example: r.Example}
	if r.ScoreFixed != nil && r.ScoreStrict != nil {
		q.fixed, q.strict, q.scored = *r.ScoreFixed, *r.ScoreStrict, true
	}
	if q.failed {
		c.failed++
	}
	c.queries = append(c.queries, q)
}

// digest tells texts apart without keeping them; that of none or an empty one is zero.
func digest(texts ...string) (d [16]byte) {
	if len(texts) == 0 || len(texts) == 1 && texts[0] == "" {
		return d
	}
	h := blake3.New()
	for _, t := range texts {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(t)))
		h.Write(n[:])
		h.WriteString(t)
	}
	copy(d[:], h.Sum(nil))
	return d
}

// seed is drawn from the data and the question asked of them, and is the same for all methods.
func (c *scoreCell) seed() uint64 {
	data := ""
	if len(c.queries) > 0 {
		data = c.queries[0].data
	}
	d := digest(data, c.task, string(c.mode), string(c.history))
	return binary.LittleEndian.Uint64(d[:8])
}

// turns lists the turns that have a score, ascending.
func (c *scoreCell) turns() (all []int32) {
	for _, q := range c.queries {
		if i, ok := slices.BinarySearch(all, q.turn); !ok && q.scored {
			all = slices.Insert(all, i, q.turn)
		}
	}
	return all
}

// layout says which bin of a sample a query is in: one for each part and turn.
type layout struct {
	parts int
	turns []int32
	asked []bool // by bin
}

func (c *scoreCell) layout() layout {
	l := layout{parts: len(c.parts), turns: c.turns()}
	l.asked = make([]bool, l.parts*len(l.turns))
	for _, q := range c.queries {
		if q.scored {
			l.asked[l.bin(q)] = true
		}
	}
	return l
}

func (l layout) bin(q query) int {
	t, _ := slices.BinarySearch(l.turns, q.turn)
	return q.part*len(l.turns) + t
}

// sample holds a score of every query that has one.
func (c *scoreCell) sample(l layout, score func(query) float64) *stats.Sample {
	var s stats.Sample
	for _, q := range c.queries {
		if q.scored {
			s.Add(q.session, l.bin(q), score(q))
		}
	}
	return &s
}

// score is Cell.Fixed as a statistic: the mean over queries, for a mixed task the mean of its parts' means.
func (l layout) score() (st stats.Statistic) {
	for part := range l.parts {
		if bins := l.of(part, l.turns); len(bins) > 0 {
			st = append(st, stats.Term{Bins: bins})
		}
	}
	for i := range st {
		st[i].Weight = 1 / float64(len(st))
	}
	return st
}

// turn is the mean over the queries of one turn, of all parts.
func (l layout) turn(turn int32) stats.Statistic {
	var bins []int
	for part := range l.parts {
		bins = append(bins, l.of(part, []int32{turn})...)
	}
	return stats.Statistic{{Weight: 1, Bins: bins}}
}

// decay is Cell.Decay as a statistic; it has no terms where no part has a first turn and later ones.
func (l layout) decay() (st stats.Statistic) {
	parts := 0.0
	for part := range l.parts {
		bins := l.of(part, l.turns)
		first := l.of(part, []int32{1})
		if len(first) == 0 || len(bins) < 2 {
			continue
		}
		parts++
		st = append(st, stats.Term{Weight: 1, Bins: first})
		for _, b := range bins[1:] {
			st = append(st, stats.Term{Weight: -1 / float64(len(bins)-1), Bins: []int{b}})
		}
	}
	for i := range st {
		st[i].Weight /= parts
	}
	return st
}

// of lists the bins of a part at turns that were asked, ascending.
func (l layout) of(part int, turns []int32) (bins []int) {
	for _, turn := range turns {
		t, ok := slices.BinarySearch(l.turns, turn)
		if b := part*len(l.turns) + t; ok && l.asked[b] {
			bins = append(bins, b)
		}
	}
	return bins
}
