package outputs

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden texts of this package anew")

// golden compares with a file of testdata, and says how to accept a change.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got); after a look, accept with -update:\n%s", path, d)
	}
}

func table(t *testing.T, s Summary, o TableOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Table(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// mixed is a sweep with one failed query, and a mixed task whose subtasks alternate.
func mixed() Summary {
	rows := results(sampleRows([]string{"kv", "mf", "repoqa_and_kv"}, 20, 5))
	for i := range rows {
		if rows[i].Task == "repoqa_and_kv" {
			rows[i].Part = []string{"repoqa", "kv"}[rows[i].Turn%2]
		}
		if rows[i].Method == streaming && rows[i].Example == "mf-000003" && rows[i].Turn == 2 {
			rows[i].Status, rows[i].ScoreFixed, rows[i].ScoreStrict = Failed, ptr(0.0), ptr(0.0)
		}
	}
	return Summarize(rows)
}

func TestTable(t *testing.T) {
	golden(t, "table_one_task.txt", table(t, Summarize(results(sampleRows([]string{"kv"}, 20, 5))), TableOptions{}))
	golden(t, "table_mixed.txt", table(t, mixed(), TableOptions{}))
	golden(t, "table_colour.txt", table(t, mixed(), TableOptions{Color: Always}))
	golden(t, "table_empty.txt", table(t, Summary{}, TableOptions{}))
	all := []string{"kv", "prefix_suffix", "vt", "repoqa", "qa_eng", "qa_chn", "choice_eng", "mf", "many_shot", "summary", "summary_with_needles", "repoqa_and_kv"}
	golden(t, "table_all_tasks.txt", table(t, Summarize(results(sampleRows(all, 3, 15))), TableOptions{}))
}

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := mixed().Markdown(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "table_mixed.md", b.String())
}

func TestTableFitsItsWidth(t *testing.T) {
	s := mixed()
	for _, width := range []int{60, 80, 100, 200} {
		for line := range strings.Lines(table(t, s, TableOptions{Width: width})) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("width %d: a line of %d: %q", width, n, line)
			}
		}
	}
}

// TestTableHasIntervalsOfMeans wants the half of each mean's interval beside it, of its own mode and method, and nothing where it is not known.
func TestTableHasIntervalsOfMeans(t *testing.T) {
	rows := results(sampleRows(tasks, 12, 2))
	s := Summarize(rows)
	var scores Scores
	for i := range rows {
		scores.Add(&rows[i])
	}
	all := scores.Estimates()
	var plain, with strings.Builder
	if err := errors.Join(s.Table(&plain, TableOptions{Color: Never}), s.Table(&with, TableOptions{Color: Never, Intervals: all})); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "±") || !strings.Contains(with.String(), intervalDefinition[:30]) {
		t.Errorf("without and with intervals:\n%s\n%s", plain.String(), with.String())
	}
	found := 0
	for _, e := range all {
		if e.Task != "" || e.Skill != "" {
			continue
		}
		found++
		want := fmt.Sprintf("%s ±%s", oneDecimal(100*e.Fixed.Value), oneDecimal(100*max(e.Fixed.High-e.Fixed.Value, e.Fixed.Value-e.Fixed.Low)))
		if e.Fixed.OK && !strings.Contains(with.String(), want) {
			t.Errorf("%s, %s: no %q in\n%s", e.Mode, e.Method, want, with.String())
		}
	}
	if found != 8 {
		t.Errorf("%d means of two modes and four methods", found)
	}
}
