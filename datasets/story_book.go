package datasets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// tongue is all that a book needs of a language. Sentences have {A} and {B} for people, {V} for a value, {aV} for it with its article,
// {Y} for a year, {he}, {him} and {his} for A, and any other name in braces for a word of the pool of that name.
type tongue struct {
	fullName             string // of given name and family name
	women, men, families []string
	innFirst, innSecond  []string // an inn is called by one of each
	firstYear, lastYear  int
	valuesOf             [attributes][]value

	say         [factKinds][]string // the first form begins with a name and can stand in a rumour
	rumours     [][2]string         // what stands before and after such a form
	stop        string              // what ends a sentence
	asks        [factKinds]string   // questions; of moves for the first
	askLastMove string
	phrases     [factKinds]string // what leads on to the next fact: "the owner of %s"
	theInn      string            // how an inn is called in a question

	filler, titles         []string // sentences, and titles of chapters, that tell nothing of anybody
	pools                  map[string][]string
	chapter, indent, space string // a chapter's heading, of number and title; before a paragraph; between sentences
}

// The turns of a session join 1, 2 and 3 facts by turns, each among two others that look like it where there is room.
const (
	usualHops        = 3
	usualDistractors = 2
	maxDistractors   = 12 // what the shortest list of values has room for
)

// bookKind is what the books of a task have, as published: how many questions, with how many options if they have any, and how many
// sentences besides those that the questions need.
type bookKind struct {
	task                      string
	turns, options, sentences int
}

// session makes a session on a book in t.
func (t *tongue) session(r *rand.Rand, s Size, kind bookKind) (Example, error) {
	switch err := s.check(); {
	case err != nil:
		return Example{}, err
	case s.Hops >= len(chains):
		return Example{}, fmt.Errorf("questions of %d hops: a book has those of 1 to %d", s.Hops, len(chains)-1)
	case s.Distractors > maxDistractors:
		return Example{}, fmt.Errorf("%d distractors: a book has at most %d for each fact", s.Distractors, maxDistractors)
	}
	seed := [2]uint64{r.Uint64(), r.Uint64()}
	build := func(distractors, n int) (Example, error) {
		w := &world{tongue: t, r: rand.New(rand.NewPCG(seed[0], seed[1])), innWords: map[string][2]string{}, names: map[string]bool{}}
		e, questions, err := w.session(s, kind, distractors)
		if err != nil {
			return e, err
		}
		w.r = r // all tries at the length ask the same, so that it hardly depends on anything but n
		e.Context = string(w.write(w.lay(questions, e.Turns, s.Dials, n)))
		return e, w.err
	}
	distractors := max(s.Distractors, 0)
	if s.Distractors == 0 {
		for distractors = usualDistractors; distractors > 0; distractors-- { // fewer where they would fill the book
			e, err := build(distractors, 0)
			if err != nil {
				return e, err
			}
			if s.Tokens == 0 || s.count(e.Context)*5 <= s.Tokens*4 {
				break
			}
		}
	}
	return s.grow(0, kind.sentences, func(n int) (Example, error) { return build(distractors, n) })
}

// session draws the questions, and the example but for its context.
func (w *world) session(s Size, kind bookKind, distractors int) (e Example, questions []question, err error) {
	e.Task = kind.task
	for _, k := range w.r.Perm(s.turns(kind.turns)) {
		hops := s.Hops
		if hops == 0 {
			hops = 1 + k%usualHops
		}
		q := w.ask(hops, distractors, max(distractors, kind.options-1))
		if w.err != nil {
			return e, nil, w.err
		}
		t := Turn{Input: q.input, Answers: []string{q.answer()}, Evidence: make([]Span, len(q.needed))}
		if kind.options > 0 {
			t.Options = optionsOf(w.r, q.answer(), q.wrong)
		}
		questions, e.Turns = append(questions, q), append(e.Turns, t)
	}
	return e, questions, nil
}

// bookLine is a sentence of a book to be: what it tells, if anything, and where to note its place.
type bookLine struct {
	told
	tells bool
	at    *Span
}

