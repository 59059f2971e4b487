package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"scbench/outputs"
)

// parsed is a page taken apart.
type parsed struct {
	policy  string
	scripts []string
	styles  []string
	data    pageData
}

func parse(t *testing.T, html string) (p parsed) {
	t.Helper()
	policy := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`).FindStringSubmatch(html)
	if policy == nil {
		t.Fatal("the page has no policy")
	}
	p.policy = strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(policy[1])
	for _, m := range regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(html, -1) {
		p.scripts = append(p.scripts, m[1])
	}
	for _, m := range regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(html, -1) {
		p.styles = append(p.styles, m[1])
	}
	data := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(html)
	if data == nil {
		t.Fatal("the page has no data")
	}
	if err := json.Unmarshal([]byte(data[1]), &p.data); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicyAllowsThePageAndNothingElse(t *testing.T) {
	html := page(t, read(t, small.write(t, t.TempDir(), nil)))
	p := parse(t, html)
	if len(p.scripts) < 6 || len(p.styles) != 1 {
		t.Fatalf("%d scripts, %d styles", len(p.scripts), len(p.styles))
	}
	if !strings.HasPrefix(p.policy, "default-src 'none';") || strings.Contains(p.policy, "unsafe") || strings.Contains(p.policy, "http") {
		t.Errorf("policy %s", p.policy)
	}
	for i, s := range append(p.scripts, p.styles...) {
		if !strings.Contains(p.policy, sourceHash([]byte(s))) {
			t.Errorf("the policy lacks the hash of element %d, which begins %.40q", i, s)
		}
	}
	if m := regexp.MustCompile(`(?i)<(link|img|script|iframe|object)[^>]*(src|href)="?(https?:)?//`).FindString(html); m != "" {
		t.Errorf("the page loads %s", m)
	}
	if n := strings.Count(strings.ToLower(html), "</script"); n != len(p.scripts)+1 {
		t.Errorf("%d script elements end, there are %d", n, len(p.scripts)+1)
	}
}

