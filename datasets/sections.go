package datasets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// document is a text of titled sections in the mini format: "Section 3: amber otter fox" and sentences of filler.
type document struct {
	text    strings.Builder
	titles  []string
	heads   []Span // "3: amber otter fox"
	needled []Span // where the needles stand
}

// sections is the number of sections in a mini document of s.Tokens tokens: as the reference model was trained, and enough for the questions.
func (s Size) sections(r *rand.Rand, turns int) int {
	const most = 40
	per := []int{60, 100, 200, 400}[r.IntN(4)]
	return max(2, min(most, s.Tokens/per), min(most, turns))
}

// newDocument writes k sections with fillers sentences in all, fillers >= k, and hides the needles among them.
func newDocument(r *rand.Rand, d Dials, k, fillers int, needles []string) (*document, error) {
	titles, err := unique(r, k, func(r *rand.Rand) string { return pick(r, adjectives) + " " + pick(r, nouns) + " " + pick(r, nouns) })
	if err != nil {
		return nil, err
	}
	doc := &document{titles: titles}
	places := d.spread(r, fillers, len(needles))
	slices.Sort(places)
	doc.text.WriteString("Read the document.")
	for i, title := range titles {
		doc.text.WriteString("\n\nSection ")
		lo := doc.text.Len()
		fmt.Fprintf(&doc.text, "%d: %s", i+1, title)
		doc.heads = append(doc.heads, Span{lo, doc.text.Len()})
		sep := byte('\n')
		for f := i * fillers / k; f < (i+1)*fillers/k; f++ {
			for n := len(doc.needled); n < len(needles) && places[n] <= f; n++ {
				doc.text.WriteByte(sep)
				doc.needled = append(doc.needled, Span{doc.text.Len(), doc.text.Len() + len(needles[n])})
				doc.text.WriteString(needles[n])
				sep = ' '
			}
			doc.text.WriteByte(sep)
			doc.text.WriteString(filler(r))
			sep = ' '
		}
	}
	return doc, nil
}

// ask asks different questions: two in five for one title, the others for the titles of up to six sections.
func (d *document) ask(r *rand.Rand, turns int) ([]Turn, error) {
	var out []Turn
	asked := map[string]bool{}
	for tries := 0; len(out) < turns; tries++ {
		if tries > 1000+50*turns {
			return nil, fmt.Errorf("a document of %d sections has no %d different questions; ask for fewer turns or more tokens", len(d.titles), turns)
		}
		lo := r.IntN(len(d.titles))
		t := Turn{Input: fmt.Sprintf("What is the title of section %d?", lo+1), Answers: []string{d.titles[lo]}, Evidence: d.heads[lo : lo+1]}
		if r.Float64() >= 0.4 {
			hi := min(len(d.titles), lo+1+r.IntN(6))
			var list []string
			for i := lo; i < hi; i++ {
				list = append(list, fmt.Sprintf("%d. %s", i+1, d.titles[i]))
			}
			t = Turn{Input: fmt.Sprintf("List the titles of sections %d to %d.", lo+1, hi), Answers: []string{strings.Join(list, "\n")}, Evidence: d.heads[lo:hi]}
		}
		if !asked[t.Input] {
			asked[t.Input] = true
			out = append(out, t)
		}
	}
	return out, nil
}
