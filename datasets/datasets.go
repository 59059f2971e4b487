// Package datasets has what is asked: the benchmark's tasks, one file each, the examples they are asked of, and the files that
// hold those.
//
//	Task      a value per task (kv.go, vt.go, …), listed in All: wording, budget, scoring, and builders
//	Build     makes prepared sets from a seed, at any length; every example is a function of the seed and its index
//	Import    makes them from the published files, with all the ways in which these differ from each other
//	Open      reads a prepared set, row by row; Verify hashes it again
//	Variant   asks an example's turns in another order; Prompts words tasks otherwise
//	Predictions reads what the reference implementation answered
//
// A prepared set is a Parquet file with its provenance in the file's metadata. Building twice gives the same bytes.
package datasets

import (
	"math/rand/v2"

	"scbench/datasets/metric"
)

// Skill is one of the four skills that the paper's tasks probe.
type Skill string

// The four skills, in the order of the paper's tables.
const (
	StringRetrieval   Skill = "string retrieval"
	SemanticRetrieval Skill = "semantic retrieval"
	GlobalInformation Skill = "global information"
	MultiTask         Skill = "multi-tasking"
)

// Example is one session: a long context that all its turns share, and the turns in the order they are asked.
type Example struct {
	ID      string // unique within its task; "kv-000012" when built, the row index when imported; Build and Mini leave it empty
	Task    string // name of the task that asks it
	Profile string // how its texts are worded: "" as the published data, to which the task adds its instruction; or MiniProfile
	Context string // the shared context; without the task's instruction, unless Profile is MiniProfile
	Turns   []Turn
}

// MiniProfile marks an example whose texts are complete: its Context opens with its own introduction and its questions are asked
// word for word, so that the embedded reference model meets exactly the format it was trained on.
const MiniProfile = "mini"

// Turn is one question on the shared context. Turns never depend on each other's answers.
type Turn struct {
	Input    string   // the question as the data has it, without the task's wording
	Answers  []string // gold answers; what they mean together is the task's affair (vt: all of them; others: the first)
	Options  []string // multiple choice: the option texts, in order; else nil
	Part     string   // mixed tasks: the subtask this turn belongs to; else ""
	Evidence []Span   // where in Context the answer stands, if the builder knows; byte offsets, half open
	Question int      // its place in the data, from 1; 0: as it stands here
}

// Place is the place in the data, from 1, of the question that e asks at turn i, from 0.
func (e Example) Place(i int) int {
	if q := e.Turns[i].Question; q > 0 {
		return q
	}
	return i + 1
}

// Span is a half-open range [Lo, Hi) of byte offsets into Example.Context.
type Span struct{ Lo, Hi int }

// Size says how large an example a builder shall make.
type Size struct {
	Tokens int                   // length of Example.Context aimed at, in tokens of Count; 0: as long as the published rows (Build only)
	Turns  int                   // most questions to ask, all different; 0: as many as the published rows. A task that has fewer asks those
	Count  func(text string) int // tokens of a text; nil: four bytes a token
	Dials                        // how hard it shall be
}

// Published is the size of the published rows: for each task its own length and its own number of turns.
var Published = Size{}

// Extra stands for the paper's name of a task that is none of its twelve. Such a task is run where it is asked for, never by default.
const Extra = "extra"

// Task is one of the benchmark's tasks: what is asked and how answers are judged. One value per file, listed in All.
type Task struct {
	Name  string // as in the published configuration, without the prefix "scbench_" and without underscores
	Paper string // the paper's name, "Retr.KV", or Extra
	Doc   string // one sentence
	Skill Skill

	// Context is the text that all turns share, instruction included.
	Context func(e Example) string
	// Query is the question of turn i as it is put to the model, alike in both modes.
	Query func(e Example, i int) string
	// Gold is the answer of turn i as it stands in a golden history.
	Gold func(t Turn) string
	// MaxTokens is the most new tokens an answer to t may have.
	MaxTokens func(t Turn) int
	// Score judges an answer, as the reference does (strict) and as it should be (fixed); both in [0, 1].
	Score func(answer string, t Turn) metric.Scores
	// Build makes an example in the published format from a seeded source; nil: the task can only be imported.
	// The same source and size give the same bytes. It is an error if the size cannot be met within 5 %.
	Build func(r *rand.Rand, s Size) (Example, error)
	// Mini makes an example in the format that the embedded reference model knows; nil: there is none.
	Mini func(r *rand.Rand, s Size) (Example, error)
}

// AtMost is t with answers of at most n new tokens; n <= 0 leaves it as it is. What an answer scores that ends before is the same.
func (t Task) AtMost(n int) Task {
	if n <= 0 {
		return t
	}
	own := t.MaxTokens
	t.MaxTokens = func(turn Turn) int { return min(own(turn), n) }
	return t
}
