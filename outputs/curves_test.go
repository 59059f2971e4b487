package outputs

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"scbench/outputs/picture"
)

// drawing is an SVG, taken apart.
type drawing struct {
	bytes  string
	texts  []string
	paths  []path
	height float64
}

type path struct{ d, style string }

// draws renders a summary and insists on well-formed XML of nothing but shapes and text.
func draws(t *testing.T, s Summary) drawing {
	t.Helper()
	var b bytes.Buffer
	if err := s.Curves(&b); err != nil {
		t.Fatal(err)
	}
	out := drawing{bytes: b.String()}
	for _, bad := range []string{"NaN", "Inf", "href=", "url(", "<image"} {
		if strings.Contains(out.bytes, bad) {
			t.Errorf("the picture contains %s", bad)
		}
	}
	d := xml.NewDecoder(&b)
	var open string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = e.Name.Local
			if !slices.Contains([]string{"svg", "g", "path", "text", "title"}, open) {
				t.Errorf("the picture has an element %s", open)
			}
			switch open {
			case "path":
				out.paths = append(out.paths, path{attribute(e, "d"), attribute(e, "style")})
			case "svg":
				out.height = number(t, strings.Fields(attribute(e, "viewBox"))[3])
			}
		case xml.CharData:
			if open == "text" {
				out.texts = append(out.texts, string(e))
			}
		case xml.EndElement:
			open = ""
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// strokes returns the points of all straight paths stroked in a colour, such as "#000000".
func (d drawing) strokes(t *testing.T, colour string) (all [][][2]float64) {
	t.Helper()
	for _, p := range d.paths {
		if !strings.Contains(p.style, "stroke:"+colour) || strings.ContainsAny(p.d, "AZ") {
			continue
		}
		var points [][2]float64
		for _, at := range strings.FieldsFunc(p.d, func(r rune) bool { return r == 'M' || r == 'L' }) {
			x, y, _ := strings.Cut(at, ",")
			points = append(points, [2]float64{number(t, x), number(t, y)})
		}
		all = append(all, points)
	}
	return all
}

func (d drawing) says(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(d.texts, func(s string) bool { return strings.Contains(s, w) }) {
			t.Errorf("the picture does not say %q; it says %q", w, d.texts)
		}
	}
}

// turnRow is one row of a method.
func turnRow(mode Mode, method string, turn int32, score float64) Result {
	r := sampleRow(0, "kv", 0, mode, method, turn).Result
	r.ScoreFixed = &score
	return r
}

func TestCurvesSayWhatTheyShow(t *testing.T) {
	d := draws(t, mixed())
	d.says(t, curvesTitle, "fixed score × 100", "kv, mf, repoqa_and_kv", "multi-turn, gold history", "multi-request", "turn", "score × 100",
		"full", "snapkv", "streamingllm", "quest", "n = 60 a point, 2400 in all", snapkv, "0", "25", "50", "75", "100", "1", "2", "3", "4", "5")
	if n := strings.Count(strings.Join(d.texts, "|"), "|quest|"); n != 3 {
		t.Errorf("quest stands in the picture %d times, want once in the legend and at the end of a line in each panel", n)
	}
	twins := []Result{turnRow(MultiTurn, "snapkv:budget=256,window=32", 1, 1), turnRow(MultiTurn, "snapkv:budget=512,window=32", 1, 0)}
	draws(t, Summarize(twins)).says(t, "snapkv budget=256", "snapkv budget=512", "n = 1 a point, 2 in all")
}

// TestCurvesAreTrue reads scores back from the line, with the grid as the scale.
func TestCurvesAreTrue(t *testing.T) {
	want := []float64{1, 0, 0.25, 0.625}
	var rows []Result
	for i, score := range want {
		rows = append(rows, turnRow(MultiTurn, full, int32(i+1), score))
	}
	d := draws(t, Summarize(rows))
	low, high := math.Inf(1), math.Inf(-1)
	for _, line := range d.strokes(t, "#E4E7EB") {
		low, high = min(low, line[0][1]), max(high, line[0][1])
	}
	lines := d.strokes(t, "#000000")
	line := lines[len(lines)-1] // the legend's comes first
	if len(line) != len(want) {
		t.Fatalf("the line has points %v, want %d", line, len(want))
	}
	for i, at := range line {
		if got := (at[1] - low) / (high - low); math.Abs(got-want[i]) > 1e-3 {
			t.Errorf("turn %d is drawn at %.4f, want %.4f", i+1, got, want[i])
		}
		if i > 1 && math.Abs((at[0]-line[i-1][0])-(line[1][0]-line[0][0])) > 0.02 {
			t.Errorf("turns are not evenly spaced: %v", line)
		}
	}
}