// lay gives every fact its place. The facts with the answers stand one in each equal part of the part where evidence may stand, and all
// others anywhere.
func (w *world) lay(questions []question, turns []Turn, d Dials, n int) []bookLine {
	for _, q := range questions {
		n += len(q.needed) + len(q.others)
	}
	lines := make([]bookLine, n)
	put := func(lo, hi int, l bookLine) {
		i := lo + w.r.IntN(max(1, hi-lo))
		for lines[i%n].tells { // taken: the next free one
			i++
		}
		lines[i%n] = l
	}
	lo, hi := d.window(n)
	for k, i := range w.r.Perm(len(questions)) {
		last := len(questions[i].needed) - 1
		part := func(k int) int { return lo + (hi-lo)*k/len(questions) }
		put(part(k), part(k+1), bookLine{told{questions[i].needed[last], false}, true, &turns[i].Evidence[last]})
	}
	for i, q := range questions {
		for h, f := range q.needed[:len(q.needed)-1] {
			put(lo, hi, bookLine{told{f, false}, true, &turns[i].Evidence[h]})
		}
	}
	for _, q := range questions {
		for _, o := range q.others {
			put(0, n, bookLine{told: o, tells: true})
		}
	}
	for i := range lines {
		if !lines[i].tells && w.r.IntN(5) < 2 {
			lines[i].told, lines[i].tells = w.gossip()
		}
	}
	return lines
}

// write makes sentences of the lines, paragraphs of the sentences and chapters of the paragraphs, and notes where sentences stand.
func (w *world) write(lines []bookLine) []byte {
	b := make([]byte, 0, 96*len(lines))
	sentences, paragraphs, chapter := 0, 0, 0
	for _, l := range lines {
		switch {
		case sentences > 0:
			b = append(b, w.space...)
		case paragraphs > 0:
			b = append(b, w.indent...)
			sentences = 4 + w.r.IntN(5)
			paragraphs--
		default:
			if chapter++; chapter > 1 {
				b = append(b, "\n\n"...)
			}
			b = fmt.Appendf(b, w.chapter, chapter)
			b = append(w.form(b, pick(w.r, w.titles), fact{}), w.indent...)
			sentences, paragraphs = 4+w.r.IntN(5), 8+w.r.IntN(12)
		}
		sentences--
		lo := len(b)
		b = w.sentence(b, l)
		if l.at != nil {
			*l.at = Span{lo, len(b)}
		}
	}
	return b
}

func (w *world) sentence(b []byte, l bookLine) []byte {
	switch {
	case !l.tells:
		a := w.r.IntN(len(w.people))
		other := (a + 1 + w.r.IntN(max(1, len(w.people)-1))) % len(w.people)
		return w.form(b, pick(w.r, w.filler), fact{a: w.people[a], b: w.people[other]})
	case l.denied:
		rumour := w.rumours[w.r.IntN(len(w.rumours))]
		b = append(b, rumour[0]...)
		return append(w.form(b, w.say[l.kind][0], l.fact), rumour[1]...)
	}
	return append(w.form(b, pick(w.r, w.say[l.kind]), l.fact), w.stop...)
}

// form appends a form with what stands in braces filled in.
func (w *world) form(b []byte, form string, f fact) []byte {
	for {
		before, rest, found := strings.Cut(form, "{")
		b = append(b, before...)
		if !found {
			return b
		}
		name, rest, _ := strings.Cut(rest, "}")
		b, form = w.fill(b, name, f), rest
	}
}

func (w *world) fill(b []byte, name string, f fact) []byte {
	switch name {
	case "A":
		return append(b, f.a.name...)
	case "B":
		return append(b, f.b.name...)
	case "V":
		return append(b, f.v.text...)
	case "aV":
		return append(append(b, f.v.article...), f.v.text...)
	case "Y":
		return strconv.AppendInt(b, int64(f.year), 10)
	}
	if i := slices.Index(pronouns[0], name); i >= 0 {
		if f.a.woman {
			return append(b, pronouns[1][i]...)
		}
		return append(b, name...)
	}
	return append(b, pick(w.r, w.pools[name])...)
}

// pronouns of men and of women.
var pronouns = [2][]string{{"he", "him", "his"}, {"she", "her", "her"}}
