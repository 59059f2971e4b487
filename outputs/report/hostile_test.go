package report

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"scbench/outputs"
)

// hostile are texts that would be markup, commands, formulas or tricks on the eye where they are not made harmless.
var hostile = []string{
	`</script><script>alert(1)</script>`,
	`<!--<script>`,
	"\x1b[31mred\x1b]8;;http://x\x1b\\link\x1b[2J",
	"abc\u202edcba\u2066x\u2069\u200b",
	`=HYPERLINK("http://x","y")`,
	" +1+cmd|' /C calc'!A0",
	`\input{/etc/passwd} $x$ %&_#{}~^ "quoted"`,
	"| a | `b` <img src=x onerror=alert(1)> [l](javascript:x)",
	"\x00\x07\ufeff\U000e0041",
	strings.Repeat("A", 1<<20),
	strings.Repeat("<", 1<<20),
	"line\u2028sep\u2029par\r\nnext",
	"\xff\xfe not UTF-8",
}

// TestHostileTextIsInert puts the texts wherever a model, a data set or a file can: answers, errors, names of tasks, examples and
// methods.
func TestHostileTextIsInert(t *testing.T) {
	dir := t.TempDir()
	if keep := os.Getenv("SCBENCH_HOSTILE_RUN"); keep != "" { // to open it in a browser too
		dir = keep
	}
	s := small
	s.examples, s.id = len(hostile), "hostile"
	for i := range s.methods {
		s.methods = append(s.methods[:i:i], append([]string{s.methods[i] + map[bool]string{true: "", false: ",x=" + hostile[i]}[i == 0]}, s.methods[i+1:]...)...)
	}
	s.tasks = []string{"kv", hostile[0] + hostile[2] + hostile[3] + hostile[6]}
	r := read(t, s.write(t, dir, func(row *outputs.Row) {
		h := hostile[(int(row.Result.Turn)+len(row.Result.Method)+int(row.Result.Example[len(row.Result.Example)-1]))%len(hostile)]
		if len(h) >= 1<<20 && row.Result.Turn+row.Result.Turn%2 > 2 {
			h = hostile[1]
		}
		q := &row.Result
		q.Skill, q.KernelTier, q.Build = hostile[4]+q.Skill, "go"+hostile[3], "dev"+hostile[0]
		if *q.ScoreFixed == 0 {
			q.Prediction, q.Answers = h, []string{h, hostile[0]}
		}
		if q.Turn == 3 && q.Method != full {
			q.Status, q.Error, q.ScoreFixed, q.ScoreStrict, q.Finish = outputs.Failed, &h, ptr(0.0), ptr(0.0), outputs.NotDecoded
		}
	}))
	html := page(t, r)
	p := parse(t, html)
	if n := strings.Count(strings.ToLower(html), "</script"); n != len(p.scripts)+1 {
		t.Errorf("%d script elements end, there are %d", n, len(p.scripts)+1)
	}
	for i, script := range p.scripts {
		if !strings.Contains(p.policy, sourceHash([]byte(script))) {
			t.Errorf("script %d is none of ours", i)
		}
	}
	if len(html) > 5<<20 {
		t.Errorf("the page has %d bytes", len(html))
	}
	noTricks(t, "the page", html[:strings.Index(html, "<script>")])
	if dir == os.Getenv("SCBENCH_HOSTILE_RUN") {
		if err := r.WriteHTML(filepath.Join(dir, File)); err != nil {
			t.Fatal(err)
		}
	}
	dir = t.TempDir()
	if _, err := r.WriteTables(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := r.WriteFigures(dir); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		noTricks(t, path, string(b))
		switch filepath.Ext(path) {
		case ".csv":
			noFormulas(t, path, b)
		case ".tex":
			if m := regexp.MustCompile(`\\(input|include|write|immediate|catcode)\b`).Find(b); m != nil {
				t.Errorf("%s has the command %s", path, m)
			}
			body := regexp.MustCompile(`(?m)^%.*$`).ReplaceAll(b, nil)
			if m := regexp.MustCompile(`[^\\](%|#|_|~|\^|"|<|>)`).Find(body); m != nil {
				t.Errorf("%s holds %q unescaped", path, m)
			}
		case ".md", ".svg":
			if m := regexp.MustCompile(`(?i)<(script|img)`).Find(b); m != nil {
				t.Errorf("%s has %s", path, m)
			}
		}
	}
}

// noTricks wants no character that a terminal obeys or an eye cannot see.
func noTricks(t *testing.T, what, s string) {
	t.Helper()
	for i, r := range s {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			t.Errorf("%s holds %U after %q", what, r, s[max(0, i-30):i])
			return
		}
	}
}

// noFormulas wants no field that a spreadsheet would compute, but for numbers.
func noFormulas(t *testing.T, path string, b []byte) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	number := regexp.MustCompile(`^-?[0-9.]+(e[-+]?[0-9]+)?$`)
	for _, row := range rows {
		for _, field := range row {
			if f := strings.TrimSpace(field); f != "" && strings.ContainsAny(f[:1], "=+-@\t\r") && !number.MatchString(f) {
				t.Errorf("%s holds the formula %q", path, f)
			}
		}
	}
}
