package datasets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"scbench/datasets/metric"
)

// ManyShot is ICL.ManyShot: answer as the solved examples of the context do. The rules behind them are drawn anew for each session, so
// whoever has not read the examples can only guess among four options; options stand in random order.
//
// Build draws one of the kinds of secrets in shotKinds. The first demonstrations of each rule show it alone; the others, and the
// questions, join Size.Hops rules (usually one or two), and what joins several was never demonstrated. The published rows have about 150
// demonstrations of 580 bytes; these are shorter, so that as many bytes hold from 480 to 810. Longer contexts know more rules. Evidence is one demonstration of each rule that the answer needs. Mini is icl: texts
// whose label hangs on one noun; its answers are labels instead of letters.
//
// Source: BIG-Bench Hard (arXiv 2210.09261), many-shot.
// Differs from the reference: it takes three subtasks of BIG-Bench Hard, which a good model answers without any demonstration, and has no instruction.
var ManyShot = Task{
	Name:      "manyshot",
	Paper:     "ICL.ManyShot",
	Doc:       "Choose an option by rules that nothing but the context's many solved examples shows.",
	Skill:     GlobalInformation,
	Context:   instructed("Below are questions with their answers. Answer the questions that follow in the same way, with the letter of the right option.\n\n"),
	Query:     verbatim,
	Gold:      firstAnswer,
	MaxTokens: atMost(10),
	Score:     scoreManyShot,
	Build:     buildManyShot,
	Mini:      miniManyShot,
}

// scoreManyShot knows golds that are letters, "A" or "(A)", and the labels of the mini format.
func scoreManyShot(answer string, t Turn) metric.Scores {
	if gold := strings.Trim(t.Answers[0], "()"); len(gold) != 1 {
		return metric.Label(answer, gold)
	}
	return metric.ManyShot(answer, t.Answers[0])
}

func buildManyShot(r *rand.Rand, s Size) (Example, error) {
	kind := shotKinds[r.IntN(len(shotKinds))]
	join := kind.join
	if s.Hops > 0 {
		join = s.Hops
	}
	if join > kind.most {
		return Example{}, fmt.Errorf("%d hops: manyshot joins at most %d rules", join, kind.most)
	}
	turns := s.turns(5)
	least := kind.least + 4*max(0, join-kind.least)
	return s.grow(least, kind.published, func(n int) (Example, error) {
		secret := kind.secret(r, min(kind.most, kind.least+(n-kind.least)/4))
		asked := map[string]bool{}
		var asks []shot
		for tries := 0; len(asks) < turns; tries++ {
			if tries > 100*turns {
				return Example{}, fmt.Errorf("there are no %d different questions of this kind; ask for fewer turns", turns)
			}
			if q := secret.ask(r, join); !asked[q.text] {
				asked[q.text] = true
				asks = append(asks, q)
			}
		}
		return secret.example(r, n, join, asked, asks), nil
	})
}

// shot is a question with four options and the rules that tell the right one.
type shot struct {
	text    string
	options [maxOptions]string
	right   int
	rules   []int
}

// String is the shot as it is asked.
func (s shot) String() string {
	var b strings.Builder
	b.WriteString("Question: " + s.text + "\nOptions:")
	for i, o := range s.options {
		b.WriteString(" (" + letter(i) + ") " + o)
	}
	b.WriteString("\nAnswer:")
	return b.String()
}

func (s shot) gold() string { return letter(s.right) }

// secret is a set of rules. ask draws a question that takes n rules to answer, one of which is rules[0] if that is given.
type secret struct {
	rules int
	ask   func(r *rand.Rand, n int, rules ...int) shot
}

