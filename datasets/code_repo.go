package datasets

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// repository makes the source text of a generated repository: files with path comments, of a few functions each.
type repository struct {
	dialect
	seed  uint64
	size  Size
	asked int  // functions that are asked for
	brief bool // short functions, where there is room for no others
	pairs int  // keys and values between functions, as comments; 0: none
}

// A needle is a function that is asked for, those that are like it, and where it stands.
type needle struct {
	routine
	source string
	like   []string
	at     Span
}

const (
	fileFunctions  = 7 // of a generated file, at most
	nearDuplicates = 3 // of a needle, where its file has room for them
)

// slot says which needle a function is, or is like; -1 for none.
type slot struct {
	needle int
	like   bool
}

// slots chooses where needles stand, one in each part of the window, and which of the other functions of their files are like them.
func (p repository) slots(n int) []slot {
	all := make([]slot, n)
	for i := range all {
		all[i].needle = -1
	}
	lo, hi := p.size.window(n)
	if hi-lo < p.asked {
		lo = max(0, min(lo, n-p.asked))
		hi = lo + p.asked
	}
	r := p.stream(streamSlots)
	places := strata(r, hi-lo, p.asked)
	for k, at := range places {
		all[lo+at].needle = k
	}
	wanted := nearDuplicates
	if p.size.Distractors != 0 {
		wanted = min(max(p.size.Distractors, 0), fileFunctions-1)
	}
	for k, at := range places {
		file := (lo + at) / fileFunctions * fileFunctions
		left := wanted
		for _, i := range r.Perm(min(fileFunctions, n-file)) {
			if left > 0 && all[file+i].needle < 0 {
				all[file+i] = slot{k, true}
				left--
			}
		}
	}
	return all
}

// The streams of random numbers, one for each purpose, so that a repository of one function more is nearly the same.
const (
	streamNames = iota
	streamFolders
	streamPairs
	streamSlots
	streamNotes
	streamFiles // and all behind it, one a file
)

func (p repository) stream(n uint64) *rand.Rand { return rand.New(rand.NewPCG(p.seed, n)) }

// write makes a repository of n functions.
func (p repository) write(n int) (*repositoryWriter, error) {
	names, err := unique(p.stream(streamNames), n, func(r *rand.Rand) string {
		return pick(r, codeVerbs) + " " + pick(r, adjectives) + " " + pick(r, nouns)
	})
	if err != nil {
		return nil, err
	}
	folders, err := unique(p.stream(streamFolders), (n+fileFunctions-1)/fileFunctions, func(r *rand.Rand) string { return pick(r, adjectives) + pick(r, nouns) })
	if err != nil {
		return nil, err
	}
	p.pairs = min(p.pairs, n)
	w := &repositoryWriter{repository: p, slots: p.slots(n), names: names, needles: make([]needle, p.asked), done: map[work]bool{}}
	if p.pairs > 0 {
		r := p.stream(streamPairs)
		if w.keys, err = unique(r, p.pairs, uuid4); err != nil {
			return nil, err
		}
		w.values = values(r, p.pairs, uuid4)
	}
	for at := 0; at < n; at += fileFunctions {
		w.r = p.stream(streamFiles + uint64(at))
		w.file(folders[at/fileFunctions], at, min(at+fileFunctions, n))
	}
	return w, nil
}

// repositoryWriter writes one repository.
type repositoryWriter struct {
	repository
	r            *rand.Rand // of the file that is being written
	slots        []slot
	names        []string
	needles      []needle
	done         map[work]bool // by the functions so far
	keys, values []string
	pairAt       []Span // of the values
	text         strings.Builder
}

// file writes functions lo to hi as a file of their own. Needles are drawn first, so that what is like them can stand before them.
func (w *repositoryWriter) file(folder string, lo, hi int) {
	record, fields := w.r.IntN(len(codeRecords)), w.r.Perm(len(codeFields))[:5]
	if w.brief {
		fields = fields[:3]
	}
	var words []string
	for _, f := range fields {
		words = append(words, codeFields[f])
	}
	if lo > 0 {
		w.text.WriteByte('\n')
	}
	fmt.Fprintf(&w.text, "%s Path: src/%s/%ss.%s\n%s", w.comment, folder, codeRecords[record], w.ext, w.head(folder, codeRecords[record], words))
	works := make([]work, hi-lo)
	for pass := range 2 { // what is like a needle needs the needle
		for i, s := range w.slots[lo:hi] {
			if s.like == (pass == 1) {
				works[i] = w.unlike(func() work {
					if s.like {
						return w.needles[s.needle].work.like(w.r, fields)
					}
					if w.brief {
						return newWork(w.r, record, fields).short()
					}
					return newWork(w.r, record, fields)
				})
				if s.needle >= 0 && !s.like {
					w.needles[s.needle].routine = newRoutine(w.r, works[i], w.names[lo+i])
				}
			}
		}
	}
	for i, s := range w.slots[lo:hi] {
		w.one(lo+i, s, works[i])
	}
	w.text.WriteString(w.tail)
}

