package metric

import (
	"math"
	"strings"
	"testing"
)

// The vectors marked "spec" were made by running the published scorers.

func TestFirstDigits(t *testing.T) {
	check(t, FirstDigits, []vector{
		{"The pass key is 71432.", "71432", 1, 1},
		{"71432 and 5", "71432", 1, 1},
		{"5 and 71432", "71432", 0, 0},
		{"71,432", "71432", 0, 1},
		{"71,432", "71", 1, 0},
		{"071432", "71432", 0, 0},
		{"none", "71432", 0, 0},
		{"none", "", 1, 0},
	})
}

func TestContained(t *testing.T) {
	for _, v := range []struct {
		answer, golds string
		want          float64
	}{
		{"It was Straße 5", "STRASSE", 1}, {" snowfield ", "Snowfield", 1}, {"snow", "Snowfield", 0}, {"b", "A|B", 1}, {"", "x", 0}, {"nobody", "no", 1},
	} {
		if got := Contained(v.answer, strings.Split(v.golds, "|")); got != v.want {
			t.Errorf("%q in %q: %v, want %v", v.golds, v.answer, got, v.want)
		}
	}
}

func TestTokenF1(t *testing.T) {
	for _, v := range []struct {
		answer, golds string
		want          float64
	}{
		{"The cat, sat!", "cat sat", 1},
		{"a cat", "cat dog|cat", 1},
		{"cat dog", "cat", 2. / 3},
		{"cat cat", "cat", 2. / 3},
		{"the a an", "the", 0},
		{"", "", 0},
		{"don't", "dont", 1},
		{"“the”", "“”", 0}, // Python leaves the quotation marks, with a blank between them
		{"“the” cat", "” cat", 0.8},
		{"thé", "thé", 1},
		{"aé", "é", 0}, // é is part of the word
	} {
		if got := TokenF1(v.answer, strings.Split(v.golds, "|")); !near(got, v.want) {
			t.Errorf("answer %q, golds %q: %v, want %v", v.answer, v.golds, got, v.want)
		}
	}
}

func TestCharF1(t *testing.T) {
	check(t, CharF1, []vector{
		{"红色的花", "红色的花", 0.40, 1}, // spec
		{"红色", "红色", 2. / 3, 1},   // spec
		{"红", "红色的花", 1, 0.4},     // spec
		{"红色的花。", "《红色 的花》", 0.40, 8. / 9},
		{"", "红", 0, 0},
		{"ABC", "abc", 0.5, 1},
		{"蓝", "红", 0, 0},
	})
}

func TestManyShot(t *testing.T) {
	check(t, ManyShot, []vector{
		{"(B) Sad", "A", 1, 0}, // spec
		{"(B) Sad", "B", 1, 1},
		{"(A)", "A", 1, 1},
		{"(A)", "(A)", 1, 1},
		{"(C)", "(A)", 1, 0},
		{"C. 05/01/2021", "C", 1, 1},
		{"So the answer is (C).", "C", 1, 1},
		{"So the answer is c.", "C", 1, 1},
		{"**G**", "G", 1, 1},
		{"D", "G", 0, 0},
		{"A date", "A", 1, 0},
		{"", "A", 0, 0},
	})
}

func TestChoice(t *testing.T) {
	options := []string{"Mountain", "Snowfield", "Long road", "Snow"}
	right := func(answer, gold string) Scores { return Choice(answer, options, strings.Index("ABCD", gold)) }
	check(t, right, []vector{
		{"B. x", "B", 1, 1}, // from here to the blank answer, strict is the spec's
		{"Snowfield", "B", 1, 1},
		{"The answer is: B", "B", 1, 1},
		{"The answer is  B", "B", 1, 1},
		{"answer is Snowfield", "B", 1, 1},
		{"I think B", "B", 1, 1},
		{"**B**", "B", 0, 1},
		{"(B)", "B", 0, 1},
		{"b", "B", 0, 1},
		{"Snowfield.", "B", 0, 1},
		{"the AB", "B", 0, 0},
		{"A long time", "B", 0, 0},
		{"", "B", 0, 0},
		{"answer is Mountain", "A", 1, 1},
		{"A long time", "A", 1, 0},
		{"b) the second", "B", 0, 1},
		{"The answer is a long road.", "C", 0, 1},
		{"Snowfield (A)", "A", 0, 1},
		{"the answer is:", "B", 0, 0},
		{"option is B", "B", 1, 1},
		{"the answer: \nB", "B", 1, 1},
		{"It is D", "D", 1, 1},
		{"none of the Mountain and Long road", "A", 0, 0},
		{"Émile", "B", 0, 0},
		{"it was a SNOW", "D", 0, 1},
	})
}

func TestRougeLsum(t *testing.T) {
	check(t, RougeLsum, []vector{
		{"The cat sat on the mat.", "the cat is on the mat", 0.833333, 0.833333}, // spec, as the next three
		{"a b c\nd e f", "d e f\na b c", 1, 1},
		{"a b c d e f", "a b c d e f", 1, 1},
		{"", "a b", 0, 0},
		{"a b", "", 0, 0},
		{"a b c d", "a c\nb d", 1, 1},
		{"b a", "a b", 0.5, 0.5},
		{"a\na", "a b", 0.5, 0.5},
		{"naïve", "na ve", 1, 1},
		{"...", "a", 0, 0},
		// the union over two lines of the answer, from Lin's paper: w1 w2 and w1 w3 w5 of w1 … w5 make 4 of 5
		{"w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5", 8. / 15, 8. / 15},
	})
}

func TestBLEU(t *testing.T) {
	for _, v := range []struct {
		candidate, reference string
		want                 float64
	}{
		{"a b c d", "a b c d", 1}, // spec, as the next five
		{"a b c", "a b c", 0.57572},
		{"a", "a", 1},
		{"def f(x): return x", "def f(x): return y", 0.431468},
		{"a b x d e", "a b c d e", 0.171418},
		{"x y", "a b", 0},
		{"", "", 1},
		{"", "a", 0},
		{"a b c d", "a b c d e f g h", math.Exp(-1)},
		{"a b c d e", "a b c d", math.Pow(4./5*3/4*2/3*1/2, 0.25)},
		{"a\n b\tc  d", "a b c d", 1},
	} {
		if got := BLEU(v.candidate, v.reference); math.Abs(got-v.want) > 5e-6 {
			t.Errorf("candidate %q, reference %q: %v, want %v", v.candidate, v.reference, got, v.want)
		}
	}
}
