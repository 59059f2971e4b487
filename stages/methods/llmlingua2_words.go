package methods

import (
	"math"
	"slices"
)

// shorten decides which words of a chunk stay, and returns their text.
func (m *lingua) shorten(words []word, reduce float64) (string, error) {
	if len(words) == 0 {
		return "", nil
	}
	for i := range words {
		words[i].worth = words[i].tokens[0]
		if !m.first {
			words[i].worth = mean(words[i].tokens)
		}
	}
	if m.drop {
		m.dropRepeats(words, reduce)
	}
	var all []float64 // each word's worth as often as it has tokens
	for _, w := range words {
		n := len(w.tokens)
		if m.count != nil {
			var err error
			if n, err = m.count(w.text); err != nil {
				return "", err
			}
		}
		for range n {
			all = append(all, w.worth)
		}
	}
	threshold := percentile(all, int(float64(100*reduce)+1))
	var kept []string
	for i := range words {
		w := &words[i]
		w.kept = w.worth > threshold || threshold == 1 && w.worth == 1
		if m.drop && w.kept && slices.Contains(m.force, w.text) && len(kept) > 0 && kept[len(kept)-1] == w.text {
			w.kept = false
		}
		if w.kept {
			kept = append(kept, w.text)
		}
	}
	return m.Text(kept), nil
}

// staying is the number of words that stay.
func staying(words []word) (n int) {
	for _, w := range words {
		if w.kept {
			n++
		}
	}
	return n
}

// dropRepeats makes a forced text worthless that repeats the one before it without a word between that would stay.
func (m *lingua) dropRepeats(words []word, reduce float64) {
	var worths []float64
	for _, w := range words {
		worths = append(worths, w.worth)
	}
	threshold := percentile(worths, int(100*reduce))
	between, before := false, ""
	for i := range words {
		w := &words[i]
		if !slices.Contains(m.force, w.text) {
			between = between || w.worth > threshold
			continue
		}
		if between {
			between = false
		} else if w.text == before {
			w.worth = 0
		}
		before = w.text
	}
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// percentile is the q-th percentile of x, with linear interpolation, rounded as numpy does; 0 of nothing.
func percentile(x []float64, q int) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	at := float64(len(x)-1) * (float64(min(q, 100)) / 100)
	below := math.Floor(at)
	a, b := x[int(below)], x[min(int(below)+1, len(x)-1)]
	t := at - below
	if t >= 0.5 { // from the nearer side; the conversions keep products from being fused with sums
		return b - float64((b-a)*(1-t))
	}
	return a + float64((b-a)*t)
}