// example writes n demonstrations, n >= s.rules, none of which is a question of asked, and then asks.
func (s secret) example(r *rand.Rand, n, join int, asked map[string]bool, asks []shot) Example {
	shots := make([]shot, n)
	for i := range shots {
		draw := func() shot { return s.ask(r, join) }
		if i < s.rules {
			draw = func() shot { return s.ask(r, 1, i) }
		}
		shots[i] = draw()
		for tries := 0; asked[shots[i].text] && tries < 100; tries++ { // a rule alone may have only one question
			shots[i] = draw()
		}
	}
	r.Shuffle(n, func(i, j int) { shots[i], shots[j] = shots[j], shots[i] })
	shown := make([]Span, s.rules) // where each rule is first shown alone
	e := Example{Task: "manyshot"}
	var text strings.Builder
	for i, d := range shots {
		if i > 0 {
			text.WriteString("\n\n")
		}
		lo := text.Len()
		text.WriteString(d.String() + " " + d.gold())
		if len(d.rules) == 1 && shown[d.rules[0]].Hi == 0 {
			shown[d.rules[0]] = Span{lo, text.Len()}
		}
	}
	e.Context = text.String()
	for _, q := range asks {
		t := Turn{Input: q.String(), Answers: []string{q.gold()}}
		for _, k := range q.rules {
			t.Evidence = append(t.Evidence, shown[k])
		}
		e.Turns = append(e.Turns, t)
	}
	return e
}

// shuffled puts the right option and three others, all different, in random order. wrong draws an option.
func shuffled(r *rand.Rand, text, right string, rules []int, wrong func() string) shot {
	s := shot{text: text, options: [maxOptions]string{right}, rules: rules}
	for i := 1; i < len(s.options); {
		o := wrong()
		if slices.Contains(s.options[:i], o) {
			continue
		}
		s.options[i] = o
		i++
	}
	s.right = r.IntN(len(s.options))
	s.options[0], s.options[s.right] = s.options[s.right], s.options[0]
	return s
}

func miniManyShot(r *rand.Rand, s Size) (Example, error) {
	sizes := []int{4, 8, 12, 16, 24}
	k, turns := sizes[r.IntN(len(sizes))], s.turns(5)
	words := make([]string, k)
	for i, w := range sample(r, len(nouns), k) {
		words[i] = nouns[w]
	}
	labels := make([]string, k)
	if r.Float64() < 0.6 {
		for i, l := range sample(r, 90, k) {
			labels[i] = fmt.Sprint(10 + l)
		}
	} else {
		for i, l := range sample(r, len(adjectives), k) {
			labels[i] = adjectives[l]
		}
	}
	return s.grow(k, 0, func(n int) (Example, error) {
		texts := make([]string, n)
		seen := map[string]bool{}
		for i := range texts {
			texts[i] = miniText(r, words[i%k])
			seen[texts[i]] = true
		}
		order := r.Perm(n)
		at := make([]Span, k)
		var text strings.Builder
		text.WriteString("Classify the text. Use the labels of the examples.")
		for _, i := range order {
			text.WriteString("\n\n")
			lo := text.Len()
			text.WriteString("Text: " + texts[i] + "\nLabel: " + labels[i%k])
			at[i%k] = Span{lo, text.Len()}
		}
		e := Example{Task: "manyshot", Profile: MiniProfile, Context: text.String()}
		asked := map[string]bool{}
		for tries := 0; len(e.Turns) < turns; tries++ {
			if tries > 1000+50*turns {
				return Example{}, fmt.Errorf("the mini format of manyshot has no %d different texts about %d nouns; ask for fewer turns", turns, k)
			}
			i := r.IntN(k)
			if q := miniText(r, words[i]); !asked[q] && (!seen[q] || tries > 500+25*turns) { // very long contexts have them all
				asked[q] = true
				e.Turns = append(e.Turns, Turn{Input: "Text: " + q + "\nLabel:", Answers: []string{labels[i]}, Evidence: []Span{at[i]}})
			}
		}
		return e, nil
	})
}

// miniText is a text about a noun.
func miniText(r *rand.Rand, noun string) string {
	a := pick(r, adjectives)
	switch r.IntN(5) {
	case 0:
		return "I want to talk about my " + noun + ", it looks " + a + " today."
	case 1:
		return "Please help me with the " + noun + ", it is " + a + "."
	case 2:
		return "My " + noun + " has become very " + a + "."
	case 3:
		return "Why is the " + noun + " so " + a + " now?"
	default:
		return "The " + noun + " that I bought is " + a + "."
	}
}