func TestCurvesAreDeterministic(t *testing.T) {
	first := draws(t, mixed()).bytes
	for range 3 {
		if draws(t, mixed()).bytes != first {
			t.Fatal("the same rows gave other bytes")
		}
	}
	rows := results(sampleRows([]string{"kv"}, 20, 5))
	before := draws(t, Summarize(rows)).bytes
	rows[0].ScoreFixed = ptr(1 - *rows[0].ScoreFixed)
	if draws(t, Summarize(rows)).bytes == before {
		t.Error("another score gave the same picture")
	}
}

func TestCurvesOfOddRuns(t *testing.T) {
	t.Run("zero rows", func(t *testing.T) { draws(t, Summary{}).says(t, "no results") })
	t.Run("nothing scored", func(t *testing.T) {
		r := turnRow(MultiTurn, full, 1, 0)
		r.ScoreFixed, r.ScoreStrict = nil, nil
		draws(t, Summarize([]Result{r})).says(t, "full", "n = 0 a point")
	})
	t.Run("one turn", func(t *testing.T) {
		d := draws(t, Summarize([]Result{turnRow(MultiTurn, full, 1, 0.5), turnRow(MultiTurn, quest, 1, 0.5)}))
		if n := len(d.strokes(t, "#000000")); n != 1 {
			t.Errorf("%d black lines, want the legend's alone", n)
		}
	})
	t.Run("not a number", func(t *testing.T) {
		draws(t, Summarize([]Result{turnRow(MultiTurn, full, 1, math.NaN()), turnRow(MultiTurn, full, 2, math.Inf(1)), turnRow(MultiTurn, full, 3, 1)}))
	})
	t.Run("40 turns of 30 methods, some missing", func(t *testing.T) {
		var rows []Result
		var names []string
		for m := range 30 {
			names = append(names, fmt.Sprintf("method%d", m))
			for turn := int32(1); turn <= 40; turn++ {
				rows = append(rows, turnRow(MultiTurn, names[m]+":budget=8", turn, float64(m)/29))
				if m%3 == 0 {
					rows = append(rows, turnRow(MultiRequest, names[m]+":budget=8", turn, 1))
				}
			}
		}
		d := draws(t, Summarize(rows))
		d.says(t, append(names, "multi-turn", "multi-request", "40")...)
		if slices.Contains(d.texts, "39") {
			t.Error("every turn of 40 is labelled")
		}
	})
	t.Run("three panels", func(t *testing.T) {
		own := turnRow(MultiTurn, full, 1, 1)
		own.History = OwnHistory
		two := draws(t, Summarize([]Result{turnRow(MultiTurn, full, 1, 1), turnRow(MultiRequest, full, 1, 1)}))
		three := draws(t, Summarize([]Result{turnRow(MultiTurn, full, 1, 1), turnRow(MultiRequest, full, 1, 1), own}))
		three.says(t, "gold history", "own history", "multi-request")
		if three.height < two.height+panelHeight {
			t.Errorf("three panels take %g points, two %g", three.height, two.height)
		}
	})
}

// TestCurvesInGroups: many methods are drawn a few at a time, each once a panel, and full attention among all of them.
func TestCurvesInGroups(t *testing.T) {
	rows := []Result{}
	for m := range 24 {
		method := full
		if m > 0 {
			method = fmt.Sprintf("method%02d", m)
		}
		for _, mode := range []Mode{MultiTurn, MultiRequest} {
			rows = append(rows, turnRow(mode, method, 1, 1), turnRow(mode, method, 2, float64(m)/23))
		}
	}
	d := draws(t, Summarize(rows))
	for m := range 24 {
		name, want := fmt.Sprintf("method%02d", m), 2
		if m == 0 {
			name, want = full, 2*4
		}
		n := 0
		for _, s := range d.texts {
			if s == name {
				n++
			}
		}
		if n != want {
			t.Errorf("%s is named %d times, want %d", name, n, want)
		}
	}
	if n := len(d.strokes(t, "#000000")); n != 2*4 {
		t.Errorf("%d black lines, want full attention's in each of 8 panels", n)
	}
}

