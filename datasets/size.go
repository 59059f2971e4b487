package datasets

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// The most that a Size may ask for. Beyond them lies a slip of the finger, and after it the end of the memory.
const (
	maxTokens = 1 << 24
	maxTurns  = 1 << 12
	maxDial   = 1 << 8 // hops, and distractors for each fact
)

// Dials say how hard a built example shall be. A builder turns those that its task has and ignores the others; the zero value is what is
// usual for the task.
type Dials struct {
	Hops        int        // facts that must be joined for an answer; 0: as the task has them
	Distractors int        // contradicting or similar facts for each fact needed; 0: as the task has them, negative: none
	Depth       [2]float64 // the evidence stands in this part of the context, as shares of its length; {0, 0}: anywhere
}

// String names the dials that are turned: "hops=2,distractors=0,depth=0.2-0.4"; "" if none is.
func (d Dials) String() string {
	var turned []string
	if d.Hops != 0 {
		turned = append(turned, fmt.Sprintf("hops=%d", d.Hops))
	}
	if d.Distractors != 0 {
		turned = append(turned, fmt.Sprintf("distractors=%d", max(d.Distractors, 0)))
	}
	if d.Depth != [2]float64{} {
		turned = append(turned, fmt.Sprintf("depth=%g-%g", d.Depth[0], d.Depth[1]))
	}
	return strings.Join(turned, ",")
}

// window is the part of n places in which evidence may stand.
func (d Dials) window(n int) (lo, hi int) {
	if d.Depth == [2]float64{} {
		return 0, n
	}
	return int(d.Depth[0] * float64(n)), int(d.Depth[1] * float64(n))
}

// least is the fewest places of which k lie in the window, or as good as in it.
func (d Dials) least(k int) int {
	if d.Depth == [2]float64{} {
		return k
	}
	return int(math.Ceil(float64(k) / (d.Depth[1] - d.Depth[0])))
}

// within chooses k places of those of n that lie in the window, as draw does of all; n is at least least(k).
func (d Dials) within(r *rand.Rand, n, k int, draw func(r *rand.Rand, n, k int) []int) []int {
	lo, hi := d.window(n)
	if hi < lo+k { // a place was lost in rounding
		hi = min(lo+k, n)
		lo = hi - k
	}
	at := draw(r, hi-lo, k)
	for i := range at {
		at[i] += lo
	}
	return at
}

// spread draws k places among n, one from each of k equal parts of the window where it is as large as that, in random order.
func (d Dials) spread(r *rand.Rand, n, k int) []int {
	lo, hi := d.window(n)
	at := make([]int, k)
	for i := range at {
		a, b := lo+i*(hi-lo)/k, lo+(i+1)*(hi-lo)/k
		at[i] = a + r.IntN(max(1, b-a))
	}
	r.Shuffle(k, func(i, j int) { at[i], at[j] = at[j], at[i] })
	return at
}

func (d Dials) check() error {
	lo, hi := d.Depth[0], d.Depth[1]
	if d.Depth != [2]float64{} && !(0 <= lo && lo < hi && hi <= 1) {
		return fmt.Errorf("evidence from %g to %g of the context: give two rising shares between 0 and 1", lo, hi)
	}
	if d.Hops < 0 || d.Hops > maxDial {
		return fmt.Errorf("%d hops: ask for 1 to %d, or 0 for those of the task", d.Hops, maxDial)
	}
	if d.Distractors > maxDial {
		return fmt.Errorf("%d distractors for each fact: ask for at most %d", d.Distractors, maxDial)
	}
	return nil
}

// count is the length of text in tokens.
func (s Size) count(text string) int {
	if s.Count == nil {
		return (len(text) + 3) / 4
	}
	return s.Count(text)
}

// turns is the number of questions to ask in a task whose published rows have that many.
func (s Size) turns(published int) int {
	if s.Turns == 0 {
		return published
	}
	return max(s.Turns, 0) // check refuses less
}

func (s Size) check() error {
	switch {
	case s.Tokens < 0 || s.Tokens > maxTokens:
		return fmt.Errorf("a context of %d tokens: ask for 1 to %d, or 0 for the published length", s.Tokens, maxTokens)
	case s.Turns < 0 || s.Turns > maxTurns:
		return fmt.Errorf("%d turns: ask for 1 to %d, or 0 for the published number", s.Turns, maxTurns)
	}
	return s.Dials.check()
}

