package datasets

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"scbench/datasets/metric"
)

// VT is Retr.MultiHop: follow chains of variable assignments through noise and name all variables that hold a value. One fact is worth
// nothing here; a method must keep all three statements of a chain.
//
// Build follows RULER's recipe: lines of noise, and in it chains of three statements of which each stands after the one it refers to. There
// is one chain for each turn (at least five), all with different values. The published length is not known to the byte; 5,190 lines of noise come to
// its 473 kB a row. Hops and distractors (further chains for each that is asked for) can be dialled, and the depth of the statements. Mini draws a session of vt-2hop-20: 20 chains of three variables whose names start with different nouns, hidden in prose;
// fewer chains where the context is too short for them (below about 600 tokens), more where there are more turns.
//
// Source: RULER (arXiv 2404.06654), variable tracking.
// Differs from the reference: a golden history has the names with blanks between them instead of a Python list; a session has a chain for
// every turn, where the paper counts two.
var VT = Task{
	Name:      "vt",
	Paper:     "Retr.MultiHop",
	Doc:       "Name all variables that hold a value, through chains of assignments hidden in noise.",
	Skill:     StringRetrieval,
	Context:   func(e Example) string { return e.Context }, // the published context brings its instruction
	Query:     verbatim,
	Gold:      func(t Turn) string { return strings.Join(t.Answers, " ") },
	MaxTokens: atMost(30),
	Score:     func(answer string, t Turn) metric.Scores { return metric.StringMatchAll(answer, t.Answers, variable) },
	Build:     buildVT,
	Mini:      miniVT,
}

// variable is what a name looks like in the published format, and in the mini format.
var variable = regexp.MustCompile(`\b(?:[A-Z]{5}|[a-z]+[0-9]{2})\b`)

const (
	hops  = 2        // assignments of one variable to the next in a chain
	links = hops + 1 // variables, and statements, of a chain

	vtIntro    = "Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n"
	vtNoise    = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.\n"
	vtQuestion = "Question: Find all variables that are assigned the value %[1]s in the text above. Answer: According to the chain(s) of " +
		"variable assignment in the text above, %[2]d variables are assgined the value %[1]s, they are: " // the slip is in the data
)

func buildVT(r *rand.Rand, s Size) (Example, error) {
	turns, links := s.turns(5), links
	if s.Hops > 0 {
		links = s.Hops + 1
	}
	n := max(5, turns)
	if s.Distractors != 0 {
		n = turns * (1 + max(s.Distractors, 0))
	}
	return s.grow(s.least(links), 5190, func(lines int) (Example, error) {
		chains, err := newChains(r, n, links, func(n int) ([]string, error) { return unique(r, n, fiveCapitals) })
		if err != nil {
			return Example{}, err
		}
		pieces := make([]piece, lines)
		for i := range pieces {
			pieces[i] = piece{text: vtNoise}
		}
		for c, chain := range chains {
			places := s.within(r, len(pieces), links, sample)
			slices.Sort(places)
			for k, at := range places {
				pieces = slices.Insert(pieces, at+k, piece{chain.statement(k), c, k, true})
			}
		}
		e := Example{Task: "vt", Context: vtIntro + join(pieces, chains, len(vtIntro))}
		for _, c := range sample(r, len(chains), turns) {
			e.Turns = append(e.Turns, chains[c].turn(fmt.Sprintf(vtQuestion, chains[c].value, links)))
		}
		return e, nil
	})
}

func miniVT(r *rand.Rand, s Size) (Example, error) {
	const (
		intro       = "The text below hides chains of variable assignments. Follow them.\n\n"
		perLink     = 9.5 // tokens of a statement in the reference model's tokenizer
		comfortable = 20
	)
	turns := s.turns(5)
	return s.grow(0, 0, func(fillers int) (Example, error) {
		n := max(turns, min(comfortable, int(float64(s.Tokens)/(perLink*links))))
		if n*links > len(nouns) {
			return Example{}, fmt.Errorf("%d turns: the mini format of vt has names for %d chains", turns, len(nouns)/links)
		}
		chains, err := newChains(r, n, links, func(n int) ([]string, error) {
			names := make([]string, n)
			for i, k := range sample(r, len(nouns), n) {
				names[i] = nouns[k] + digits2(r)
			}
			return names, nil
		})
		if err != nil {
			return Example{}, err
		}
		order := interleave(r, n)
		facts, next := make([]string, len(order)), make([]int, n)
		for i, c := range order {
			facts[i] = chains[c].statement(next[c]) + "."
			next[c]++
		}
		e := Example{Task: "vt", Profile: MiniProfile}
		var at []Span
		e.Context, at = scatter(r, intro, facts, fillers)
		for i, c := range order {
			chains[c].at = append(chains[c].at, at[i])
		}
		for _, c := range sample(r, n, turns) {
			e.Turns = append(e.Turns, chains[c].turn(fmt.Sprintf("Which variables hold the value %s?", chains[c].value)))
		}
		return e, nil
	})
}

// chain is a value, the variables that hold it in the order they get it, and where their statements stand.
type chain struct {
	value string
	names []string
	at    []Span
}

// statement k gives variable k its value: the first the number, the others the variable before.
func (c chain) statement(k int) string {
	if k == 0 {
		return "VAR " + c.names[0] + " = " + c.value
	}
	return "VAR " + c.names[k] + " = VAR " + c.names[k-1]
}

func (c chain) turn(input string) Turn { return Turn{Input: input, Answers: c.names, Evidence: c.at} }

// newChains makes n chains of that many links, with different values, and variables called as names tells.
func newChains(r *rand.Rand, n, links int, names func(n int) ([]string, error)) ([]chain, error) {
	values, err := unique(r, n, func(r *rand.Rand) string { return fmt.Sprint(10000 + r.IntN(90000)) })
	if err != nil {
		return nil, err
	}
	all, err := names(n * links)
	if err != nil {
		return nil, err
	}
	chains := make([]chain, n)
	for i := range chains {
		chains[i] = chain{value: values[i], names: all[i*links : (i+1)*links : (i+1)*links]}
	}
	return chains, nil
}

// interleave is the order in which n chains state their links: all mixed, every chain links times.
func interleave(r *rand.Rand, n int) []int {
	order := make([]int, n*links)
	for i := range order {
		order[i] = i / links
	}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// piece is a line of noise, or statement link of a chain.
type piece struct {
	text        string
	chain, link int
	fact        bool
}

// join writes the pieces with blanks between them and tells the chains where their statements came to stand, counted from base.
func join(pieces []piece, chains []chain, base int) string {
	var text strings.Builder
	for i, p := range pieces {
		if i > 0 {
			text.WriteByte(' ')
		}
		if p.fact {
			lo := base + text.Len()
			chains[p.chain].at = append(chains[p.chain].at, Span{lo, lo + len(p.text)})
		}
		text.WriteString(p.text)
	}
	return text.String()
}

func fiveCapitals(r *rand.Rand) string {
	b := make([]byte, 5)
	for i := range b {
		b[i] = byte('A' + r.IntN(26))
	}
	return string(b)
}
