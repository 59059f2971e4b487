package metric

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tableLCS is markLCS as the reference's rouge_score has it: a table of lengths and a walk back over it.
func tableLCS(covered []bool, gold, line []string) {
	length := make([][]int, len(gold)+1)
	length[0] = make([]int, len(line)+1)
	for i := range gold {
		length[i+1] = make([]int, len(line)+1)
		for j := range line {
			if gold[i] == line[j] {
				length[i+1][j+1] = length[i][j] + 1
			} else {
				length[i+1][j+1] = max(length[i][j+1], length[i+1][j])
			}
		}
	}
	for i, j := len(gold), len(line); i > 0 && j > 0; {
		switch {
		case gold[i-1] == line[j-1]:
			covered[i-1] = true
			i, j = i-1, j-1
		case length[i][j-1] > length[i-1][j]:
			j--
		default:
			i--
		}
	}
}

// TestMarkLCS wants the very subsequence that the reference's walk finds, for lines of one word of the table and of several.
func TestMarkLCS(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		tokens := func(n int) []string {
			out := make([]string, r.IntN(n))
			for i := range out {
				out[i] = string(rune('a' + r.IntN(1+r.IntN(8))))
			}
			return out
		}
		gold, line := tokens(50), tokens([]int{5, 64, 65, 200}[r.IntN(4)])
		want, got := make([]bool, len(gold)), make([]bool, len(gold))
		tableLCS(want, gold, line)
		markLCS(got, gold, line)
		if !slices.Equal(got, want) {
			t.Fatalf("gold %v, line %v: %v, want %v", gold, line, got, want)
		}
	}
}

// TestRougeOfLongTexts scores an answer whose table of lengths would take two gigabytes.
func TestRougeOfLongTexts(t *testing.T) {
	text := func(n, step int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "w%d ", i*step%5000)
		}
		return b.String()
	}
	answer, gold := text(60_000, 1), text(8_000, 7)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	score := RougeLsum(answer, gold)
	runtime.ReadMemStats(&after)
	if score.Fixed <= 0 || score.Fixed >= 1 {
		t.Errorf("score %v", score)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("%d bytes are allocated", n)
	}
}
