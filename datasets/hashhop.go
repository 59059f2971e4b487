package datasets

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"scbench/datasets/metric"
)

// HashHop follows chains of random strings: one line says what follows the first, another what follows that. Nothing else in the context helps,
// and a line is of use only to who has read the one before. It is none of the paper's twelve tasks.
//
// Build makes lines "pQz… = WkT…" of 16 letters a string, all of them links of chains of Size.Hops links (usually two), and shuffles them. Questions
// name the start of a chain and ask for its end. Size.Depth says where the links stand that are needed.
//
// Source: Magic's HashHop (2024).
// Differs from the reference: it names the task, but published neither rows nor a generator; the wording is ours.
var HashHop = Task{
	Name:      "hashhop",
	Paper:     Extra,
	Doc:       "Follow chains of random strings, from line to line, to their ends.",
	Skill:     StringRetrieval,
	Context:   instructed("Each line below says which string comes after another. You will be asked to follow them.\n\n"),
	Query:     verbatim,
	Gold:      firstAnswer,
	MaxTokens: atMost(50),
	Score:     func(answer string, t Turn) metric.Scores { return metric.Substring(answer, t.Answers[0]) },
	Build:     buildHashHop,
}

func buildHashHop(r *rand.Rand, s Size) (Example, error) {
	const published = 3000 // lines
	turns, links := s.turns(5), 2
	if s.Hops > 0 {
		links = s.Hops
	}
	return s.grow(s.least(turns*links), published, func(lines int) (Example, error) {
		chains := (lines + links - 1) / links // the last may be cut short and is not asked for then
		strs, err := unique(r, lines+chains, hash16)
		if err != nil {
			return Example{}, err
		}
		link := s.shuffleLinks(r, lines, turns*links)
		at := make([]Span, lines)
		var text strings.Builder
		for _, k := range link {
			from := k + k/links // link k of all stands in chain k/links, which has one string more than links
			lo := text.Len()
			text.WriteString(strs[from] + " = " + strs[from+1])
			at[k] = Span{lo, text.Len()}
			text.WriteByte('\n')
		}
		e := Example{Task: "hashhop", Context: strings.TrimSuffix(text.String(), "\n")}
		times := "once"
		if links > 1 {
			times = fmt.Sprintf("%d times", links)
		}
		for c := range turns {
			first := c * (links + 1)
			e.Turns = append(e.Turns, Turn{
				Input:    fmt.Sprintf("Start at %s and go %s to the string that comes after. Which string is reached?", strs[first], times),
				Answers:  []string{strs[first+links]},
				Evidence: at[c*links : (c+1)*links],
			})
		}
		return e, nil
	})
}

// shuffleLinks is the link in each line: the first needed of them somewhere in the window, the others in all other lines.
func (d Dials) shuffleLinks(r *rand.Rand, lines, needed int) []int {
	link := make([]int, lines)
	taken := make([]bool, lines)
	for k, at := range d.within(r, lines, needed, sample) {
		link[at], taken[at] = k, true
	}
	rest := r.Perm(lines - needed)
	for i := range link {
		if !taken[i] {
			link[i], rest = needed+rest[0], rest[1:]
		}
	}
	return link
}

// hash16 is 16 random letters.
func hash16(r *rand.Rand) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	b := make([]byte, 16)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}