func TestCurvesEscapeNames(t *testing.T) {
	long := strings.Repeat("long", 5000)
	var rows []Result
	for _, method := range []string{`<script x="1">&amp;'`, "a\x1b[31mred\x00\ufffe\uffff\xffb", "]]></text><g>", "长名字", long, "</svg>"} {
		r := turnRow(MultiTurn, method, 1, 1)
		r.Task = method
		rows = append(rows, r)
	}
	d := draws(t, Summarize(rows))
	d.says(t, `<script x="1">&amp;'`, "ared\ufffdb", "]]></text><g>", "长名字", "longlong", "</svg>")
	if len(d.bytes) > 30_000 {
		t.Errorf("a long name made a picture of %d bytes", len(d.bytes))
	}
}

// TestPieces wants a line to break where a turn is missing.
func TestPieces(t *testing.T) {
	var rows []Result
	for _, turn := range []int32{1, 2, 4, 6, 7, 8} {
		rows = append(rows, turnRow(MultiTurn, full, turn, 1))
	}
	for turn := int32(1); turn <= 8; turn++ {
		rows = append(rows, turnRow(MultiTurn, quest, turn, 0))
	}
	lines, points := Summarize(rows).blocks()[0].pieces(full)
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%g-%g", l[0].X, l[len(l)-1].X))
	}
	if want := []string{"1-2", "6-8"}; !slices.Equal(got, want) || len(points) != 6 {
		t.Errorf("lines %v of %d points, want %v of 6", got, len(points), want)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		floor    vg.Length
		at, want []vg.Length
	}{
		{0, nil, nil},
		{0, []vg.Length{50}, []vg.Length{50}},
		{0, []vg.Length{90, 50, 50, 20}, []vg.Length{90, 50, 40, 20}},
		{0, []vg.Length{5, 3, 0, 0}, []vg.Length{30, 20, 10, 0}},
		{2, []vg.Length{90, 12, 1}, []vg.Length{90, 12, 2}},
	} {
		got := slices.Clone(c.at)
		spread(got, 10, c.floor)
		if !slices.Equal(got, c.want) {
			t.Errorf("spread(%v) above %v = %v, want %v", c.at, c.floor, got, c.want)
		}
	}
}

// TestLooksDiffer wants every method of a large sweep to have a look of its own.
func TestLooksDiffer(t *testing.T) {
	seen := map[string]int{}
	for i := range 56 {
		l := picture.LookOf(i, 56, 5)
		k := fmt.Sprint(l.Marker.Color, l.Marker.Shape)
		if other, twice := seen[k]; twice {
			t.Errorf("methods %d and %d look the same", other, i)
		}
		seen[k] = i
	}
}

func TestTurnTicks(t *testing.T) {
	for last, want := range map[float64]string{1: "1", 3: "1 2 3", 15: "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", 16: "1 5 10 15", 40: "1 5 10 15 20 25 30 35 40", 150: "1 10 20 30 40 50 60 70 80 90 100 110 120 130 140 150"} {
		var got []string
		for _, tick := range turnTicks(last) {
			got = append(got, tick.Label)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("ticks to %g are %v, want %s", last, got, want)
		}
	}
	if n := len(turnTicks(math.MaxInt32)); n > maxTurnTicks+1 {
		t.Errorf("%d ticks", n)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteCurves(t *testing.T) {
	s, dir := mixed(), t.TempDir()
	if err := s.Curves(brokenWriter{}); !errors.Is(err, errBroken) {
		t.Errorf("a broken writer gave %v", err)
	}
	write(t, filepath.Join(dir, CurvesFile), []byte("an older one"))
	name, err := s.WriteCurves(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != draws(t, s).bytes {
		t.Errorf("%s holds %d bytes: %v", name, len(got), err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("the folder holds %v", files)
	}
	missing := filepath.Join(dir, "missing")
	if _, err := s.WriteCurves(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing folder gave %v", err)
	}
}
