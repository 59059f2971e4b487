package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"scbench/outputs"
)

//go:embed web
var web embed.FS

// scripts of the page, each in an element of its own, before those of the sections.
var scripts = []string{"lib/d3.min.js", "lib/plot.min.js", "page.js", "chart.js"}

// plotStyle is what the chart library writes into each picture; the policy must know it. %s is the class that charts have.
const plotStyle = `:where(.%[1]s) {
  --plot-background: white;
  display: block;
  height: auto;
  height: intrinsic;
  max-width: 100%%;
}
:where(.%[1]s text),
:where(.%[1]s tspan) {
  white-space: pre;
}`

// plotClass is the class of charts.
const plotClass = "plot"

// pageTable is a table as the page gets it: texts once, and rows as indices into them, in columns.
type pageTable struct {
	Name    string   `json:"name"`
	Caption string   `json:"caption"`
	By      string   `json:"by"`
	Columns []Column `json:"columns"`
	Mode    []int    `json:"b"`
	Group   []int    `json:"g"`
	Method  []int    `json:"m"`
	Texts   []string `json:"texts"`
	Cells   [][]int  `json:"cells"` // by column
}

func paged(t Table) pageTable {
	p := pageTable{Name: t.Name, Caption: outputs.Clean(t.Caption), By: t.By, Mode: []int{}, Group: []int{}, Method: []int{}, Texts: []string{}}
	var shown []int
	for i, c := range t.Columns {
		if !c.Chosen {
			shown = append(shown, i)
			p.Columns = append(p.Columns, c)
		}
	}
	p.Cells = make([][]int, len(shown))
	index := map[string]int{}
	for _, r := range t.Rows {
		p.Mode, p.Group, p.Method = append(p.Mode, r.Mode), append(p.Group, r.Group), append(p.Method, r.Method)
		for k, i := range shown {
			s := outputs.Clean(r.Cells[i].Text)
			at, ok := index[s]
			if !ok {
				at = len(p.Texts)
				index[s] = at
				p.Texts = append(p.Texts, s)
			}
			p.Cells[k] = append(p.Cells[k], at)
		}
	}
	return p
}

// pageSection is a section as the page gets it.
type pageSection struct {
	ID     string      `json:"id"`
	Title  string      `json:"title"`
	Lead   string      `json:"lead"`
	Data   any         `json:"data"`
	Tables []pageTable `json:"tables"`
}

type pageName struct {
	Name  string `json:"name"`
	Kind  string `json:"kind,omitempty"`
	Spec  string `json:"spec,omitempty"`
	Tasks []int  `json:"tasks,omitempty"` // of a group
}

// pageData is all that scripts draw from.
type pageData struct {
	Class    string        `json:"class"`
	Modes    []string      `json:"modes"`
	Groups   []pageName    `json:"groups"`
	Tasks    []string      `json:"tasks"`
	Methods  []pageName    `json:"methods"`
	Fulls    []int         `json:"fulls"` // for each method, full attention in the same run, or -1
	Facts    [][2]string   `json:"facts"`
	Notes    []string      `json:"notes"`
	Sections []pageSection `json:"sections"`
}

// HTML writes the page. It needs nothing else, and its policy lets it load nothing. The bytes are a function of the report.
func (r *Report) HTML(w io.Writer) error {
	d := r.page()
	data, err := json.Marshal(d) // escapes <, > and &
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	style, err := web.ReadFile("web/style.css")
	if err != nil {
		return err
	}
	v := struct {
		Title, Policy string
		Style         template.CSS
		Data          template.JS
		Scripts       []template.JS
	}{Title: r.title(), Style: template.CSS(style), Data: template.JS(data)}
	names := scripts
	for i, s := range sections {
		if s.script && d.has(sections[i].id) {
			names = append(names[:len(names):len(names)], s.id+".js")
		}
	}
	names = append(names, "start.js")
	hashes := ""
	for _, name := range names {
		b, err := web.ReadFile("web/" + name)
		if err != nil {
			return err
		}
		v.Scripts = append(v.Scripts, template.JS(b))
		hashes += " " + sourceHash(b)
	}
	v.Policy = fmt.Sprintf("default-src 'none'; script-src%s; style-src %s %s; img-src data:; base-uri 'none'; form-action 'none'",
		hashes, sourceHash(style), sourceHash(fmt.Appendf(nil, plotStyle, plotClass)))
	t, err := template.ParseFS(web, "web/page.html")
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}

// sourceHash names an inline script or style in a policy.
func sourceHash(b []byte) string {
	sum := sha256.Sum256(b)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (d *pageData) has(id string) bool {
	for _, s := range d.Sections {
		if s.ID == id {
			return true
		}
	}
	return false
}

func (r *Report) title() string {
	var names []string
	for i := range r.runs {
		names = append(names, r.runName(i))
	}
	return "scbench " + strings.Join(names, ", ")
}

func (r *Report) page() *pageData {
	d := &pageData{Class: plotClass, Fulls: r.fulls(), Facts: r.facts(), Notes: []string{}}
	for _, n := range r.notes {
		d.Notes = append(d.Notes, outputs.Clean(n))
	}
	for _, m := range r.modes {
		d.Modes = append(d.Modes, m.String())
	}
	for _, g := range r.groups {
		d.Groups = append(d.Groups, pageName{Name: g.name, Kind: g.kind, Tasks: g.tasks})
	}
	for _, t := range r.tasks {
		d.Tasks = append(d.Tasks, cut(outputs.Clean(t)))
	}
	for _, m := range r.methods {
		d.Methods = append(d.Methods, pageName{Name: m.name, Spec: outputs.Clean(m.spec)})
	}
	for _, s := range sections {
		p := pageSection{ID: s.id, Title: s.title, Lead: s.lead, Data: s.data(r), Tables: []pageTable{}}
		for _, t := range s.tables(r) {
			p.Tables = append(p.Tables, paged(t))
		}
		if p.Data != nil || len(p.Tables) > 0 {
			d.Sections = append(d.Sections, p)
		}
	}
	return d
}

// facts are what the head of the page says.
func (r *Report) facts() (all [][2]string) {
	rows, failed := 0, 0
	for _, one := range r.runs {
		rows, failed = rows+one.rows, failed+one.failed
	}
	all = append(all, [2]string{"queries", fmt.Sprint(rows)}, [2]string{"failed", fmt.Sprint(failed)}, [2]string{"tasks", fmt.Sprint(len(r.tasks))}, [2]string{"methods", fmt.Sprint(len(r.methods))})
	for i, one := range r.runs {
		if m := one.manifest; m != nil {
			all = append(all, [2]string{"run", fmt.Sprintf("%s, %s", r.runName(i), m.Status)})
		}
		if c := one.cost(); c != nil {
			all = append(all, [2]string{"machine", fmt.Sprintf("%s, %d threads, kernels %s", outputs.Clean(c.Machine), c.Threads, outputs.Clean(c.Kernels))})
			if c.Bound > 0 {
				all = append(all, [2]string{"prefill", fmt.Sprintf("%.0f %% of what methods alone would compute, %.2f × the bound", 100*float64(c.Computed)/float64(max(c.Alone, 1)), float64(c.Computed)/float64(c.Bound))})
			}
		} else {
			all = append(all, [2]string{"kernels", outputs.Clean(strings.Join(one.tiers, ", "))})
		}
	}
	return all
}
