package plain

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, ~!":                    "plain text, ~!",
		"日本語 – ▁█ é 👍":                      "日本語 – ▁█ é 👍",
		"\x1b[31mred\x1b[0m":                "red",
		"\x1b[2J\x1b[1;1Htop":               "top",
		"\x1b]0;new title\x07text":          "text",
		"\x1b]8;;http://x\x1b\\link\x1b\\":  "link",
		"\u009b31mC1\u009d52;c;aGk=\u009c!": "C1!",
		"\x1bPq#0\x1b\\sixel":               "sixel",
		"\x1bc reset \x1b(B set":            " reset  set",
		"\x1b]0;never ended\nnext":          " next",
		"over\rwrite\b\b\b\x00\x7f":         "over write",
		"two\r\nlines\tand\u2028more":       "two  lines and more",
		"abc\u202edcba\u202c\u2066x\u2069":  "abcdcbax",
		"zero\u200bwidth\ufeff\u00ad":       "zerowidth",
		"tag\U000e0041\U000e0042":           "tag",
		"bad \xff\x9b31m":                   "bad \uFFFD\uFFFD31m",
		"\x1b":                              "",
		"\x1b[":                             "",
	} {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "\x1b[31m", "\x1b\x1b[[m", "\u009d\u202e\xff", "\x1b\u200b[31m", "\x1b]\x1b]\x07\x07"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		if !utf8.ValidString(got) {
			t.Errorf("Line(%q) = %q is not UTF-8", s, got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) || hidden(r) || r != ' ' && unicode.IsSpace(r) }); i >= 0 {
			t.Errorf("Line(%q) = %q keeps %q", s, got, got[i:])
		}
		if again := Line(got); again != got {
			t.Errorf("Line(%q) = %q, again %q", s, got, again)
		}
	})
}
