package metric

import (
	"testing"
	"unicode"
)

func TestFirstNumber(t *testing.T) {
	check(t, FirstNumber, []vector{
		{"997", "997", 1, 1},
		{"The answer is 997.", "997", 1, 1},
		{"996", "997", 0, 0},
		{"996 or 997", "997", 0, 0},
		{"none", "997", 0, 0},
		{"", "997", 0, 0},
		{"-5", "5", 1, 0},
		{"-5", "-5", 0, 1},
		{"−5", "-5", 0, 1},
		{"1,234", "1234", 0, 1},
		{"1,234", "1", 1, 0},
		{"1\u202f234\u00a0567", "1234567", 0, 1},
		{"1,2345", "1", 1, 1},
		{"1, 234", "1", 1, 1},
		{"1234,567", "1234", 1, 1},
		{"007", "7", 1, 1},
		{"5.7", "5", 1, 0},
		{"5.0", "5", 1, 1},
		{"5.", "5", 1, 1},
		{"5.50", "5.5", 1, 1},
		{"5", "5.5", 0, 0},
		{"range 100-200", "100", 1, 1},
		{"A-5", "5", 1, 1},
		{"(-5)", "-5", 0, 1},
		{"-0", "0", 1, 1},
		{"**997**", "997", 1, 1},
		{"９９７", "997", 1, 1},
		{"٩٩٧", "997", 1, 1},
		{"the 3rd largest is 997", "997", 0, 0},
		{"99999999999999999999", "1", 0, 0},
		{"0.1", "0.1", 1, 1},
		{"5", "five", 0, 0},
	})
	long := make([]byte, 400)
	for i := range long {
		long[i] = '9'
	}
	if got := FirstNumber(string(long), "9"); got != (Scores{}) {
		t.Errorf("a number beyond all doubles: %v", got)
	}
}

// TestAsciiDigit: the trick that reads a digit's value off its place needs whole tens in the table.
func TestAsciiDigit(t *testing.T) {
	for _, r := range unicode.Nd.R16 {
		if r.Stride != 1 || (r.Hi-r.Lo+1)%10 != 0 {
			t.Errorf("range %04x-%04x", r.Lo, r.Hi)
		}
	}
	for _, r := range unicode.Nd.R32 {
		if r.Stride != 1 || (r.Hi-r.Lo+1)%10 != 0 {
			t.Errorf("range %04x-%04x", r.Lo, r.Hi)
		}
	}
	for in, want := range map[rune]rune{'7': '7', '９': '9', '٣': '3', '𝟗': '9', '𝟘': '0', 'x': 'x'} {
		if got := asciiDigit(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func FuzzFirstNumber(f *testing.F) {
	for _, s := range []string{"-1,234.50", "−5", "1,2345", "x-3", "00.0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		n, ok := readNumber(answer)
		if !ok {
			return
		}
		text := n.whole + "." + n.frac + "0"
		if n.minus {
			text = "-" + text
		}
		if n.whole == "" {
			return // ".5" is not a form that is read
		}
		if again, _ := readNumber(text); again != n {
			t.Errorf("%q reads as %v, which reads as %v", answer, n, again)
		}
	})
}
