package datasets

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"scbench/datasets/metric"
)

// The repositories of the reference model, format repo of its README.

// miniRepository is such a repository, with pairs as comments between its functions if there are any.
type miniRepository struct {
	text         string
	names        []string // of functions
	sources      []string
	at           []Span // where they stand
	keys, values []string
	pairAt       []Span
	askFunctions []int // that are asked for, in the order of asking
	askPairs     []int
}

// newMiniRepository writes that many functions and pairs of eight hexadecimal digits, and chooses what is asked for.
func newMiniRepository(r *rand.Rand, functions, pairs, askFunctions, askPairs int) (m miniRepository, err error) {
	name := func(r *rand.Rand) string { return pick(r, adjectives) + "_" + pick(r, nouns) + digits2(r) }
	if m.names, err = unique(r, functions, name); err != nil {
		return m, err
	}
	m.askFunctions = sample(r, functions, askFunctions)
	pairOf := map[int]int{} // by the function that it stands before; looked up, never iterated
	if pairs > 0 {
		if m.keys, err = unique(r, pairs, hex8); err != nil {
			return m, err
		}
		m.askPairs = sample(r, pairs, askPairs)
		for k, i := range sample(r, functions, pairs) {
			pairOf[i] = k
		}
	}
	m.values, m.pairAt = values(r, pairs, hex8), make([]Span, pairs)
	var text strings.Builder
	text.WriteString("Below is the code of a repository.")
	write := func(s string) Span {
		text.WriteString("\n\n")
		at := Span{text.Len(), text.Len() + len(s)}
		text.WriteString(s)
		return at
	}
	for i, name := range m.names {
		if k, ok := pairOf[i]; ok {
			m.pairAt[k] = write(fmt.Sprintf("// \"%s\": \"%s\"", m.keys[k], m.values[k]))
		}
		m.sources = append(m.sources, miniFunction(r, name))
		m.at = append(m.at, write(m.sources[i]))
	}
	m.text = text.String()
	return m, nil
}

// functionTurns asks for functions by their names.
func (m miniRepository) functionTurns() (turns []Turn) {
	pool := metric.Pool{Lang: "go"}
	for _, i := range m.askFunctions {
		pool.Asked = append(pool.Asked, m.sources[i])
	}
	for _, i := range m.askFunctions {
		turns = append(turns, Turn{Input: "Repeat the function " + m.names[i] + ".", Answers: []string{m.sources[i]}, Options: options(pool), Evidence: m.at[i : i+1]})
	}
	return turns
}

// pairTurns asks for values by their keys.
func (m miniRepository) pairTurns() (turns []Turn) {
	for _, k := range m.askPairs {
		turns = append(turns, Turn{Input: fmt.Sprintf(miniKVQuestion, m.keys[k]), Answers: []string{m.values[k]}, Evidence: m.pairAt[k : k+1]})
	}
	return turns
}

func miniRepoQA(r *rand.Rand, s Size) (Example, error) {
	turns := s.turns(5)
	return s.grow(max(turns, 1), 0, func(n int) (Example, error) {
		m, err := newMiniRepository(r, n, 0, turns, 0)
		if err != nil {
			return Example{}, err
		}
		return Example{Task: "repoqa", Profile: MiniProfile, Context: m.text, Turns: m.functionTurns()}, nil
	})
}

func miniRepoQAAndKV(r *rand.Rand, s Size) (Example, error) {
	turns := s.turns(8)
	return s.grow(max(turns, 1), 0, func(n int) (Example, error) {
		m, err := newMiniRepository(r, n, max(turns/2, n/2), turns-turns/2, turns/2)
		if err != nil {
			return Example{}, err
		}
		return Example{Task: "repoqaandkv", Profile: MiniProfile, Context: m.text, Turns: byTurns(partRepoQA, m.functionTurns(), partKV, m.pairTurns())}, nil
	})
}

// miniFunction is a function as the reference model knows them: func in its data.py.
func miniFunction(r *rand.Rand, name string) string {
	op := func() string { return string("+-*"[r.IntN(3)]) }
	v := pick(r, nouns)
	lines := []string{"func " + name + "(x int, y int) int {", fmt.Sprintf("\t%s := x %s %s", v, op(), digits2(r))}
	for range r.IntN(3) {
		switch r.IntN(3) {
		case 0:
			lines = append(lines, fmt.Sprintf("\t%s = %s %s y", v, v, op()))
		case 1:
			lines = append(lines, fmt.Sprintf("\tif y > %s {\n\t\treturn %s\n\t}", digits2(r), v))
		default:
			lines = append(lines, fmt.Sprintf("\t%s = %s(%s, %s)", v, pick(r, adjectives), v, digits2(r)))
		}
	}
	return strings.Join(append(lines, fmt.Sprintf("\treturn %s %s %s", v, op(), digits2(r)), "}"), "\n")
}
