package report

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"path/filepath"
	"slices"

	"scbench/outputs"
	"scbench/outputs/stats"
)

// clocked is what is kept of a row of timings until its result comes.
type clocked struct {
	key          uint64
	ttft, decode float64
}

// read takes in the rows of a run.
func (r *Report) read(one *run, pick *picker) error {
	seed := maphash.MakeSeed()
	timings, err := readClock(filepath.Join(filepath.Dir(one.path), outputs.TimingsFile), seed)
	if err != nil {
		return err
	}
	one.timed = len(timings) > 0
	err = outputs.EachResult(one.path, func(q *outputs.Result) error {
		var t *clocked
		if one.timed {
			if one.rows >= len(timings) || timings[one.rows].key != maphash.Comparable(seed, q.Key) {
				return fmt.Errorf("report: row %d of %s has no timing at its place in %s; move that file away to draw without times", one.rows+1, one.path, outputs.TimingsFile)
			}
			t = &timings[one.rows]
		}
		one.rows++
		if q.Status.Failure() {
			one.failed++
		}
		indexed(&one.tiers, q.KernelTier)
		indexed(&one.builds, q.Build)
		r.add(one.letter, q, t, pick)
		return nil
	})
	pick.flush()
	return err
}

// readClock reads the times of a run, in the order of rows; none where there is no file.
func readClock(path string, seed maphash.Seed) (all []clocked, err error) {
	err = outputs.EachTiming(path, func(t *outputs.Timing) error {
		all = append(all, clocked{maphash.Comparable(seed, t.Key), t.TTFT, t.Decode})
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

// add takes a row in.
func (r *Report) add(letter string, q *outputs.Result, t *clocked, pick *picker) {
	isFull := q.Method == "full"
	if letter != "" {
		q.Method = letter + " " + q.Method
	}
	at := place{mode: indexed(&r.modes, mode{q.Mode, q.History}), task: slices.Index(r.tasks, q.Task), method: r.methodOf(q.Method)}
	if at.method < 0 {
		at.method = len(r.methods)
		r.methods = append(r.methods, method{spec: q.Method, letter: letter, isFull: isFull})
	}
	if at.task < 0 {
		at.task = len(r.tasks)
		r.tasks = append(r.tasks, q.Task)
		r.skillOf = append(r.skillOf, indexed(&r.skills, q.Skill))
	}
	c := r.cells[at]
	if c == nil {
		c = newCell()
		r.cells[at] = c
		r.order = append(r.order, at)
	}
	c.add(q, t)
	r.scoresOf(letter).Add(q)
	r.summary.Add(q)
	if r.options.Each != nil {
		r.options.Each(q)
	}
	pick.add(at, q)
}

// methodOf is where a method stands, or -1.
func (r *Report) methodOf(spec string) int {
	return slices.IndexFunc(r.methods, func(m method) bool { return m.spec == spec })
}

// measure is something that rows say besides their score.
type measure struct {
	name, unit, doc string
	byTurn          bool
	of              func(*outputs.Result, *clocked) (float64, bool)
}

// Places of measures.
const (
	kvBytes = iota
	readBytes
	keptShare
	prefillShare
	decodeShare
	firstToken
	perToken
)

// measures are of queries that ran; nothing is said of others.
var measures = []measure{
	kvBytes: {"KV cache", "bytes", "measured bytes that a branch stores when its answer starts, pages shared with other branches included", false,
		func(r *outputs.Result, _ *clocked) (float64, bool) {
			return float64(r.KVBytesResident), r.KVBytesLogical > 0
		}},
	readBytes: {"bytes read per token", "bytes", "measured bytes of keys, values and index that attention reads for each decoded token; answers of one token have none", false,
		func(r *outputs.Result, _ *clocked) (float64, bool) {
			return r.ReadBytesPerToken, r.ReadBytesPerToken > 0
		}},
	keptShare: {"kept", "share", "tokens that the cache holds when the answer starts, mean over layers and heads, over the tokens of the prompt", false,
		func(r *outputs.Result, _ *clocked) (float64, bool) {
			return r.KeptMean / float64(max(r.PromptTokens, 1)), r.PromptTokens > 0
		}},
	prefillShare: {"prefill cells", "share", "attention cells computed for the prompt over those of dense causal attention", false,
		func(r *outputs.Result, _ *clocked) (float64, bool) {
			return float64(r.PrefillCells) / float64(max(r.PrefillCellsDense, 1)), r.PrefillCellsDense > 0
		}},
	decodeShare: {"decode cells", "share", "attention cells computed in decoding over those of dense attention", false,
		func(r *outputs.Result, _ *clocked) (float64, bool) {
			return float64(r.DecodeCells) / float64(max(r.DecodeCellsDense, 1)), r.DecodeCellsDense > 0
		}},
	firstToken: {"Time to first token", "s", "seconds from the start of a query's own work to its first token; at turn 1 that includes its share of the prefill", true,
		func(_ *outputs.Result, t *clocked) (float64, bool) {
			if t == nil {
				return 0, false
			}
			return t.ttft, true
		}},
	perToken: {"Time per token", "s", "seconds of decoding over the tokens decoded", true,
		func(r *outputs.Result, t *clocked) (float64, bool) {
			if t == nil || r.NewTokens == 0 {
				return 0, false
			}
			return t.decode / float64(r.NewTokens), true
		}},
}

// depths is the number of equal parts of contexts that scores are shown by.
const depths = 10

// cell holds the queries of a mode, task and method.
type cell struct {
	sessions map[string]int
	turns    []int32
	of       []sampled // by measure
	depth    sampled   // fixed scores by part of the context
	kept     retained
}

// sampled is a sample with its range.
type sampled struct {
	stats.Sample
	within stats.Range
	bins   int
	n      int
}

func (s *sampled) add(session, bin int, x float64) {
	if s.n == 0 {
		s.within = stats.Range{Low: x, High: x}
	}
	s.n++
	s.within = stats.Range{Low: min(s.within.Low, x), High: max(s.within.High, x)}
	s.bins = max(s.bins, bin+1)
	s.Add(session, bin, x)
}

func newCell() *cell { return &cell{sessions: map[string]int{}, of: make([]sampled, len(measures))} }

func (c *cell) add(q *outputs.Result, t *clocked) {
	session, ok := c.sessions[q.Example]
	if !ok {
		session = len(c.sessions)
		c.sessions[q.Example] = session
	}
	if q.EvidenceDepth != nil && q.ScoreFixed != nil {
		c.depth.add(session, min(int(*q.EvidenceDepth*depths), depths-1), *q.ScoreFixed)
	}
	if q.Status.Failure() {
		return
	}
	for i, m := range measures {
		x, ok := m.of(q, t)
		switch {
		case ok && m.byTurn:
			c.of[i].add(session, indexed(&c.turns, q.Turn), x)
		case ok:
			c.of[i].add(session, 0, x)
		}
	}
	c.kept.add(q)
}