// TestLibraries wants what the policy was written for, licences, and no text in scripts that would end or change their element.
func TestLibraries(t *testing.T) {
	plot, err := web.ReadFile("web/lib/plot.min.js")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("append\\(\"style\"\\)\\.text\\(`(:where\\(\\.\\$\\{(\\w+)\\}\\) \\{\\\\n  --plot[^`]*)`").FindSubmatch(plot)
	if m == nil {
		t.Fatal("the chart library writes its style otherwise")
	}
	want := strings.NewReplacer(`\n`, "\n", "${"+string(m[2])+"}", plotClass).Replace(string(m[1]))
	if got := fmt.Sprintf(plotStyle, plotClass); got != want {
		t.Errorf("the policy expects the style\n%s\nthe library writes\n%s", got, want)
	}
	err = fs.WalkDir(web, "web", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := web.ReadFile(path)
		if err != nil {
			return err
		}
		if low := bytes.ToLower(b); strings.HasSuffix(path, ".js") && (bytes.Contains(low, []byte("</script")) || bytes.Contains(low, []byte("<!--")) || bytes.Contains(low, []byte("<script"))) {
			t.Errorf("%s cannot stand in a page", path)
		}
		if strings.Contains(path, "LICENSE") && !bytes.Contains(b, []byte("Permission to use, copy, modify")) {
			t.Errorf("%s is no licence", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, lib := range []string{"d3", "plot"} {
		if _, err := web.ReadFile("web/lib/LICENSE." + lib); err != nil {
			t.Error(err)
		}
	}
}

func TestNumbersAreThoseOfTheRows(t *testing.T) {
	path := small.write(t, t.TempDir(), nil)
	r := read(t, path)
	var n, right, bytes, kv float64
	err := outputs.EachResult(path, func(q *outputs.Result) error {
		if q.Method == quest && q.Mode == outputs.MultiTurn && q.Task == "kv" {
			n, right, bytes, kv = n+1, right+*q.ScoreFixed, bytes+q.ReadBytesPerToken, kv+float64(q.KVBytesResident)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	group := slices.IndexFunc(r.groups, func(g group) bool { return g.kind == "task" && g.name == "kv" })
	found := false
	for _, e := range r.estimates {
		if e.mode == 0 && e.group == group && r.methods[e.method].spec == quest {
			found = true
			if !near(e.Fixed.Value, right/n) || e.N != int(n) {
				t.Errorf("score %v of %d, want %v of %v", e.Fixed, e.N, right/n, n)
			}
			if got := r.measured[kvBytes].at(0, group, e.method, 0); !near(got.Value, kv/n) || got.Low > got.Value || got.High < got.Value || !got.OK {
				t.Errorf("KV %+v, want %v", got, kv/n)
			}
			if got := r.measured[firstToken].at(0, group, e.method, 3); !near(got.Value, 0.3) || got.N != small.examples {
				t.Errorf("time to first token %+v", got)
			}
		}
	}
	if !found {
		t.Fatal("no estimate")
	}
	// Over all tasks as the summary has it.
	for _, e := range r.scores[0].Estimates() {
		if e.Task != "" {
			continue
		}
		for _, mine := range r.estimates {
			if mine.group == 0 && r.modes[mine.mode].mode == e.Mode && r.methods[mine.method].spec == e.Method && mine.Fixed != e.Fixed {
				t.Errorf("%s %s: %+v, the summary has %+v", e.Mode, e.Method, mine.Fixed, e.Fixed)
			}
		}
	}
	maps := r.retained()
	if len(maps) == 0 || maps[0].Layers != 2 || !near(float64(maps[0].Heads[2]), 0.2) || !near(float64(maps[0].Places[0]), 64.0/(2*32)) || maps[0].N != 2*small.examples {
		t.Errorf("retention %+v", maps)
	}
	if p := r.depths(); len(p.Value) == 0 {
		t.Error("no scores by depth")
	}
}

func TestFlippedQueriesComeFirst(t *testing.T) {
	r := read(t, small.write(t, t.TempDir(), func(row *outputs.Row) {
		if row.Result.Turn == 2 && row.Result.Method == snapkv && row.Result.Task == "mf" {
			row.Result.Status, row.Result.Finish, row.Result.ScoreFixed, row.Result.ScoreStrict, row.Result.Error = outputs.Failed, outputs.NotDecoded, ptr(0.0), ptr(0.0), ptr("no memory")
		}
	}))
	all := r.queries.queries
	if n := len(all); n != 2*9*2*3*3 {
		t.Fatalf("%d queries", n)
	}
	counts := make([]int, len(kindNames))
	for i, q := range all {
		counts[q.kind]++
		if i > 0 && q.kind < all[i-1].kind {
			t.Fatalf("query %d of kind %d comes after kind %d", i, q.kind, all[i-1].kind)
		}
		if isLost := q.full == 1 && q.fixed == 0 && !q.status.Failure(); isLost != (q.kind == lost) {
			t.Errorf("%+v", q)
		}
	}
	if counts[lost] == 0 || counts[failed] != 18 || !slices.Equal(counts, r.queries.counts) {
		t.Errorf("counts %v, said %v", counts, r.queries.counts)
	}
	if all[0].other == "" || all[0].prediction == all[0].other {
		t.Errorf("the answer of full attention is missing: %+v", all[0])
	}
}

func TestSizeIsBounded(t *testing.T) {
	s := sample{tasks: []string{"a", "b", "c"}, methods: []string{full, snapkv, quest, "tova"}, examples: 30, turns: 5, id: "long"}
	s.text = func(i int) string { return fmt.Sprint(i) + strings.Repeat("<", 1000) }
	html := page(t, read(t, s.write(t, t.TempDir(), nil)))
	if len(html) > 5<<20 || len(html) < 3<<20/2 {
		t.Errorf("the page has %d bytes", len(html))
	}
}

func TestSameBytes(t *testing.T) {
	path := small.write(t, t.TempDir(), nil)
	a := page(t, read(t, path))
	was := runtime.GOMAXPROCS(1)
	b := page(t, read(t, path))
	runtime.GOMAXPROCS(was)
	if a != b {
		t.Error("the same run gave other bytes on one thread")
	}
}

// TestNothingAnswered draws a run of which every query failed, and one that was asked a single question.
func TestNothingAnswered(t *testing.T) {
	r := read(t, small.write(t, t.TempDir(), func(row *outputs.Row) {
		q := &row.Result
		q.Status, q.Finish, q.ScoreFixed, q.ScoreStrict, q.Error = outputs.Refused, outputs.NotDecoded, ptr(0.0), ptr(0.0), ptr("no room")
		q.KeptHeads, q.KeptPlaces, row.Timing.Token = nil, nil, nil
	}))
	p := parse(t, page(t, r))
	if retention.data(r) != nil || len(p.data.Sections) < 5 {
		t.Errorf("sections %+v", p.data.Sections)
	}
	for _, row := range r.scoreTable().Rows {
		if row.Cells[3].Text != "–" || row.Cells[9].Text != "100.0" {
			t.Errorf("a headline where all failed: %+v", row.Cells)
		}
	}
	one := sample{tasks: []string{"kv"}, methods: []string{full}, examples: 1, turns: 1, id: "one", text: small.text}
	r = read(t, one.write(t, t.TempDir(), nil))
	page(t, r)
	if _, err := r.WriteFigures(t.TempDir()); err != nil {
		t.Error(err)
	}
	if c := r.scoreTable().Rows[0].Cells[3]; c.Text != "100.0" {
		t.Errorf("a score of one session has no interval, and shows %q", c.Text)
	}
}

func TestRunsTogether(t *testing.T) {
	dir := t.TempDir()
	other, apart := small, small
	other.id = "other"
	apart.id, apart.tasks = "apart", []string{"vt"}
	a, b, c := small.write(t, dir, nil), other.write(t, dir, nil), apart.write(t, dir, nil)
	if r := read(t, a, b); len(r.methods) != 6 || r.methods[0].spec != "A full" || r.methods[3].spec != "B full" || !slices.Equal(r.fulls(), []int{0, 0, 0, 3, 3, 3}) || len(r.compared) != 24 {
		t.Errorf("methods %+v", r.methods)
	}
	if r := read(t, a, c); len(r.methods) != 3 || len(r.tasks) != 3 || !slices.Equal(r.fulls(), []int{0, 0, 0}) || len(r.partial()) != 0 {
		t.Errorf("tasks of runs apart: %v, methods %+v", r.tasks, r.methods)
	}
	alone := filepath.Join(t.TempDir(), "lone.parquet")
	data, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(alone, data, 0o644); err != nil {
		t.Fatal(err)
	}
	r := read(t, alone)
	if r.runs[0].timed || times.data(r) != nil || r.runs[0].rows != 324 {
		t.Errorf("a results file alone: %+v", r.runs[0])
	}
	page(t, r)
	if _, err := Read([]string{filepath.Join(dir, "none.parquet")}, Options{}); err == nil || !strings.Contains(err.Error(), "none.parquet") {
		t.Errorf("error %v", err)
	}
}

func TestFiguresAreSVG(t *testing.T) {
	r := read(t, small.write(t, t.TempDir(), nil))
	dir := t.TempDir()
	n, err := r.WriteFigures(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil || len(files) != n || n < 12 {
		t.Fatalf("%d figures in %v: %v", n, files, err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for d, texts := xml.NewDecoder(bytes.NewReader(b)), 0; ; {
			token, err := d.Token()
			if err == io.EOF {
				if texts < 3 {
					t.Errorf("%s says little", path)
				}
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if s, ok := token.(xml.StartElement); ok && s.Name.Local == "text" {
				texts++
			}
		}
		if bytes.Contains(b, []byte("NaN")) || bytes.Contains(b, []byte("Inf")) {
			t.Errorf("%s holds a number that is none", path)
		}
	}
}

func TestTables(t *testing.T) {
	r := read(t, small.write(t, t.TempDir(), nil))
	dir := t.TempDir()
	if n, err := r.WriteTables(dir); err != nil || n < 8 {
		t.Fatalf("%d tables: %v", n, err)
	}
	f, err := os.Open(filepath.Join(dir, "leaderboard.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], "fixed")
	if rows[0][at+1] != "fixed low" || rows[0][at+2] != "fixed high" || len(rows) != 1+len(r.estimates) || rows[1][at] != "100" {
		t.Errorf("leaderboard.csv begins %v", rows[:2])
	}
	for _, s := range sections {
		for _, table := range s.tables(r) {
			for _, row := range table.Rows {
				if len(row.Cells) != len(table.Columns) {
					t.Errorf("%s: a row of %d cells under %d heads", table.Name, len(row.Cells), len(table.Columns))
				}
			}
		}
	}
}

func BenchmarkReport(b *testing.B) {
	s := sample{examples: 26, turns: 5, id: "big", text: small.text}
	for i := range 12 {
		s.tasks = append(s.tasks, fmt.Sprintf("task%d", i))
	}
	s.methods = append(s.methods, full)
	for i := range 31 {
		s.methods = append(s.methods, fmt.Sprintf("method%d:budget=%d", i, i))
	}
	dir := b.TempDir()
	if keep := os.Getenv("SCBENCH_BENCH_RUN"); keep != "" {
		dir = keep
	}
	path := s.write(b, dir, nil)
	for b.Loop() {
		r := read(b, path)
		b.ReportMetric(float64(r.runs[0].rows), "rows")
		b.ReportMetric(float64(len(page(b, r))), "bytes")
	}
}
