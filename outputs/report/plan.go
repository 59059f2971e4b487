package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"scbench/outputs"
)

// plan says how the runs were made: plan, machine, and what names mean.
var plan = section{
	id: "run", title: "Plan, machine, definitions", script: true,
	lead: "A prompt is prefilled once and forked by every method, mode and question that shares it. The bound is the least that would have done: every row of first prompts once that is the same, number for number, in several of them. " +
		"Of a resumed run, machine and plan are those of its last part.",
	data: func(r *Report) any {
		type bar struct {
			Run  string `json:"run"`
			Name string `json:"name"`
			N    int64  `json:"n"`
		}
		var bars []bar
		for i, one := range r.runs {
			if c := one.cost(); c != nil && c.Alone > 0 {
				name := r.runName(i)
				bars = append(bars, bar{name, "each method alone", c.Alone}, bar{name, "computed", c.Computed}, bar{name, "bound", c.Bound})
			}
		}
		return map[string]any{"bars": bars}
	},
	tables:  func(r *Report) []Table { return []Table{r.runTable(), r.methodTable(), r.taskTable(), columnTable()} },
	figures: func(*Report) []Figure { return nil },
}

func (one run) cost() *outputs.Cost {
	if one.clock == nil {
		return nil
	}
	return one.clock.Cost
}

func (r *Report) runName(i int) string {
	name := r.runs[i].letter
	if m := r.runs[i].manifest; m != nil {
		name = strings.TrimSpace(name + " " + m.Run)
	}
	if name == "" {
		name = fmt.Sprint("run ", i+1)
	}
	return outputs.Clean(name)
}

// runTable says of each run what is known, a line for each thing: first how it went, then what it was made of.
func (r *Report) runTable() Table {
	t := Table{Name: "runs", Caption: "Runs", Columns: []Column{{Head: "run", Chosen: len(r.runs) == 1}, {Head: "what"}, {Head: "value"}}}
	for i, one := range r.runs {
		add := func(what, value string) {
			if value != "" {
				t.Rows = append(t.Rows, Row{-1, -1, -1, []Cell{text(r.runName(i)), text(what), text(value)}})
			}
		}
		if c := one.cost(); c != nil {
			add("prefill plan", planText(c))
			add("machine", fmt.Sprintf("%s, %d threads, kernels %s", c.Machine, c.Threads, c.Kernels))
			add("peak memory", fmt.Sprintf("%s, of it %s KV cache", bytesText(float64(c.PeakRSS)), bytesText(float64(c.PeakKV))))
		}
		if c := one.clock; c != nil {
			add("took", c.Finished.Sub(c.Started).Round(time.Second/10).String())
		}
		add("rows", fmt.Sprintf("%s, %d failed", rowsText(one.rows), one.failed))
		m := one.manifest
		if m != nil {
			add("status", fmt.Sprintf("%s, %s planned", m.Status, rowsText(m.Counts.Planned)))
		}
		add("kernel tier", strings.Join(one.tiers, ", "))
		add("build", strings.Join(one.builds, ", "))
		if m == nil {
			continue
		}
		add("schema", fmt.Sprint(m.SchemaVersion))
		for _, name := range sortedKeys(m.Versions) {
			add("version of "+name, m.Versions[name])
		}
		for _, name := range sortedKeys(m.Hashes) {
			add("BLAKE3 of "+name, m.Hashes[name])
		}
		for _, f := range m.Files {
			add(f.Name, fmt.Sprintf("%d bytes, BLAKE3 %s", f.Bytes, f.Blake3))
		}
		add("configuration", compact(m.Config))
	}
	for _, why := range r.alone {
		t.Rows = append(t.Rows, Row{-1, -1, -1, []Cell{text("–"), text("not compared with full attention"), text(why)}})
	}
	return t
}

// compact is JSON without white space.
func compact(b json.RawMessage) string {
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return string(b)
	}
	return out.String()
}

// planText says how close the prefill came to its bound.
func planText(c *outputs.Cost) string {
	s := fmt.Sprintf("%d tokens computed for first prompts of %d", c.Computed, c.Alone)
	if c.Bound > 0 {
		s += fmt.Sprintf("; the bound is %d: %.3f times the bound", c.Bound, float64(c.Computed)/float64(c.Bound))
	}
	if c.Apart > 0 {
		s += fmt.Sprintf("; and %d tokens in chunks of contexts put together from them", c.Apart)
	}
	return s
}

func sortedKeys(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (r *Report) methodTable() Table {
	t := Table{Name: "methods", Caption: "Methods", Columns: []Column{{Head: "method"}, {Head: "settings", Doc: "the resolved specification"}, {Head: "works on", Doc: "stage of the cache's life"}, {Head: "what it does"}}}
	for i, m := range r.methods {
		var stages, docs []string
		spec := m.spec
		if m.letter != "" {
			spec = strings.TrimPrefix(spec, m.letter+" ")
		}
		for _, part := range strings.Split(spec, "+") {
			name, _, _ := strings.Cut(part, ":")
			for _, e := range r.options.Methods {
				if e.Name == name {
					stages, docs = append(stages, e.Group), append(docs, e.Doc)
				}
			}
		}
		t.Rows = append(t.Rows, Row{-1, -1, i, []Cell{text(m.name), text(m.spec), text(strings.Join(stages, ", ")), text(strings.Join(docs, " "))}})
	}
	return t
}

func (r *Report) taskTable() Table {
	t := Table{Name: "tasks", Caption: "Tasks", Columns: []Column{{Head: "task"}, {Head: "in the paper"}, {Head: "skill"}, {Head: "what it asks"}}}
	for i, name := range r.tasks {
		e := Entry{Name: name, Group: r.skills[r.skillOf[i]]}
		if at := slices.IndexFunc(r.options.Tasks, func(e Entry) bool { return e.Name == name }); at >= 0 {
			e = r.options.Tasks[at]
		}
		t.Rows = append(t.Rows, Row{-1, -1, -1, []Cell{text(name), text(e.Title), text(e.Group), text(e.Doc)}})
	}
	return t
}

// columnTable defines the columns that all numbers come from.
func columnTable() Table {
	t := Table{Name: "columns", Caption: "Columns of results.parquet and timings.parquet, which all numbers come from", Columns: []Column{{Head: "file"}, {Head: "column"}, {Head: "what it says"}}}
	for _, c := range outputs.Columns() {
		t.Rows = append(t.Rows, Row{-1, -1, -1, []Cell{text(c.File), text(c.Name), text(c.Doc)}})
	}
	return t
}
