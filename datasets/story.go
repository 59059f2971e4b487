package datasets

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// The world of the generated books (qaeng, qachn, choiceeng): people, the inns that they keep and meet in, and facts about them. A fact
// that a question needs is told once, in a sentence of its own, among facts that look like it: those of namesakes, those of another time, and
// rumours that are said to be false. Whatever else the book tells is of other people.

// factKind is what a fact tells.
type factKind int

const (
	factJob      factKind = iota // a is a v by trade
	factBirth                    // a was born in v
	factHeirloom                 // a inherited v
	factHiding                   // a hid the letters v
	factMove                     // a moved to v in that year; the others are told of a person once, this several times
	factMeeting                  // a met b at the inn v
	factOwner                    // a owns the inn v
	factTeacher                  // b taught a to read
	factKinds

	attributes            = factMeeting // the kinds before it tell a value of one person
	anyAttribute factKind = -1          // in a chain: one of those
)

// person is somebody whose name nobody else has in the book.
type person struct {
	given, family, name string
	woman               bool
}

// value is a town, a trade, a thing, a place or an inn, and what stands before it where it is first named: "an ", "一支".
type value struct{ article, text string }

type fact struct {
	kind factKind
	a, b person
	v    value
	year int
}

// answer is what a question about f wants to know.
func (f fact) answer() string {
	switch f.kind {
	case factOwner:
		return f.a.name
	case factTeacher:
		return f.b.name
	}
	return f.v.text
}

// told is a fact as a book tells it, denied if as a rumour that is not true.
type told struct {
	fact
	denied bool
}

// question is what is asked of a book, and what the book has to tell for it.
type question struct {
	input  string
	needed []fact // all that must be joined, in the order of reasoning; the last has the answer
	others []told // what looks like one of those
	wrong  []string
}

func (q question) answer() string { return q.needed[len(q.needed)-1].answer() }

// chains has the ways to ask, by how many facts must be joined: who owns the inn where two met, and what is the owner's trade?
var chains = [...][][]factKind{
	1: {{anyAttribute}, {anyAttribute}, {anyAttribute}, {factMeeting}, {factOwner}, {factTeacher}},
	2: {{factOwner, anyAttribute}, {factTeacher, anyAttribute}, {factMeeting, factOwner}, {factOwner, factTeacher}},
	3: {{factMeeting, factOwner, anyAttribute}, {factMeeting, factOwner, anyAttribute}, {factOwner, factTeacher, anyAttribute}, {factMeeting, factOwner, factTeacher}},
	4: {{factMeeting, factOwner, factTeacher, anyAttribute}},
}

var errNames = errors.New("the book has no names for so many people; ask for fewer turns or fewer distractors")

// world draws people, inns and facts for one book.
type world struct {
	*tongue
	r        *rand.Rand
	innWords map[string][2]string
	names    map[string]bool
	people   []person
	crowd    crowd
	err      error // names ran out
}

// fresh draws until it has a name that is not taken.
func (w *world) fresh(draw func() string) string {
	for range 300 {
		if name := draw(); !w.names[name] {
			w.names[name] = true
			return name
		}
	}
	w.err = errNames
	return draw()
}

// someone is a new person.
func (w *world) someone() person { return w.namesake(person{}) }

// namesake is a new person with the given name or the family name of p, if p is somebody.
func (w *world) namesake(p person) (like person) {
	w.fresh(func() string {
		like.family, like.woman = pick(w.r, w.families), w.r.IntN(2) == 0
		if like.given = pick(w.r, w.men); like.woman {
			like.given = pick(w.r, w.women)
		}
		switch {
		case p.name == "":
		case w.r.IntN(2) == 0:
			like.family = p.family
		default:
			like.given, like.woman = p.given, p.woman
		}
		like.name = fmt.Sprintf(w.fullName, like.given, like.family)
		return like.name
	})
	w.people = append(w.people, like)
	return like
}

// inn is a new inn. If like is the name of one, the two have a word in common.
func (w *world) inn(like string) value {
	var words [2]string
	name := w.fresh(func() string {
		words = [2]string{pick(w.r, w.innFirst), pick(w.r, w.innSecond)}
		if of, ok := w.innWords[like]; ok {
			keep := w.r.IntN(2)
			words[keep] = of[keep]
		}
		return words[0] + words[1]
	})
	w.innWords[name] = words
	return value{text: name}
}

// years is n different years, rising.
func (w *world) years(n int) []int {
	years := sample(w.r, w.lastYear-w.firstYear+1, n)
	slices.Sort(years)
	for i := range years {
		years[i] += w.firstYear
	}
	return years
}

// values is n different values of an attribute.
func (w *world) values(k factKind, n int) []value {
	out := make([]value, n)
	for i, at := range sample(w.r, len(w.valuesOf[k]), n) {
		out[i] = w.valuesOf[k][at]
	}
	return out
}

