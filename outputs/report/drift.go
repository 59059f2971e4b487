package report

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"scbench/outputs"
	"scbench/outputs/stats"
)

// drift shows an analysis of long generation, if there is one.
var drift = section{
	id: "drift", title: "Attention in long generation", script: true,
	lead: "Scbench drift generates long answers under full attention and lays what each head attends to, token by token, against prefill: the mean over the last rows of the prompt, by which " +
		"most methods choose what to keep. Methods are fed the same tokens, and what their queries read is laid against full attention at that token. Shares × 100, means over heads " +
		"and tokens with 95 % intervals over prompts.",
	data: func(r *Report) any {
		if r.drift == nil {
			return nil
		}
		return r.drift.page()
	},
	tables: func(r *Report) []Table {
		if r.drift == nil {
			return nil
		}
		return []Table{driftTable(r.drift.DriftSummary)}
	},
	figures: func(r *Report) []Figure {
		if r.drift == nil {
			return nil
		}
		return []Figure{{"drift", r.drift.Picture}}
	},
}

// drifted is an analysis with the names of its methods.
type drifted struct {
	outputs.DriftSummary
	names []string
}

// driftFile is the analysis that was named, or else that in a run's folder; "" if there is none.
func driftFile(named string, runs []run) string {
	if named != "" {
		return named
	}
	for _, one := range runs {
		if p := filepath.Join(filepath.Dir(one.path), outputs.DriftFile); exists(p) {
			return p
		}
	}
	return ""
}

// readDrift reads the analysis in a file, if there is one.
func readDrift(path string) (*drifted, error) {
	if path == "" {
		return nil, nil
	}
	s, err := outputs.SummariseDrift(path)
	if err != nil {
		return nil, err
	}
	d := &drifted{DriftSummary: s}
	for _, m := range s.Read {
		d.names = append(d.names, m.Name)
	}
	d.names = outputs.ShortNames(d.names)
	return d, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// driftLine is a quantity as the page gets it: values by bucket, null where there is none.
type driftLine struct {
	Name string   `json:"name"`
	Doc  string   `json:"doc"`
	V    []number `json:"v"`
	Lo   []number `json:"lo"`
	Hi   []number `json:"hi"`
	N    []int    `json:"n"`
	K    []int    `json:"k"`
}

func newDriftLine(name string, s outputs.DriftSeries) driftLine {
	l := driftLine{Name: outputs.Clean(name), Doc: s.Doc}
	var p points // for its nulls
	for _, iv := range s.Points {
		if iv.N == 0 {
			l.V, l.Lo, l.Hi, l.N, l.K = append(l.V, number(math.NaN())), append(l.Lo, number(math.NaN())), append(l.Hi, number(math.NaN())), append(l.N, 0), append(l.K, 0)
			continue
		}
		p = points{}
		p.add(0, 0, 0, 0, iv)
		l.V, l.Lo, l.Hi, l.N, l.K = append(l.V, p.Value[0]), append(l.Lo, p.Low[0]), append(l.Hi, p.High[0]), append(l.N, iv.N), append(l.K, iv.Clusters)
	}
	return l
}

// page is what the script draws.
func (d *drifted) page() any {
	var buckets []string
	for _, b := range d.Buckets {
		buckets = append(buckets, b.String())
	}
	var moved, read, prompt, distance []driftLine
	for _, m := range d.Measures {
		moved = append(moved, newDriftLine(m.Name, m))
	}
	for i, name := range d.names {
		read = append(read, newDriftLine(name, d.Read[i]))
		prompt = append(prompt, newDriftLine(name, d.Prompt[i]))
	}
	for i, b := range buckets {
		l := driftLine{Name: b}
		for _, v := range d.Distance[i] {
			l.V = append(l.V, number(v))
		}
		distance = append(distance, l)
	}
	return map[string]any{"prompts": d.Prompts, "heads": d.Heads, "buckets": buckets, "moved": moved, "read": read, "prompt": prompt, "distance": distance}
}

// driftTable has a row for each quantity and a column for each range of output positions.
func driftTable(s outputs.DriftSummary) Table {
	t := Table{Name: "drift", Caption: fmt.Sprintf("Attention in long generation, × 100, by generated token from 0: means over %d heads and %d prompts", s.Heads, s.Prompts),
		Columns: []Column{{Head: "quantity", Doc: "what is measured"}, {Head: "of", Doc: "whose reading is laid against full attention; full: full attention itself"}}}
	for _, b := range s.Buckets {
		t.Columns = append(t.Columns, Column{Head: b.String(), Doc: "mean over the generated tokens of these positions; prefill: the last rows of the prompt", Number: true, Interval: true})
	}
	add := func(quantity, of string, points []stats.Interval) {
		row := Row{-1, -1, -1, []Cell{text(quantity), text(of)}}
		for _, iv := range points {
			row.Cells = append(row.Cells, estimated(iv, percent, "%.1f"))
		}
		t.Rows = append(t.Rows, row)
	}
	for _, m := range s.Measures {
		add(m.Name, "full", m.Points)
	}
	for i := range s.Read {
		add("reads", s.Read[i].Name, s.Read[i].Points)
		add("reads of the prompt", s.Prompt[i].Name, s.Prompt[i].Points)
	}
	return t
}
