package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the lists into README.md")

var readme = filepath.Join("..", "..", "README.md")

// TestReadmeLists compares the lists in the README with what the program prints.
func TestReadmeLists(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("<!-- scbench (list [a-z]+) -->\n```\n(?s:(.*?))```\n")
	found := 0
	text := block.ReplaceAllStringFunc(string(b), func(s string) string {
		found++
		m := block.FindStringSubmatch(s)
		var out, errs bytes.Buffer
		if code := run(strings.Fields(m[1]), &out, &errs); code != 0 {
			t.Fatalf("scbench %s: exit code %d, %s", m[1], code, errs.String())
		}
		if out.String() != m[2] && !*update {
			t.Errorf("README: scbench %s prints otherwise; run go test ./cmd/scbench -run Readme -update", m[1])
		}
		return "<!-- scbench " + m[1] + " -->\n```\n" + out.String() + "```\n"
	})
	if found < 2 {
		t.Errorf("%d lists found in the README", found)
	}
	if *update {
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(block.ReplaceAllString(text, ""), "\n"); n > 90 {
		t.Errorf("README has %d lines beside its lists; 90 are enough", n)
	}
}

// TestReadmeCommands parses every scbench command line of the README, so that none names a flag that does not exist. Those
// that need files of the reader's own are not run here; .ci/run runs the first one.
func TestReadmeCommands(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), "\\\n", " ")
	lines := regexp.MustCompile(`go run \./cmd/scbench ([^\x60\n#]+)`).FindAllStringSubmatch(text, -1)
	if len(lines) < 6 {
		t.Fatalf("%d command lines found", len(lines))
	}
	for _, l := range lines {
		var args []string
		for _, a := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(l[1], -1) {
			a = strings.Trim(a, `"`)
			if strings.HasSuffix(a, ".parquet") || strings.HasSuffix(a, ".jsonl") {
				a = readme // any file that exists
			}
			args = append(args, a)
		}
		_, parser := commandLine(io.Discard, io.Discard)
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("README: scbench %s: %v", l[1], err)
		}
	}
}
