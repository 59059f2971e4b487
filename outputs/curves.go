package outputs

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"scbench/outputs/picture"
	"scbench/outputs/plain"
)

// CurvesFile is the picture in a run's folder.
const CurvesFile = "curves.svg"

// Lengths are in points; a picture of 600 points is 800 pixels wide, the width of a README.
const (
	pictureWidth = 600
	margin       = 18
	headHeight   = 42 // title and subtitle of the picture
	panelHeight  = 176
	panelHead    = 30 // title and subtitle above a panel
	panelGap     = 16
	lineHeight   = 13
	keyWidth     = 24 // line and marker in the legend
	captionLine  = 11
	slack        = 1.15 // where no font has our widths, letters are that much wider
	maxTogether  = 12   // more methods than that are drawn in groups, each with panels of its own
	groupSize    = 6    // methods of a group, beside full attention
	groupHeight  = 132  // of a group's panels
	maxEndWidth  = panelHeight / 2
	maxTurnTicks = 15 // more turns than that are not all labelled
	maxSpecLines = 3  // method specs that need more stay out
)

const curvesTitle = "Score at each turn of a shared context"

// Curves writes the scores by turn as an SVG that needs nothing else: a panel for each mode and history, a line for each
// method. Many methods are drawn in groups, in their order, with panels for each group and full attention in all of them. x is the turn, from 1; y is the fixed score × 100, the mean over the tasks as in the table's turn columns. A turn that
// a method was not asked has no point, and the line breaks there. Coinciding lines show as stripes. The bytes are a function of
// the summary. Names from data are cleaned and escaped. The error is the writer's.
func (s Summary) Curves(w io.Writer) error {
	g := newGraph(s)
	height := g.height()
	canvas := vgsvg.New(pictureWidth, height)
	page := draw.New(canvas)
	picture.Card(page)
	page = draw.Crop(page, margin, -margin, margin, -margin)
	for _, part := range []func(draw.Canvas) vg.Length{g.drawHead, g.drawLegend, g.drawPanels, g.drawCaption} {
		page.Max.Y -= part(page)
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(picture.Portable(b.Bytes(), curvesTitle))
	return err
}

// WriteCurves writes Curves to a run's folder, by rename as all its files, and returns the file's path.
func (s Summary) WriteCurves(dir string) (path string, err error) {
	var b bytes.Buffer
	if err := s.Curves(&b); err != nil {
		return "", err
	}
	f, err := writeDraft(dir, CurvesFile, b.Bytes())
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, CurvesFile), publish(dir, f)
}

// graph is what the picture shows, laid out.
type graph struct {
	blocks  []block
	methods []string // specs; their order gives colours and markers
	names   []string // as the legend says them, cut to its columns
	groups  [][]int  // of methods that are drawn together
	columns int      // of the legend; 0 where there is none, since all names stand at the lines' ends
	cell    vg.Length
	direct  bool // whether names stand at the lines' ends
	caption []string
}

func newGraph(s Summary) *graph {
	g := &graph{blocks: s.blocks(), methods: s.methods()}
	const inner = vg.Length(pictureWidth - 2*margin)
	style, most := picture.Sans(9, picture.Ink), inner/2-keyWidth-lineHeight
	g.groups = grouped(g.methods)
	if len(g.groups) > 1 {
		most = maxEndWidth
	}
	widest := vg.Length(0)
	for _, name := range ShortNames(g.methods) {
		name = picture.Elide(name, most, style)
		g.names = append(g.names, name)
		widest = max(widest, style.Width(name))
	}
	g.cell = keyWidth + widest*slack + lineHeight
	g.direct = len(g.groups) > 1 || len(g.names) <= picture.MaxEndLabels && widest <= maxEndWidth
	if len(g.names) > 0 && len(g.groups) == 1 {
		g.columns = min(int(inner/g.cell), len(g.names))
	}
	g.caption = g.captionLines(inner / slack)
	return g
}

// grouped divides methods, by their places, into groups that can be told apart in one panel. Full attention is in each.
func grouped(methods []string) (groups [][]int) {
	all := make([]int, len(methods))
	for i := range all {
		all[i] = i
	}
	if len(all) <= maxTogether {
		return [][]int{all}
	}
	var full []int
	if i := slices.Index(methods, "full"); i >= 0 {
		full, all = []int{i}, slices.Delete(all, i, i+1)
	}
	n := (len(all) + groupSize - 1) / groupSize
	for k := range n {
		groups = append(groups, append(slices.Clone(full), all[(k*len(all)+n-1)/n:((k+1)*len(all)+n-1)/n]...))
	}
	return groups
}

