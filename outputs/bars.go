package outputs

import "math"

// maxBars bounds the curve's width; longer sessions show means of neighbouring turns.
const maxBars = 12

// point is the score of a turn, or none.
type point struct {
	y  float64
	ok bool
}

// curve is a method's score at each turn, or, of long sessions, at each group of neighbouring turns.
func (b *block) curve(method string) []point {
	n := min(len(b.turns), maxBars)
	curve := make([]point, n)
	for i := range n {
		var m Mean
		for _, turn := range b.turns[i*len(b.turns)/n : (i+1)*len(b.turns)/n] {
			if y, ok := b.atTurn(method, turn); ok {
				m.Add(y)
			}
		}
		curve[i].y, curve[i].ok = m.Value()
	}
	return curve
}

// bestCurve is the highest score of any method at each turn.
func (b *block) bestCurve() []point {
	best := make([]point, min(len(b.turns), maxBars))
	for _, method := range b.methods {
		for i, p := range b.curve(method) {
			if p.ok && (!best[i].ok || p.y > best[i].y) {
				best[i] = p
			}
		}
	}
	return best
}

// bars draws a curve on the scale from 0 (▁) to 1 (█), coloured by its share of the best method's score at that turn.
func bars(curve, best []point) field {
	levels := []rune("▁▂▃▄▅▆▇█")
	var f field
	for i, p := range curve {
		if !p.ok {
			f = append(f, span{text: " "})
			continue
		}
		level := math.Round(min(max(p.y, 0), 1) * float64(len(levels)-1))
		f = append(f, span{string(levels[int(level)]), shade(p.y, best[i].y)})
	}
	return f
}

// shade is green near the best, yellow down to half of it, red below.
func shade(y, best float64) string {
	switch {
	case y >= 0.9*best:
		return green
	case y >= 0.5*best:
		return yellow
	}
	return red
}
