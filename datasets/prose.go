package datasets

import (
	"math/rand/v2"
	"strings"
)

// prose is text in the making. Patterns are cheaper than fmt, and most of a context is made of them.
type prose struct {
	r    *rand.Rand
	text []byte
}

// lexicons are the words that a pattern's %x stands for.
var lexicons = [128][]string{
	'a': adjectives,
	'n': nouns,
	'c': cities,
	'p': places,
	'm': strings.Fields("estimator sampler encoder filter sensor solver schedule model protocol classifier scanner engine network detector grid"),
	'q': strings.Fields("error cost latency yield drift noise variance accuracy throughput lifetime pressure density recall bias strength"),
	'f': strings.Fields("age depth size temperature load weight length order speed width height colour"),
	's': strings.Fields("arrays reefs glaciers orchards tunnels markets archives colonies turbines harbors forests circuits crystals engines"),
	'k': strings.Fields("tidal urban coastal alpine distributed synthetic organic thermal digital nocturnal seasonal layered magnetic fluid"),
	'v': strings.Fields("measured compared recorded repeated simulated collected calibrated checked sampled tested"),
}

// say appends a pattern in which %a, %n, … are random words of lexicons and %d is a number of two digits.
func (p *prose) say(pattern string) {
	for {
		i := strings.IndexByte(pattern, '%')
		if i < 0 {
			p.text = append(p.text, pattern...)
			return
		}
		p.text = append(p.text, pattern[:i]...)
		if c := pattern[i+1]; c == 'd' {
			n := 10 + p.r.IntN(90)
			p.text = append(p.text, byte('0'+n/10), byte('0'+n%10))
		} else {
			p.word(pick(p.r, lexicons[c]))
		}
		pattern = pattern[i+2:]
	}
}

// word appends a word, and makes an "a" before it "an" where its sound wants that.
func (p *prose) word(w string) {
	n := len(p.text)
	if strings.IndexByte("aeiou", w[0]) >= 0 && n > 1 && p.text[n-1] == ' ' && p.text[n-2]|0x20 == 'a' && (n == 2 || p.text[n-3] == ' ') {
		p.text = append(p.text[:n-1], "n "...)
	}
	p.text = append(p.text, w...)
}

// sentence appends one sentence of a paper that states nothing of importance.
func (p *prose) sentence() { p.say(pick(p.r, asides)) }

// What papers say: their titles, what they claim and how they or others say so, and what stands between.
var (
	paperTitles = []string{
		"The %a %n %m and the %q of %k %s",
		"A %a %m for the %q of %k %s",
		"On the %q and the %f of %k %s with %n %ms",
		"%d years of %a %k %s: the %q of the %n %m",
	}
	findings = []string{
		"the %a %n %m cuts the %q of %k %s by %d percent",
		"the %q of %k %s grows with the %f of the %a %n %m",
		"%d %a samples are enough to predict the %q of %k %s in %c",
		"one %a %m explains the %q of %k %s better than the %n %m in use today",
		"the %q of %k %s does not depend on the %f of the %n %m",
		"%k %s lose %d percent of their %q when the %n %m is %a",
	}
	ownFindings     = []string{"We show that ", "Our main finding is that ", "We conclude that ", "Our central result is that ", "This paper establishes that "}
	foreignFindings = []string{"Earlier work claims that ", "It was long believed that ", "Others have argued that ", "A competing report states that "}
	asides          = []string{
		"The %n %m was %v in %c on a %a day.",
		"All %k %s were %v twice, first at the %p and then in %c.",
		"We thank the %p of %c for the %a %n.",
		"The %f of each %n was %v with a %a %m.",
		"Figure %d plots the %q against the %f.",
		"As the %n is %a, its %f has to be %v again.",
		"Table %d lists the %s that were %v.",
		"The %m takes the %f of the %n as its input.",
		"No %k %s were seen near the %a %p.",
		"A %a %n and a %n were %v side by side.",
		"Section %d returns to the %f of the %m.",
		"The data of %c have %d rows with a %q each.",
		"Unlike %k %s, the %n has no %f.",
		"The %p kept %d %a %s for later use.",
		"Each %m was %v for %d days.",
		"The notation follows the %a handbook of %c.",
	}
	headings = []string{"Introduction", "Related work", "Method", "Experiments", "Discussion", "Conclusion"}
)
