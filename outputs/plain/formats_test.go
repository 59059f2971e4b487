package plain

import (
	"strings"
	"testing"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name     string
		of       func(string) string
		in, want string
	}{
		{"CSV", CSV, "a,b", "a,b"},
		{"CSV", CSV, "=1+1", "'=1+1"},
		{"CSV", CSV, "  +cmd|x", "'  +cmd|x"},
		{"CSV", CSV, "-2", "'-2"},
		{"CSV", CSV, "\t@SUM(A1)", "' @SUM(A1)"},
		{"CSV", CSV, "\x1b[31m\u202e=x", "'=x"},
		{"CSV", CSV, "", ""},
		{"CSV", CSV, "é=", "é="},
		{"LaTeX", LaTeX, `\input{x}`, `\textbackslash{}input\{x\}`},
		{"LaTeX", LaTeX, `50 % of $x_1$ & #`, `50 \% of \$x\_1\$ \& \#`},
		{"LaTeX", LaTeX, "[a]\n<b>", `{[}a{]} \textless{}b\textgreater{}`},
		{"Markdown", Markdown, "a|b\n<i>*x*</i>", `a\|b &lt;i>\*x\*&lt;/i>`},
		{"XML", XML, "a\ufffe\x00b", "ab"},
	} {
		if got := c.of(c.in); got != c.want {
			t.Errorf("%s(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"two\nlines\t日本":  "two\nlines\t日本",
		"a\u202eb\x1b[0m": "a⟨U+202E⟩b⟨U+001B⟩[0m",
		"\xff":            "\uFFFD",
		"x\r\u2028y":      "x⟨U+000D⟩⟨U+2028⟩y",
	} {
		if got := Visible(in, 100); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Visible(strings.Repeat("é", 1<<20), 3); got != "ééé… (1048573 more characters)" {
		t.Errorf("a line of 2 MiB reads %q", got)
	}
	if got := Visible("abc", 3); got != "abc" {
		t.Errorf("what is not longer reads %q", got)
	}
}
