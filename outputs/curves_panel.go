package outputs

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"scbench/outputs/picture"
)

// panelColumns is how many panels stand side by side.
func (g *graph) panelColumns() int { return min(2, len(g.blocks)) }

// panelHeight is the height of one panel.
func (g *graph) panelHeight() vg.Length {
	if len(g.groups) > 1 {
		return groupHeight
	}
	return panelHeight
}

// groupRows is how many rows of panels a group of methods takes.
func (g *graph) groupRows() int { return (len(g.blocks) + g.panelColumns() - 1) / g.panelColumns() }

func (g *graph) panelsHeight() vg.Length {
	if len(g.blocks) == 0 {
		return 2 * lineHeight
	}
	rows := g.groupRows() * len(g.groups)
	return vg.Length(rows)*(panelHead+g.panelHeight()) + vg.Length(rows-1)*panelGap
}

func (g *graph) drawPanels(c draw.Canvas) vg.Length {
	height := g.panelsHeight()
	if len(g.blocks) == 0 {
		picture.Put(c, picture.Sans(10, picture.Ink), 0, lineHeight, "no results")
		return height
	}
	c.Min.Y = c.Max.Y - height
	cols, each := g.panelColumns(), g.groupRows()
	rows := make([][]*plot.Plot, each*len(g.groups))
	for i := range rows {
		rows[i] = make([]*plot.Plot, cols)
		for k := range cols {
			if at := i%each*cols + k; at < len(g.blocks) {
				rows[i][k] = g.panel(&g.blocks[at], g.groups[i/each], k == 0)
			}
		}
	}
	tiles := plot.Align(rows, draw.Tiles{Cols: cols, Rows: len(rows), PadTop: panelHead, PadX: panelGap, PadY: panelGap + panelHead}, c)
	for i, row := range rows {
		for k, p := range row {
			if p == nil {
				continue
			}
			b := &g.blocks[i%each*cols+k]
			p.Draw(tiles[i][k])
			at := p.DataCanvas(tiles[i][k])
			picture.Put(at, picture.Strong(10.5), 0, -20, b.title())
			picture.Put(at, picture.Sans(8.5, picture.Pale), 0, -9, b.meaning())
		}
	}
	return height
}

// meaning says in a line what a mode asks.
func (b *block) meaning() string {
	switch {
	case b.mode == MultiRequest:
		return "each question alone after the shared context"
	case b.mode == SingleTurn:
		return "each question with a context of its own: nothing is shared"
	case b.history == OwnHistory:
		return "one conversation, with the model's own answers so far"
	}
	return "one conversation, with the right answers so far"
}

// emptyPanel is a plot in the look of all panels: small letters, and rules for the heights alone.
func emptyPanel() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	small := picture.Sans(9, picture.Pale)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font, a.Label.TextStyle.Color, a.Label.Padding = small.Font, small.Color, 2
		a.Tick.Label.Font, a.Tick.Label.Color, a.Tick.Length = small.Font, small.Color, 0
		a.LineStyle.Width, a.Padding = 0, 3
	}
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: picture.Rule, Width: 0.75}
	p.Add(grid)
	return p
}

// panel plots a block: the methods of a group.
func (g *graph) panel(b *block, group []int, labelled bool) *plot.Plot {
	p := emptyPanel()
	last := 1.0
	if n := len(b.turns); n > 0 {
		last = max(1, float64(b.turns[n-1]))
	}
	pad := max(0.25, (last-1)*0.03)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 1-pad, last+pad, -4, 104 // room for markers, the same in every panel
	p.X.Tick.Marker, p.Y.Tick.Marker = turnTicks(last), scoreTicks
	p.X.Label.Text = "turn"
	if labelled {
		p.Y.Label.Text = "score × 100"
	}
	var markers []plot.Plotter // over all lines
	for i, m := range group {
		look := picture.LookOf(i, len(group), len(b.turns))
		lines, points := b.pieces(g.methods[m])
		for _, l := range lines {
			p.Add(&plotter.Line{XYs: l, LineStyle: look.Line})
		}
		if len(points) > 0 {
			markers = append(markers, &plotter.Scatter{XYs: points, GlyphStyle: look.Marker})
		}
	}
	p.Add(markers...)
	if g.direct {
		p.Add(g.endLabels(b, group))
	}
	return p
}

