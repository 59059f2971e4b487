package methods

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"scbench/stages/engine"
)

var update = flag.Bool("update", false, "write README.md")

// guide is the part of README.md after the tables.
const guide = `
## How to write a method

A method is one file here with one value, its line in ` + "`methods.go`" + `, and its line in the table of ` + "`conformance_test.go`" + `, which says with which settings to test it.

1. Copy the method that is nearest to yours: ` + "`ashape.go`" + ` (which keys each row of the first prompt reads), ` + "`streamingllm.go`" + ` (which tokens
   stay, by position), ` + "`snapkv.go`" + ` (by the last queries), ` + "`h2o.go`" + ` (by all queries: an observer), ` + "`kvzip.go`" + ` (by running the model once more),
   ` + "`kivi.go`" + ` (in which format), ` + "`quest.go`" + ` (which of the stored tokens a query reads).
2. Fill the value: name, paper with its arXiv number, one sentence, stage, settings with the paper's defaults, what differs from the reference, costs. ` + "`New`" + ` reads the
   settings and returns an ` + "`engine.Policy`" + `, whose functions return decisions; the engine carries them out and counts what they cost. Policies keep no
   state: what a method remembers of a conversation lives in the cache's layer, where a fork finds it.
3. Run ` + "`go test ./stages/methods ./cmd/scbench -run Readme -update`" + `, which writes this file and the lists of the main README, and then
   ` + "`go test ./stages/methods`" + `. The conformance suite wants of every method: with an unlimited budget it is full attention, bit for bit; it reads no
   key after the query; with a small budget it does something; one thread and two give the same numbers; what a branch decodes leaves its parent
   and the next branch as they were; no memory is left; settings out of range are refused by name.
4. If the original code has published numbers, put them below ` + "`testdata/golden/methods`" + ` and add a runner: a vector that is neither run nor listed
   with a reason fails the tests.

` + "`scbench run -m 'full yours:budget=256'`" + ` shows what it does to answers, memory and time.
`

// readme is README.md.
func readme() string {
	var b strings.Builder
	b.WriteString("# Methods\n\nWritten by `go test ./stages/methods -run Readme -update` from the values in this folder. n is the tokens of the context.\n\n")
	b.WriteString("| method | stage | what it does | query-key products of prefill | read per token | stored | decides | knows of queries |\n|---|---|---|---|---|---|---|---|\n")
	for _, m := range All {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", m.Name, m.Stage, m.Doc, m.Cost.Prefill, m.Cost.Decode, m.Cost.Memory, m.Cost.Decided, m.Cost.Aware)
	}
	b.WriteString("\nTwo more rows of the paper's table are models rather than methods: Codestral-Mamba (Mamba-2) and Jamba (Mamba and attention), whose state takes the place of all or most of the cache.\n")
	b.WriteString("\n## Settings, sources and differences\n")
	for _, m := range All {
		fmt.Fprintf(&b, "\n### %s\n\n%s. %s\n", m.Name, m.Paper, m.Differs)
		if len(m.Params) > 0 {
			b.WriteString("\n| setting | default | |\n|---|---|---|\n")
		}
		for _, p := range m.Params {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", p.Name, p.Default, p.Doc)
		}
	}
	return b.String() + guide
}

// TestReadme wants README.md to be what the methods say of themselves.
func TestReadme(t *testing.T) {
	for _, m := range All {
		if !strings.HasPrefix(m.Differs, "Same as the reference") && !strings.HasPrefix(m.Differs, "Differs from the reference: ") {
			t.Errorf("method %s: Differs begins neither with \"Same as the reference\" nor with \"Differs from the reference: \"", m.Name)
		}
		if c := m.Cost; c.Prefill == "" || c.Decode == "" || c.Memory == "" || c.Decided == "" || c.Aware == "" {
			t.Errorf("method %s: its cost class is not complete: %+v", m.Name, c)
		}
		if m.Stage != engine.Baseline && !strings.Contains(m.Paper, "arXiv") {
			t.Errorf("method %s: Paper %q names no arXiv number", m.Name, m.Paper)
		}
	}
	want := readme()
	if *update {
		if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile("README.md"); err != nil || string(got) != want {
		t.Errorf("README.md is not what the methods say of themselves (%v); run go test ./stages/methods -run Readme -update", err)
	}
}
