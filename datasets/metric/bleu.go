package metric

import (
	"math"
	"strings"
)

// BLEU is the sentence BLEU of a candidate against one reference: the geometric mean of the clipped precisions of 1- to 4-grams of
// words between white space, times the brevity penalty, with smoothing method 4. Two equal texts of fewer than four words do not score 1.
//
// Source: NLTK's sentence_bleu with SmoothingFunction().method4 as it is since 2021, the similarity of RepoQA; older releases of
// NLTK compute three other things under the same name.
// Same as the reference.
func BLEU(candidate, reference string) float64 {
	c, r := bleuWords(candidate), bleuWords(reference)
	sum, inc := 0.0, 0
	for n := 1; n <= 4; n++ {
		hits, total := clipped(c, r, n)
		if hits == 0 && n == 1 {
			return 0
		}
		p := float64(hits) / float64(max(1, total))
		if hits == 0 && len(c) > 1 {
			inc++
			p = 1 / (math.Ldexp(1, inc) * 5 / math.Log(float64(len(c)))) / float64(max(1, total))
		}
		if p > 0 {
			sum += math.Log(p) / 4
		}
	}
	return brevity(len(c), len(r)) * math.Exp(sum)
}

// bleuWords is what stands between white space; a text without words has one empty word.
func bleuWords(s string) []string {
	if words := fields(s); len(words) > 0 {
		return words
	}
	return []string{""}
}

// clipped counts the n-grams of c that r has too, each at most as often as there, and all n-grams of c.
func clipped(c, r []string, n int) (hits, total int) {
	left := map[string]int{}
	for i := 0; i+n <= len(r); i++ {
		left[strings.Join(r[i:i+n], " ")]++
	}
	for i := 0; i+n <= len(c); i++ {
		total++
		if g := strings.Join(c[i:i+n], " "); left[g] > 0 {
			left[g]--
			hits++
		}
	}
	return hits, total
}

func brevity(c, r int) float64 {
	if c > r {
		return 1
	}
	return math.Exp(1 - float64(r)/float64(c))
}