// grow makes an example of about s.Tokens tokens. build makes one of n like items, n >= least. Two small ones tell what an item and
// what the rest take; the guess is then corrected by counting what was really built. With no Tokens it builds published items.
func (s Size) grow(least, published int, build func(n int) (Example, error)) (Example, error) {
	if err := s.check(); err != nil {
		return Example{}, err
	}
	if s.Tokens == 0 {
		if published == 0 {
			return Example{}, errors.New("the mini format has no published length: give the number of tokens")
		}
		return build(max(least, published))
	}
	g := grower{s, least, build}
	rest, item, err := g.pilot()
	if err != nil {
		return Example{}, err
	}
	return g.run(rest, item)
}

type grower struct {
	Size
	least int
	build func(n int) (Example, error)
}

// pilotItems is how many items tell what one takes.
const pilotItems = 256

// pilot learns the tokens of an example without items and those of one item.
func (g grower) pilot() (rest, item float64, err error) {
	small, err := g.build(g.least)
	if err != nil {
		return 0, 0, err
	}
	large, err := g.build(g.least + pilotItems)
	if err != nil {
		return 0, 0, err
	}
	a, b := g.count(small.Context), g.count(large.Context)
	if item = float64(b-a) / pilotItems; item < 1.0/16 {
		return 0, 0, fmt.Errorf("the token count does not grow with the text: %d items take %d tokens, %d take %d", g.least, a, g.least+pilotItems, b)
	}
	return float64(a) - item*float64(g.least), item, nil
}

// run builds until the length is right to 1 %, or to half an item and 2 %, and keeps the nearest. Where items differ much in length one draw may miss
// by more than the guess is wrong, so the guess is refined by all that was built, never by the last alone.
func (g grower) run(rest, item float64) (best Example, err error) {
	got, tokens, items := math.MaxInt/2, item*pilotItems, float64(pilotItems)
	for range 16 {
		n := max(g.least, int(math.Round((float64(g.Tokens)-rest)*items/tokens)))
		e, err := g.build(n)
		if err != nil {
			return Example{}, err
		}
		c := g.count(e.Context)
		if abs(c-g.Tokens) < abs(got-g.Tokens) {
			best, got = e, c
		}
		if off := abs(got - g.Tokens); off*100 <= g.Tokens || float64(off) <= item/2 && off*50 <= g.Tokens {
			break
		}
		tokens, items = tokens+float64(c)-rest, items+float64(n)
	}
	if abs(got-g.Tokens)*20 > g.Tokens {
		return Example{}, fmt.Errorf("no context of %d tokens can be made: the nearest has %d; ask for more tokens or fewer turns", g.Tokens, got)
	}
	return best, nil
}

func abs(n int) int { return max(n, -n) }

// strata draws one place from each of k equal parts of [0, n) and returns them in random order; k <= n.
// So the questions of a session cover the whole context, and the order of asking says nothing about the place.
func strata(r *rand.Rand, n, k int) []int {
	at := make([]int, k)
	for i := range at {
		lo, hi := i*n/k, (i+1)*n/k
		at[i] = lo + r.IntN(hi-lo)
	}
	r.Shuffle(k, func(i, j int) { at[i], at[j] = at[j], at[i] })
	return at
}

// sample draws k different numbers of [0, n) in random order; k <= n.
func sample(r *rand.Rand, n, k int) []int { return r.Perm(n)[:k] }

// octaves draws a number of [lo, hi], lo > 0, small ones about as likely as ten times larger ones; lo if hi is less. It needs no logarithm, which
// not every machine rounds alike.
func octaves(r *rand.Rand, lo, hi int) int {
	n := 1
	for lo<<n <= hi {
		n++
	}
	from := lo << r.IntN(n)
	return min(from+r.IntN(from), max(lo, hi))
}

// unique draws different strings until it has n of them. It fails when make has too few.
func unique(r *rand.Rand, n int, make func(*rand.Rand) string) ([]string, error) {
	seen := map[string]bool{}
	var out []string
	for tries := 0; len(out) < n; tries++ {
		if tries > 50*n+1000 {
			return nil, fmt.Errorf("there are no %d different strings like %q; ask for fewer tokens", n, make(r))
		}
		if s := make(r); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out, nil
}