// endLabels names the lines that reach the last turn; where there is no legend, all.
func (g *graph) endLabels(b *block, group []int) (all endLabels) {
	for i, m := range group {
		if _, points := b.pieces(g.methods[m]); len(points) > 0 {
			if end := points[len(points)-1]; g.columns == 0 || end.X == float64(b.turns[len(b.turns)-1]) {
				all = append(all, endLabel{g.names[m], end.Y, picture.LookOf(i, len(group), len(b.turns)).Marker})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b endLabel) int { return cmp.Compare(b.score, a.score) })
	return all
}

// pieces returns a method's points, and its line in pieces where turns are missing.
func (b *block) pieces(method string) (lines []plotter.XYs, points plotter.XYs) {
	start := 0 // of the piece
	for _, turn := range b.turns {
		y, ok := b.atTurn(method, turn)
		if !ok || math.IsNaN(y) {
			start = len(points)
			continue
		}
		points = append(points, plotter.XY{X: float64(turn), Y: 100 * min(max(y, 0), 1)})
		switch n := len(points); n - start {
		case 1: // a point is no line yet
		case 2:
			lines = append(lines, points[start:n])
		default:
			lines[len(lines)-1] = points[start:n]
		}
	}
	return lines, points
}

// endLabels are names right of a panel, the highest score first.
type endLabels []endLabel

type endLabel struct {
	name   string
	score  float64 // × 100
	marker draw.GlyphStyle
}

const (
	endLine   = 9  // points between names
	endMarker = 10 // points that a name's marker takes
)

// Plot writes each name at its score, or as near as the others leave room.
func (l endLabels) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	at := make([]vg.Length, len(l))
	for i := range l {
		at[i] = y(l[i].score)
	}
	spread(at, endLine, c.Min.Y-endLine/2)
	for i := range l {
		c.DrawGlyphNoClip(l[i].marker, vg.Point{X: c.Max.X + 2 + endMarker/2, Y: at[i]})
		picture.Put(c, picture.Sans(8.5, picture.Ink), c.Max.X-c.Min.X+2+endMarker, c.Max.Y-at[i]+3, l[i].name)
	}
}

// spread moves descending heights apart to a distance, down where there is room above the floor, else up.
func spread(at []vg.Length, distance, floor vg.Length) {
	for i := 1; i < len(at); i++ {
		at[i] = min(at[i], at[i-1]-distance)
	}
	for i := len(at) - 1; i >= 0; i-- {
		at[i] = max(at[i], floor)
		floor = at[i] + distance
	}
}

// GlyphBoxes makes the panel leave room for the names.
func (l endLabels) GlyphBoxes(*plot.Plot) (boxes []plot.GlyphBox) {
	for i := range l {
		width := picture.Sans(8.5, picture.Ink).Width(l[i].name)*slack + 2 + endMarker
		boxes = append(boxes, plot.GlyphBox{X: 1, Y: 0.5, Rectangle: vg.Rectangle{Max: vg.Point{X: width, Y: 1}}})
	}
	return boxes
}

// scoreTicks quarter the scores.
var scoreTicks = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 25, Label: "25"}, {Value: 50, Label: "50"}, {Value: 75, Label: "75"}, {Value: 100, Label: "100"}}

// turnTicks labels every turn, or, where they are many, the first and round ones.
func turnTicks(last float64) plot.ConstantTicks {
	step := 1.0
	for i := 0; last/step > maxTurnTicks; i++ {
		step *= []float64{5, 2}[i%2]
	}
	ticks := plot.ConstantTicks{{Value: 1, Label: "1"}}
	for t := step; t <= last; t += step {
		if t > 1 {
			ticks = append(ticks, plot.Tick{Value: t, Label: strconv.FormatFloat(t, 'f', -1, 64)})
		}
	}
	return ticks
}
