package datasets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// publishedRemarks is the sentences that fill eight papers to the 409 kB of the published rows.
const publishedRemarks = 7450

// papers is a context and where in it things stand.
type papers struct {
	prose
	titles  []string
	own     [][]Span // of each paper, its findings
	needles []string // sentences that have still to be written
	places  []int    // before which sentence of the context each of needles shall stand; rising
	needled []Span   // where the needles stand
	written int      // sentences so far
}

// newPapers writes papers with n remarks in all and hides the needles among them, in the part of the context that s.Depth says.
func newPapers(r *rand.Rand, s Size, turns, n int, needles []string) (papers, error) {
	p := papers{prose: prose{r: r}, needles: needles}
	count := max(turns, 2, min(8, s.Tokens/600))
	own := 5
	if s.Tokens == 0 {
		count = max(turns, 8)
	} else if s.Tokens/count < 1000 {
		own = 3
	}
	foreign := own
	switch {
	case s.Distractors > 0:
		foreign = own * s.Distractors
	case s.Distractors < 0:
		foreign = 0
	case own == 3: // short papers
		foreign = 1
	}
	var err error
	p.titles, err = unique(r, count, func(r *rand.Rand) string {
		title := prose{r: r}
		title.say(pick(r, paperTitles))
		return string(title.text)
	})
	if err != nil {
		return p, err
	}
	p.places = s.spread(r, n+count*(own+foreign), len(needles))
	slices.Sort(p.places)
	shares := make([]int, count+1) // papers differ in length
	for i := range count {
		shares[i+1] = shares[i] + 200 + r.IntN(100)
	}
	for i, title := range p.titles {
		lo, hi := n*shares[i]/shares[count], n*shares[i+1]/shares[count]
		p.paper(title, hi-lo, own, foreign)
	}
	return p, nil
}

// paper writes one paper of remarks, own findings and findings of others, all mixed.
func (p *papers) paper(title string, remarks, own, foreign int) {
	if len(p.text) > 0 {
		p.text = append(p.text, "\n\n\n"...)
	}
	p.text = append(append(p.text, "Title: "...), title...)
	total := remarks + own + foreign
	finding := make([]byte, total)
	for i := range own + foreign {
		at := p.r.IntN(total)
		for finding[at] != 0 {
			at = (at + 1) % total
		}
		finding[at] = 'f'
		if i < own {
			finding[at] = 'o'
		}
	}
	sections, begun := min(len(headings), max(1, total/12)), 0
	var spans []Span
	for i, f := range finding {
		if i*sections/total >= begun {
			p.text = append(append(p.text, "\n\n"...), headings[begun]...)
			p.text = append(p.text, '\n')
			begun++
		} else if i%7 == 6 {
			p.text = append(p.text, '\n')
		} else {
			p.text = append(p.text, ' ')
		}
		p.hide()
		switch f {
		case 'o':
			p.text = append(p.text, pick(p.r, ownFindings)...)
			spans = append(spans, p.claim())
		case 'f':
			p.text = append(p.text, pick(p.r, foreignFindings)...)
			p.claim()
		default:
			p.sentence()
		}
		p.written++
	}
	p.own = append(p.own, spans)
}

// claim says something and a full stop and returns where the claim stands, without the stop.
func (p *papers) claim() Span {
	lo := len(p.text)
	p.say(pick(p.r, findings))
	p.text = append(p.text, '.')
	return Span{lo, len(p.text) - 1}
}

// hide writes the needles whose place has come, each with a blank after it.
func (p *papers) hide() {
	for len(p.needled) < len(p.needles) && p.places[len(p.needled)] <= p.written {
		needle := p.needles[len(p.needled)]
		p.needled = append(p.needled, Span{len(p.text), len(p.text) + len(needle)})
		p.text = append(append(p.text, needle...), ' ')
	}
}

// ask asks for the summaries of that many papers, in random order.
func (p *papers) ask(turns int) []Turn {
	var out []Turn
	for _, i := range sample(p.r, len(p.titles), turns) {
		findings := make([]string, len(p.own[i]))
		for k, at := range p.own[i] {
			findings[k] = strings.ToUpper(string(p.text[at.Lo:at.Lo+1])) + string(p.text[at.Lo+1:at.Hi]) + "."
		}
		out = append(out, Turn{
			Input:    fmt.Sprintf("Summarise the paper titled \"%s\": say in a few sentences what it finds itself.", p.titles[i]),
			Answers:  []string{strings.Join(findings, " ")},
			Evidence: p.own[i],
		})
	}
	return out
}
