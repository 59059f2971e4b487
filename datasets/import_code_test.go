package datasets

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scbench/datasets/metric"
)

// TestImportedPools wants the functions of a repository as options in all its rows, whatever file or session asks for them, and no others.
func TestImportedPools(t *testing.T) {
	one, two, other := `func one() int {\n\treturn 1\n}`, `func two() int {\n\treturn 22\n}`, `func other() { }`
	row := func(lang, repo, answer string) string {
		return `{"context": "c", "lang": "` + lang + `", "repo": "` + repo + `", "multi_turns": [{"input": "f?", "answer": "` + answer + `", "task": "scbench_repoqa"}, ` +
			`{"input": "k?", "answer": "v", "task": "scbench_kv"}]}`
	}
	rows, _, err := importText(t, "repoqaandkv", "code.jsonl", strings.Join([]string{row("go", "a/b", one), row("go", "a/b", two), row("go", "c/d", other), row("rust", "a/b", other), row("go", "a/b", one)}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace
	for i, want := range []metric.Pool{
		{Lang: "go", Asked: []string{plain(one), plain(two)}}, {Lang: "go", Asked: []string{plain(one), plain(two)}}, {Lang: "go", Asked: []string{other}},
		{Lang: "rust", Asked: []string{other}}, {Lang: "go", Asked: []string{plain(one), plain(two)}},
	} {
		turns := rows[i].Example.Turns
		if d := cmp.Diff(want, poolOf(turns[0])); d != "" {
			t.Errorf("row %d: %s", i, d)
		}
		if turns[1].Options != nil {
			t.Errorf("row %d: options of a key", i)
		}
	}
	first := rows[0].Example.Turns[0]
	if got := RepoQAAndKV.Score("```go\n"+plain(one)+"\n```", first); got != (metric.Scores{Strict: 1, Fixed: 1}) {
		t.Error(got)
	}
	if got := RepoQAAndKV.Score("```go\n"+plain(two)+"\n```", first); got != (metric.Scores{}) {
		t.Error(got)
	}
}
