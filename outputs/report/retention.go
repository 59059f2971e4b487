package report

import (
	"fmt"

	"scbench/outputs"
)

// retention shows what caches kept.
var retention = section{
	id: "retention", title: "Retention", script: true,
	lead: "What share of the prompt's tokens each layer and head keeps when the first question is answered, and which parts of the prompt they are from: left of it its start, right its end. " +
		"100 %: all. Means over contexts, n of them. Methods that keep all tokens are not listed; those that keep all and read few are seen in bytes read per token.",
	data: func(r *Report) any {
		maps := r.retained()
		if len(maps) == 0 {
			return nil
		}
		return map[string]any{"maps": maps, "parts": outputs.KeptParts}
	},
	tables:  func(r *Report) []Table { return r.retentionTable() },
	figures: func(r *Report) []Figure { return r.retentionFigures() },
}

// retained sums up what queries kept. The shape is that of the first one; rows of models of another shape are left out.
type retained struct {
	n, layers     int
	heads, places []float64 // sums of shares: [layers, heads of one], [layers, outputs.KeptParts]
}

func (k *retained) add(q *outputs.Result) {
	layers := len(q.KeptPlaces) / outputs.KeptParts
	if layers == 0 || len(q.KeptHeads)%layers != 0 || q.PromptTokens == 0 || k.n > 0 && (len(k.heads) != len(q.KeptHeads) || k.layers != layers) {
		return
	}
	if k.n == 0 {
		k.layers, k.heads, k.places = layers, make([]float64, len(q.KeptHeads)), make([]float64, len(q.KeptPlaces))
	}
	k.n++
	n, each := int(q.PromptTokens), len(q.KeptHeads)/layers
	for i, kept := range q.KeptHeads {
		k.heads[i] += float64(kept) / float64(n)
	}
	for i, kept := range q.KeptPlaces {
		part := i % outputs.KeptParts
		if size := first(part+1, n) - first(part, n); size > 0 {
			k.places[i] += float64(kept) / float64(size*each)
		}
	}
}

// first is the first of n positions in a part of the prompt.
func first(part, n int) int { return (part*n + outputs.KeptParts - 1) / outputs.KeptParts }

func (k *retained) merge(of retained) {
	switch {
	case of.n == 0 || k.n > 0 && (len(k.heads) != len(of.heads) || k.layers != of.layers):
		return
	case k.n == 0:
		k.layers, k.heads, k.places = of.layers, make([]float64, len(of.heads)), make([]float64, len(of.places))
	}
	k.n += of.n
	for i, x := range of.heads {
		k.heads[i] += x
	}
	for i, x := range of.places {
		k.places[i] += x
	}
}

// retentionMap is what a method kept in a mode and group of tasks; shares, layer by layer.
type retentionMap struct {
	Mode   int      `json:"b"`
	Group  int      `json:"g"`
	Method int      `json:"m"`
	N      int      `json:"n"`
	Layers int      `json:"layers"`
	Heads  []number `json:"heads"`
	Places []number `json:"places"`
}

// retained are the maps of the groups that stand for several tasks, or of single tasks where there is no such group: maps are large.
func (r *Report) retained() (all []retentionMap) {
	for m := range r.modes {
		for g, group := range r.groups {
			if group.kind == "task" && len(r.tasks) > 1 {
				continue
			}
			for k := range r.methods {
				var sum retained
				for _, t := range group.tasks {
					if c := r.cells[place{m, t, k}]; c != nil {
						sum.merge(c.kept)
					}
				}
				if sum.n > 0 {
					all = append(all, retentionMap{m, g, k, sum.n, sum.layers, means(sum.heads, sum.n), means(sum.places, sum.n)})
				}
			}
		}
	}
	return all
}

func means(sums []float64, n int) (out []number) {
	for _, x := range sums {
		out = append(out, number(x/float64(n)))
	}
	return out
}

func (r *Report) retentionTable() []Table {
	t := Table{Name: "retention", Caption: "Share of the prompt's tokens kept by each layer and head, in %: means over contexts", Columns: []Column{scoreColumns[0], scoreColumns[1], scoreColumns[2],
		{Head: "layer", Doc: "from 0", Number: true}, {Head: "kept, %", Doc: "mean over the layer's heads", Number: true}, {Head: "least, %", Doc: "of its heads", Number: true}, {Head: "most, %", Doc: "of its heads", Number: true},
		{Head: "n", Doc: "contexts", Number: true}}}
	for _, m := range r.retained() {
		each := len(m.Heads) / m.Layers
		for layer := range m.Layers {
			row := m.Heads[layer*each : (layer+1)*each]
			sum, least, most := 0.0, row[0], row[0]
			for _, x := range row {
				sum, least, most = sum+float64(x), min(least, x), max(most, x)
			}
			t.Rows = append(t.Rows, Row{m.Mode, m.Group, m.Method, []Cell{text(r.modes[m.Mode].String()), text(r.groups[m.Group].name), text(r.methods[m.Method].name), count(layer),
				value(sum/float64(each), percent, "%.2f"), value(float64(least), percent, "%.2f"), value(float64(most), percent, "%.2f"), count(m.N)}})
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return []Table{t}
}

// retentionFigures are a map of layers and places of the prompt for each method, over all tasks.
func (r *Report) retentionFigures() (all []Figure) {
	for _, m := range r.retained() {
		if m.Group != 0 {
			continue
		}
		f := grid{title: fmt.Sprintf("Kept of each part of the prompt, %s, %s", r.methods[m.Method].name, r.modes[m.Mode]), unit: percent, high: 1}
		for layer := range m.Layers {
			f.rows = append(f.rows, fmt.Sprintf("layer %d", layer))
		}
		for part := range outputs.KeptParts {
			name := ""
			if part%8 == 0 {
				name = fmt.Sprintf("%d %%", part*100/outputs.KeptParts)
			}
			f.columns = append(f.columns, name)
		}
		f.clear()
		for i, x := range m.Places {
			f.values[i/outputs.KeptParts][i%outputs.KeptParts] = float64(x)
		}
		all = append(all, Figure{fmt.Sprintf("retention-%d-%d", m.Mode+1, m.Method+1), f.draw})
	}
	return all
}
