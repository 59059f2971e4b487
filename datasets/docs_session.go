package datasets

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Task is the task with sessions from the folder. A session is some documents, each behind its path: so many that have questions as the turns
// need, then others up to the length, the last one cut at the end of a line; without a length all of them. It asks as many questions as
// there are turns, drawn from those about its documents. There is no mini format, and dials are for what is made up.
func (d *Docs) Task() Task {
	t := d.task
	t.Build, t.Mini = d.build, nil
	return t
}

// chosenDocument is a document of a session, whole or cut.
type chosenDocument struct {
	*ownDocument
	text string
	cut  bool
}

func (c chosenDocument) written() string { return "Document: " + c.name + "\n\n" + c.text + "\n" }

func (d *Docs) build(r *rand.Rand, s Size) (Example, error) {
	if err := s.check(); err != nil {
		return Example{}, err
	}
	if s.Dials != (Dials{}) {
		return Example{}, errors.New("documents of one's own have no dials: leave hops, distractors and depth out")
	}
	chosen, err := d.choose(r, s)
	if err != nil {
		return Example{}, err
	}
	r.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	e := Example{Task: d.task.Name}
	var text strings.Builder
	var turns []Turn
	for i, c := range chosen {
		if i > 0 {
			text.WriteByte('\n')
		}
		at := text.Len() + len("Document: "+c.name+"\n\n")
		text.WriteString(c.written())
		if c.cut {
			continue // what its questions rest on may be gone
		}
		for _, q := range c.asked {
			span := Span{at, at + len(c.text)}
			if q.Evidence != "" {
				span.Lo += strings.Index(c.text, q.Evidence)
				span.Hi = span.Lo + len(q.Evidence)
			}
			turns = append(turns, Turn{Input: q.Question, Answers: q.Answer, Options: q.Options, Evidence: []Span{span}})
		}
	}
	e.Context = text.String()
	r.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	e.Turns = distinct(turns, s.turns(5))
	if have := s.count(e.Context); s.Tokens > 0 && abs(have-s.Tokens)*50 > max(s.Tokens, 1000) {
		return Example{}, fmt.Errorf("%s: its documents come to %d tokens where %d are asked for; ask for fewer, or add documents", d.dir, have, s.Tokens)
	}
	return e, nil
}

// distinct are the first turns that ask something else, at most n.
func distinct(turns []Turn, n int) (out []Turn) {
	asked := map[string]bool{}
	for _, t := range turns {
		if len(out) < n && !asked[t.Input] {
			asked[t.Input] = true
			out = append(out, t)
		}
	}
	return out
}

// choose draws the documents of a session.
func (d *Docs) choose(r *rand.Rand, s Size) ([]chosenDocument, error) {
	order := r.Perm(len(d.docs))
	var chosen []chosenDocument
	taken := make([]bool, len(d.docs))
	have, asked, least := 0, 0, 0
	whole := func(i int) bool {
		c := chosenDocument{&d.docs[i], d.docs[i].text, false}
		n := s.count(c.written())
		if least == 0 || n < least {
			least = n
		}
		if s.Tokens > 0 && have+n > s.Tokens {
			return false
		}
		chosen, taken[i], have = append(chosen, c), true, have+n
		return true
	}
	for _, i := range order {
		if n := len(d.docs[i].asked); n > 0 && asked < s.turns(5) && whole(i) {
			asked += n
		}
	}
	if asked == 0 {
		return nil, fmt.Errorf("%s: no document with a question fits a context of %d tokens: the smallest has %d; ask for more", d.dir, s.Tokens, least)
	}
	for _, i := range order {
		if taken[i] || whole(i) {
			continue
		}
		if room := s.Tokens - have; room*100 > s.Tokens {
			c := chosenDocument{&d.docs[i], "", true}
			c.text = cutLines(d.docs[i].text, room-s.count(c.written()), s.count)
			if n := s.count(c.written()); c.text != "" && have+n <= s.Tokens+s.Tokens/100 {
				chosen, taken[i], have = append(chosen, c), true, have+n
			}
		}
	}
	return chosen, nil
}

// cutLines is the beginning of a text, to the end of a line or else of a word, of about so many tokens.
func cutLines(text string, want int, count func(string) int) string {
	best, off := "", max(want, 0)
	at := len(text)
	for range 12 {
		piece := text[:at]
		have := count(piece)
		if x := abs(have - want); x < off {
			best, off = piece, x
		}
		next := min(len(text), int(float64(at)*float64(want)/float64(max(1, have))))
		if end := strings.LastIndexByte(text[:max(next, 0)], '\n') + 1; end > next*9/10 {
			next = end
		} else if end := strings.LastIndexAny(text[:max(next, 0)], " \n") + 1; end > 0 {
			next = end
		} else {
			next = 0 // nowhere to cut
		}
		if next == at || next <= 0 {
			break
		}
		at = next
	}
	return strings.TrimRight(best, "\n")
}