// unlike draws until it has work that no function does yet.
func (w *repositoryWriter) unlike(draw func() work) work {
	for {
		if d := draw(); !w.done[d] {
			w.done[d] = true
			return d
		}
	}
}

// one writes function i, and before it the pairs whose turn it is.
func (w *repositoryWriter) one(i int, s slot, does work) {
	for k := len(w.pairAt); k < w.pairs && k*len(w.slots) <= i*w.pairs; k++ {
		w.pair(k)
	}
	w.text.WriteByte('\n')
	if w.name == "python" {
		w.text.WriteByte('\n')
	}
	w.text.WriteString(strings.Repeat(w.indent, w.inside))
	f := newRoutine(w.r, does, w.names[i])
	if s.needle >= 0 && !s.like {
		f = w.needles[s.needle].routine
	}
	source := w.function(f)
	switch at := w.text.Len(); {
	case s.needle >= 0 && s.like:
		w.needles[s.needle].like = append(w.needles[s.needle].like, source)
	case s.needle >= 0:
		w.needles[s.needle].source, w.needles[s.needle].at = source, Span{at, at + len(source)}
	}
	w.text.WriteString(source)
	w.text.WriteByte('\n')
}

// pair writes key and value k as a comment.
func (w *repositoryWriter) pair(k int) {
	fmt.Fprintf(&w.text, "\n%s%s \"%s\": \"", strings.Repeat(w.indent, w.inside), w.comment, w.keys[k])
	w.pairAt = append(w.pairAt, Span{w.text.Len(), w.text.Len() + len(w.values[k])})
	w.text.WriteString(w.values[k] + "\"\n")
}

// fit makes a repository of the size asked for, of at least as many functions as are asked for and of published functions without a length: as many as
// fit, and notes at the end that fill up the rest.
func (p repository) fit(published int) (*repositoryWriter, error) {
	if err := p.size.check(); err != nil {
		return nil, err
	}
	least := max(p.asked, p.pairs/4, 1)
	if p.size.Tokens == 0 {
		return p.write(max(least, published))
	}
	p.brief = p.size.Tokens < 400*p.asked
	w, err := p.write(max(least, min(pilotItems, 4+p.size.Tokens/500)))
	if err != nil {
		return nil, err
	}
	have := p.size.count(w.text.String())
	for range 12 {
		each := float64(have) / float64(len(w.slots))
		if each < 1 {
			return nil, fmt.Errorf("the token count does not grow with the text: %d functions take %d tokens", len(w.slots), have)
		}
		missing := float64(p.size.Tokens - have)
		n := max(least, len(w.slots)+int(math.Floor(missing/each-0.25)))
		if n == len(w.slots) || missing >= 0 && missing < 2*each {
			break
		}
		if w, err = p.write(n); err != nil {
			return nil, err
		}
		have = p.size.count(w.text.String())
	}
	far := func() bool { return abs(have-p.size.Tokens)*100 > 2*max(p.size.Tokens, 1000) }
	for have > p.size.Tokens && far() && len(w.slots) > least { // what is too short notes make good
		if w, err = p.write(len(w.slots) - 1); err != nil {
			return nil, err
		}
		have = p.size.count(w.text.String())
	}
	have += w.notes(p.size.Tokens - have)
	if far() {
		return nil, fmt.Errorf("no repository of %d tokens can be made: the nearest has %d; ask for more tokens or fewer turns", p.size.Tokens, have)
	}
	return w, nil
}

// notes ends the text with comments of about that many tokens, and returns how many they take.
func (w *repositoryWriter) notes(tokens int) int {
	r := w.stream(streamNotes)
	var notes strings.Builder
	have := 0
	for have < tokens {
		text := "\n" + w.comment + " " + filler(r)
		next := w.size.count(notes.String() + text)
		if next-tokens > tokens-have {
			break
		}
		notes.WriteString(text)
		have = next
	}
	if have > 0 {
		w.text.WriteString(notes.String() + "\n")
	}
	return have
}