func (g *graph) height() vg.Length {
	return 2*margin + headHeight + g.legendHeight() + g.panelsHeight() + g.captionHeight()
}

// drawHead says what is measured.
func (g *graph) drawHead(c draw.Canvas) vg.Length {
	picture.Put(c, picture.Strong(14), 0, 12, curvesTitle)
	picture.Put(c, picture.Sans(9.5, picture.Pale), 0, 27, "Mean fixed score × 100"+g.overTasks()+". 100: every answer is right.")
	return headHeight
}

// overTasks names the tasks of a few, and counts many.
func (g *graph) overTasks() string {
	tasks := g.tasks()
	names := strings.Join(tasks, ", ")
	switch n := len(tasks); {
	case n == 0:
		return ""
	case n > 4 || utf8.RuneCountInString(names) > 60:
		return fmt.Sprintf(" over %d tasks", n)
	}
	return " over " + names
}

func (g *graph) tasks() (tasks []string) {
	for _, b := range g.blocks {
		for _, t := range b.tasks {
			if t = Clean(t); !slices.Contains(tasks, t) {
				tasks = append(tasks, t)
			}
		}
	}
	return tasks
}

func (g *graph) legendHeight() vg.Length {
	if g.columns == 0 {
		return 0
	}
	return vg.Length((len(g.names)+g.columns-1)/g.columns)*lineHeight + 10
}

func (g *graph) drawLegend(c draw.Canvas) vg.Length {
	if g.columns == 0 {
		return 0
	}
	for i, name := range g.names {
		x, y := vg.Length(i%g.columns)*g.cell, vg.Length(i/g.columns)*lineHeight+8
		l := picture.LookOf(i, len(g.methods), 1)
		mid := vg.Point{X: c.Min.X + x + keyWidth/2 - 3, Y: c.Max.Y - y + 3}
		c.StrokeLine2(l.Line, mid.X-keyWidth/2+3, mid.Y, mid.X+keyWidth/2-3, mid.Y)
		c.DrawGlyphNoClip(l.Marker, mid)
		picture.Put(c, picture.Sans(9, picture.Ink), x+keyWidth, y, name)
	}
	return g.legendHeight()
}

func (g *graph) captionHeight() vg.Length {
	return vg.Length(len(g.caption))*captionLine + 8
}

func (g *graph) drawCaption(c draw.Canvas) vg.Length {
	for i, line := range g.caption {
		picture.Put(c, picture.Sans(8, picture.Pale), 0, vg.Length(i+1)*captionLine+6, line)
	}
	return g.captionHeight()
}

// captionLines say how many queries stand behind a point, and what the short names mean.
func (g *graph) captionLines(width vg.Length) []string {
	if len(g.blocks) == 0 {
		return nil
	}
	lines := picture.Wrapped(g.counts(), width, picture.Sans(8, picture.Pale))
	var specs []string
	for i, name := range ShortNames(g.methods) {
		if spec := plain.XML(g.methods[i]); spec != name {
			specs = append(specs, spec)
		}
	}
	if more := picture.Wrapped(strings.Join(specs, "; "), width, picture.Sans(8, picture.Pale)); len(more) <= maxSpecLines {
		lines = append(lines, more...)
	}
	return lines
}

// counts says how many queries were scored.
func (g *graph) counts() string {
	least, most, all := math.MaxInt, 0, 0
	for i := range g.blocks {
		b := &g.blocks[i]
		for _, method := range b.methods {
			for _, turn := range b.turns {
				if n := b.queries(method, turn); n > 0 {
					least, most, all = min(least, n), max(most, n), all+n
				}
			}
		}
	}
	n := fmt.Sprint(most)
	if least < most {
		n = fmt.Sprintf("%d to %d", least, most)
	}
	says := fmt.Sprintf("Queries: n = %s a point, %d in all; a failed one counts 0.", n, all)
	if len(g.tasks()) > 1 {
		says += " Each skill weighs the same, as does each task in it."
	}
	return says
}

// queries is the number of scored queries behind a method's point at a turn.
func (b *block) queries(method string, turn int32) (n int) {
	for _, c := range b.of(method) {
		for _, t := range c.Turns() {
			if t.Turn == turn {
				n += t.Fixed.N
			}
		}
	}
	return n
}
