package datasets

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"scbench/datasets/metric"
)

// errStretch says that a stretch of files has too little to ask for; another may have more.
var errStretch = errors.New("too few functions with a comment of their own")

// stretch makes a session of files that follow each other.
type stretch struct {
	*Repos
	lang  CodeLanguage
	r     *rand.Rand
	size  Size
	turns int
}

// session draws where the stretch begins and asks for functions of it.
func (t stretch) session() (Example, error) {
	files, tokens, err := t.files()
	if err != nil {
		return Example{}, err
	}
	share := min(1, 0.95*float64(t.size.Tokens)/float64(max(1, tokens)))
	chosen := t.choose(files, share)
	if len(chosen) < t.turns {
		return Example{}, errStretch
	}
	w := stretchWriter{spans: make([]Span, len(chosen))}
	for i, f := range files {
		w.file(i, f, chosen)
	}
	text, err := t.cut(w.text.String())
	if err != nil {
		return Example{}, err
	}
	e := Example{Task: "repoqa", Context: text}
	pool := t.pool(files, chosen)
	for i, c := range chosen {
		source := files[c.file].without(c.Function, c.doc)
		if w.spans[i].Hi > len(text) || strings.Count(text, source) != 1 {
			return Example{}, errStretch
		}
		e.Turns = append(e.Turns, codeTurn(c.description, source, pool, w.spans[i]))
	}
	t.r.Shuffle(len(e.Turns), func(i, j int) { e.Turns[i], e.Turns[j] = e.Turns[j], e.Turns[i] })
	return e, nil
}

// files reads from a drawn one on until there are enough tokens; behind the last comes the first.
func (t stretch) files() (all []*sourceFile, tokens int, err error) {
	start := t.r.IntN(len(t.lang.paths))
	for i := range t.lang.paths {
		f, err := t.read(t.lang.paths[(start+i)%len(t.lang.paths)], t.lang.Name)
		if err != nil {
			return nil, 0, fmt.Errorf("repos: %w", err)
		}
		if f == nil {
			return nil, 0, fmt.Errorf("repos: %s has changed while sessions were built from it", t.dir)
		}
		all = append(all, f)
		// What is taken out again, the comments of the functions asked for, is less than a twentieth and the bytes allowed for each.
		if tokens += t.size.count(f.text); tokens > t.size.Tokens*21/20+t.turns*mostDocBytes/2 {
			return all, tokens, nil
		}
	}
	return all, tokens, nil
}

// chosenFunction is a documented function of a file of the stretch.
type chosenFunction struct {
	documentedFunction
	file int
}

// choose draws functions from the first share of the stretch, and of that from the window, one from each part of it. No two have the same
// description.
func (t stretch) choose(files []*sourceFile, share float64) []chosenFunction {
	total := 0
	for _, f := range files {
		total += len(f.text)
	}
	within := int(share * float64(total))
	lo, hi := t.size.window(within)
	var all []chosenFunction
	count := map[string]int{}
	before := 0
	for i, f := range files {
		for _, d := range f.documented() {
			count[d.description]++
			if at := before + d.Lo; at >= lo && before+d.Hi < hi {
				all = append(all, chosenFunction{d, i})
			}
		}
		before += len(f.text)
	}
	all = slices.DeleteFunc(all, func(c chosenFunction) bool { return count[c.description] > 1 })
	if len(all) < t.turns {
		return nil
	}
	places := strata(t.r, len(all), t.turns)
	slices.Sort(places)
	out := make([]chosenFunction, len(places))
	for i, at := range places {
		out[i] = all[at]
	}
	return out
}

// pool has the chosen functions and those next to them.
func (t stretch) pool(files []*sourceFile, chosen []chosenFunction) metric.Pool {
	p := metric.Pool{Lang: t.lang.Name}
	for _, c := range chosen {
		p.Asked = append(p.Asked, files[c.file].without(c.Function, c.doc))
	}
	wanted := 2
	if t.size.Distractors != 0 {
		wanted = max(t.size.Distractors, 0)
	}
	asked := func(file, at int) bool {
		return slices.ContainsFunc(chosen, func(c chosenFunction) bool { return c.file == file && c.index == at })
	}
	for _, c := range chosen {
		f, left := files[c.file], wanted
		for step := 1; left > 0 && step <= 2*len(f.functions); step++ {
			at := c.index + (step/2+step%2)*(1-2*(step%2)) // one before, one behind, two before, …
			if at < 0 || at >= len(f.functions) || asked(c.file, at) {
				continue
			}
			n := f.functions[at]
			source := f.text[n.Lo:n.Hi]
			if n.Lo < c.Hi && c.Lo < n.Hi || len(source) > mostCodeBytes || slices.Contains(p.Asked, source) || slices.Contains(p.Others, source) {
				continue
			}
			p.Others = append(p.Others, source)
			left--
		}
	}
	return p
}

// stretchWriter puts files together and notes where the chosen functions come to stand.
type stretchWriter struct {
	text  strings.Builder
	spans []Span
}

// file writes file number i without the comments of the functions chosen from it.
func (w *stretchWriter) file(i int, f *sourceFile, chosen []chosenFunction) {
	comment := "//"
	if f.lang == "python" {
		comment = "#"
	}
	if w.text.Len() > 0 {
		w.text.WriteByte('\n')
	}
	fmt.Fprintf(&w.text, "%s Path: %s\n", comment, f.name)
	at := 0
	for k, c := range chosen {
		if c.file != i {
			continue
		}
		w.text.WriteString(f.text[at:min(c.doc.Lo, c.Lo)])
		if c.doc.Lo < c.Lo {
			w.text.WriteString(f.text[c.doc.Hi:c.Lo])
		}
		source := f.without(c.Function, c.doc)
		w.spans[k] = Span{w.text.Len(), w.text.Len() + len(source)}
		w.text.WriteString(source)
		at = c.Hi
	}
	w.text.WriteString(strings.TrimRight(f.text[at:], "\n") + "\n")
}

// cut ends the text at the end of a line, where its length in tokens is reached.
func (t stretch) cut(text string) (string, error) {
	want := t.size.Tokens
	at, best, off := len(text), "", 1<<62
	for range 12 {
		piece := text[:at]
		have := t.size.count(piece)
		if d := abs(have - want); d < off {
			best, off = piece, d
		}
		if off*200 <= want || have < want && at == len(text) {
			break
		}
		next := min(len(text), int(float64(at)*float64(want)/float64(max(1, have))))
		if end := strings.LastIndexByte(text[:next], '\n') + 1; end > 0 {
			next = end
		}
		if next == at {
			break
		}
		at = next
	}
	if off*50 > max(want, 1000) {
		return "", fmt.Errorf("%s: its code in %s comes to %d tokens less than %d, or has lines that long; ask for fewer", t.dir, t.lang.Name, off, want)
	}
	return best, nil
}
