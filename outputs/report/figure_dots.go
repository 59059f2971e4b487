package report

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"scbench/outputs/picture"
	"scbench/outputs/plain"
	"scbench/outputs/stats"
)

// dots is a picture with a row for each method: an estimate with its interval, and a second one as a ring.
type dots struct {
	title, note, axis string
	low, high         float64 // of the axis; both 0: as the values are
	log               bool
	rows              []dot
}

// dot is a row; values are shown in units.
type dot struct {
	name      string
	main, too stats.Interval
	unit      float64
}

var blue = color.NRGBA{0x00, 0x72, 0xB2, 0xFF}

func (d dots) draw(w io.Writer) error {
	rows := slices.Clone(d.rows)
	slices.SortStableFunc(rows, func(a, b dot) int {
		if d.log { // times: the least first
			a, b = b, a
		}
		switch {
		case a.main.Value > b.main.Value:
			return -1
		case a.main.Value < b.main.Value:
			return 1
		}
		return 0
	})
	var names []string
	var values []float64
	for _, r := range rows {
		names = append(names, r.name)
		values = append(values, r.main.Value/r.unit, r.main.Low/r.unit, r.main.High/r.unit)
		if r.too.N > 0 {
			values = append(values, r.too.Value/r.unit)
		}
	}
	height := vg.Length(len(rows))*line + 32
	return sheet(w, d.title, d.note, height, func(c draw.Canvas) {
		x := axis{low: d.low, high: d.high}
		if d.low == d.high {
			x = around(values, d.log)
		}
		x.from, x.to = namesWidth(names), inner-6
		area := c
		area.Max.Y = c.Max.Y
		area.Min.Y = c.Max.Y - vg.Length(len(rows))*line
		x.below(area, d.axis)
		for i, r := range rows {
			y := area.Max.Y - vg.Length(i)*line - line/2
			rowName(area, r.name, x.from, vg.Length(i)*line+line/2+3)
			if r.main.OK {
				area.StrokeLine2(draw.LineStyle{Color: blue, Width: 1.2}, area.Min.X+x.at(r.main.Low/r.unit), y, area.Min.X+x.at(r.main.High/r.unit), y)
			}
			if r.too.N > 0 {
				area.DrawGlyphNoClip(draw.GlyphStyle{Color: picture.Pale, Radius: 3.2, Shape: draw.RingGlyph{}}, vg.Point{X: area.Min.X + x.at(r.too.Value/r.unit), Y: y})
			}
			area.DrawGlyphNoClip(draw.GlyphStyle{Color: blue, Radius: 2.8, Shape: draw.CircleGlyph{}}, vg.Point{X: area.Min.X + x.at(r.main.Value/r.unit), Y: y})
		}
	})
}

// grid is a picture of values by row and column, as colours.
type grid struct {
	title         string
	rows, columns []string
	values        [][]float64 // NaN: none
	format        string      // of the numbers in cells; none where it is empty
	unit, high    float64     // values go from 0 to high
}

// clear makes room for the values.
func (g *grid) clear() {
	for range g.rows {
		g.values = append(g.values, slices.Repeat([]float64{math.NaN()}, len(g.columns)))
	}
}

func (g *grid) any() bool {
	return slices.ContainsFunc(g.values, func(row []float64) bool {
		return slices.ContainsFunc(row, func(x float64) bool { return !math.IsNaN(x) })
	})
}

func (g grid) draw(w io.Writer) error {
	left := namesWidth(g.rows)
	each := (inner - left) / vg.Length(max(len(g.columns), 1))
	small := picture.Sans(8, picture.Pale)
	turned, head := false, vg.Length(14)
	names := make([]string, len(g.columns))
	for i, name := range g.columns {
		names[i] = picture.Elide(plain.XML(name), 64, small)
		turned = turned || g.format != "" && small.Width(names[i])*slack > each
	}
	if turned {
		head = 48
	}
	return sheet(w, g.title, "from 0 (dark) to 100 (light); empty: not asked", vg.Length(len(g.rows))*line+head+6, func(c draw.Canvas) {
		for i, name := range names {
			if !turned {
				picture.Put(c, small, left+vg.Length(i)*each+2, head-5, name)
				continue
			}
			style := small
			style.Rotation, style.XAlign = math.Pi/5, draw.XLeft
			c.FillText(style, vg.Point{X: c.Min.X + left + vg.Length(i)*each + each/3, Y: c.Max.Y - head + 4}, name)
		}
		for k := range g.values {
			rowName(c, g.rows[k], left, head+vg.Length(k)*line+line/2+3)
			g.cells(c, k, left, each, head)
		}
	})
}

// cells draws a row, whose cells begin at left and are each wide.
func (g grid) cells(c draw.Canvas, row int, left, each, head vg.Length) {
	top := head + vg.Length(row)*line
	for i, x := range g.values[row] {
		if math.IsNaN(x) {
			continue
		}
		fill, from := viridis(x/g.high), left+vg.Length(i)*each
		lo := vg.Point{X: c.Min.X + from, Y: c.Max.Y - top - line + 0.5}
		c.SetColor(fill)
		c.Fill(vg.Rectangle{Min: lo, Max: vg.Point{X: lo.X + each - 0.5, Y: lo.Y + line - 0.5}}.Path())
		if g.format != "" {
			label, style := fmt.Sprintf(g.format, math.Round(x/g.unit)), picture.Sans(8, inkOn(fill))
			picture.Put(c, style, from+(each-style.Width(label))/2, top+line/2+3, label)
		}
	}
}

// viridis is Smith and van der Walt's colour map (2015), which keeps its order in grey and for any colour vision, at nine points.
func viridis(x float64) color.NRGBA {
	at := min(max(x, 0), 1) * float64(len(viridisPoints)-1)
	i := min(int(at), len(viridisPoints)-2)
	a, b, t := viridisPoints[i], viridisPoints[i+1], at-float64(i)
	mix := func(k int) uint8 { return uint8(math.Round(float64(a[k]) + t*(float64(b[k])-float64(a[k])))) }
	return color.NRGBA{mix(0), mix(1), mix(2), 0xFF}
}

var viridisPoints = [][3]uint8{{68, 1, 84}, {71, 45, 123}, {59, 82, 139}, {44, 114, 142}, {33, 145, 140}, {40, 174, 128}, {94, 201, 98}, {173, 220, 48}, {253, 231, 37}}

// inkOn is what can be read on a colour.
func inkOn(c color.NRGBA) color.Color {
	if 0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B) > 140 {
		return picture.Ink
	}
	return picture.Paper
}