// ask makes a question that joins hops facts, among distractors for each of them, and last for the one with the answer.
func (w *world) ask(hops, distractors, last int) (q question) {
	chain := chains[hops][w.r.IntN(len(chains[hops]))]
	f, about := fact{}, []any(nil)
	if chain[0] == factOwner {
		f.v = w.inn("")
		about = []any{fmt.Sprintf(w.theInn, f.v.text)}
	} else {
		f.a = w.someone()
		about = []any{f.a.name}
	}
	for i, k := range chain {
		n := distractors
		if i == hops-1 {
			n = last
		}
		var others []told
		var ask string
		if f, others, ask = w.step(k, f, n); k == factMeeting {
			about = append(about, f.b.name)
		}
		q.needed, q.others = append(q.needed, f), append(q.others, others...)
		if i == hops-1 {
			q.input = fmt.Sprintf(ask, about...)
			for _, o := range others {
				q.wrong = append(q.wrong, o.answer())
			}
			return q
		}
		about = []any{fmt.Sprintf(w.phrases[k], about...)}
		if k == factTeacher {
			f.a = f.b
		}
	}
	return q
}

// step makes the fact of kind k about the person or the inn that from has led to, n facts like it, and the question about it.
func (w *world) step(k factKind, from fact, n int) (f fact, others []told, ask string) {
	f = fact{kind: k, a: from.a, v: from.v, year: w.years(1)[0]}
	switch k {
	case factMeeting:
		f.b, f.v = w.someone(), w.inn("")
	case factOwner:
		f.a = w.someone()
	case factTeacher:
		f.b = w.someone()
	default:
		return w.attribute(factKind(w.r.IntN(int(attributes))), f, n)
	}
	for i := range n {
		others = append(others, w.similar(f, i))
	}
	return f, others, w.asks[k]
}

// attribute makes f a fact of kind k, with n facts like it. Of a person who moves, the other moves are told as well.
func (w *world) attribute(k factKind, f fact, n int) (_ fact, others []told, ask string) {
	const moves = 3
	values := w.values(k, n+moves)
	f.kind, f.v, ask = k, values[0], w.asks[k]
	for i := range n {
		o := w.similar(f, i)
		o.v = values[1+i]
		others = append(others, o)
	}
	if k != factMove {
		return f, others, ask
	}
	years := w.years(2 + w.r.IntN(moves-1))
	if first := w.r.IntN(2) == 0; !first {
		slices.Reverse(years)
		ask = w.askLastMove
	}
	f.year = years[0]
	for i, year := range years[1:] {
		o := f
		o.v, o.year = values[1+n+i], year
		others = append(others, told{o, false})
	}
	return f, others, ask
}

// similar is the i-th fact that looks like f: by turns a false rumour about the same people, and the like of a namesake. An attribute still has
// the value of f.
func (w *world) similar(f fact, i int) told {
	o := told{f, i%2 == 0}
	o.year = w.years(1)[0]
	switch f.kind {
	case factMeeting:
		o.v = w.inn(f.v.text)
		if !o.denied {
			o.b = w.namesake(f.b)
		}
	case factOwner:
		o.a = w.namesake(f.a)
		if !o.denied {
			o.v = w.inn(f.v.text)
		}
	case factTeacher:
		o.b = w.namesake(f.b)
		fallthrough
	default:
		if !o.denied {
			o.a = w.namesake(f.a)
		}
	}
	return o
}

// crowd are the people nobody asks about, and what is still to be told of them.
type crowd struct {
	people  []person
	inns    int
	pending []told
	past    []told
}

// The most people and inns of the crowd. A longer book tells of the same again.
const (
	crowdPeople = 1200
	crowdInns   = 200
)

// gossip is a fact about the crowd, or none if there is no name left for one.
func (w *world) gossip() (t told, ok bool) {
	c := &w.crowd
	if len(c.pending) == 0 && len(c.people) < crowdPeople && len(w.people)*4 < len(w.families)*len(w.women) {
		w.newcomer()
	}
	if n := len(c.pending); n > 0 {
		t, c.pending = c.pending[n-1], c.pending[:n-1]
		c.past = append(c.past, t)
		return t, true
	}
	if len(c.past) == 0 {
		return told{}, false
	}
	return c.past[w.r.IntN(len(c.past))], true
}

// newcomer adds somebody to the crowd, with all that can be told of a person.
func (w *world) newcomer() {
	c := &w.crowd
	p := w.someone()
	tell := func(f fact) { c.pending = append(c.pending, told{f, w.r.IntN(12) == 0}) }
	for k := range attributes {
		for i, v := range w.values(k, 1+int(k/factMove)) {
			tell(fact{kind: k, a: p, v: v, year: w.firstYear + 30*i + w.r.IntN(30)})
		}
	}
	if len(c.people) > 1 {
		i, j := w.r.IntN(len(c.people)), w.r.IntN(len(c.people))
		tell(fact{kind: factTeacher, a: p, b: c.people[i]})
		if c.inns < crowdInns {
			c.inns++
			v := w.inn("")
			tell(fact{kind: factOwner, a: c.people[j], v: v})
			tell(fact{kind: factMeeting, a: p, b: c.people[j], v: v, year: w.years(1)[0]})
		}
	}
	c.people = append(c.people, p)
	w.r.Shuffle(len(c.pending), func(i, j int) { c.pending[i], c.pending[j] = c.pending[j], c.pending[i] })
}
