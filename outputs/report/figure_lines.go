package report

import (
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"scbench/outputs/picture"
	"scbench/outputs/stats"
)

// scatter is a picture of scores against a cost, with the line of those that nothing beats on both.
type scatter struct {
	title, x, y string
	dots        []spot
}

// spot is a method: cost in bytes, score in [0, 1].
type spot struct {
	name        string
	cost, score stats.Interval
}

func (s scatter) draw(w io.Writer) error {
	const height = 260
	return sheet(w, s.title, "bars: 95 % intervals; line: no other method is better on both axes", height+34, func(c draw.Canvas) {
		var costs []float64
		for _, d := range s.dots {
			costs = append(costs, d.cost.Value/mebibyte)
		}
		x := around(costs, true)
		x.from, x.to = 34, inner-90
		y := axis{low: -2, high: 102, from: 0, to: height}
		area := c
		area.Min.Y = c.Max.Y - height
		x.below(area, s.x)
		small := picture.Sans(8.5, picture.Pale)
		for _, tick := range []float64{0, 25, 50, 75, 100} {
			at := area.Min.Y + y.at(tick)
			area.StrokeLine2(draw.LineStyle{Color: picture.Rule, Width: 0.75}, area.Min.X+x.from, at, area.Min.X+x.to, at)
			picture.Put(area, small, 0, area.Max.Y-at+3, tickText(tick))
		}
		point := func(d spot) vg.Point {
			return vg.Point{X: area.Min.X + x.at(d.cost.Value/mebibyte), Y: area.Min.Y + y.at(100*d.score.Value)}
		}
		front := s.front()
		for i := 1; i < len(front); i++ {
			a, b := point(front[i-1]), point(front[i])
			area.StrokeLine2(draw.LineStyle{Color: picture.Pale, Width: 1}, a.X, a.Y, b.X, a.Y)
			area.StrokeLine2(draw.LineStyle{Color: picture.Pale, Width: 1}, b.X, a.Y, b.X, b.Y)
		}
		for _, d := range s.dots {
			at := point(d)
			if d.score.OK {
				area.StrokeLine2(draw.LineStyle{Color: picture.Border, Width: 1}, at.X, area.Min.Y+y.at(100*d.score.Low), at.X, area.Min.Y+y.at(100*d.score.High))
			}
		}
		for _, d := range s.dots {
			area.DrawGlyphNoClip(draw.GlyphStyle{Color: blue, Radius: 2.8, Shape: draw.CircleGlyph{}}, point(d))
		}
		s.names(area, point)
	})
}

// names writes names right of their points, each as near as the others leave room.
func (s scatter) names(c draw.Canvas, point func(spot) vg.Point) {
	type box struct{ x0, x1, y float64 }
	var taken []box
	style := picture.Sans(8, picture.Ink)
	for _, d := range s.dots {
		at := point(d)
		name := picture.Elide(d.name, 110, style)
		width := float64(style.Width(name)) * slack
		for _, shift := range []float64{6, -7, 15, -16, 24, -25} {
			b := box{float64(at.X) + 6, float64(at.X) + 6 + width, float64(at.Y) + shift}
			if slices.ContainsFunc(taken, func(t box) bool { return b.x0 < t.x1 && t.x0 < b.x1 && math.Abs(b.y-t.y) < 9 }) {
				continue
			}
			taken = append(taken, b)
			picture.Put(c, style, at.X+6-c.Min.X, c.Max.Y-vg.Length(b.y)+3, name)
			break
		}
	}
}

// front lists the methods that no other beats on both axes, by cost.
func (s scatter) front() (out []spot) {
	all := slices.Clone(s.dots)
	slices.SortStableFunc(all, func(a, b spot) int {
		switch {
		case a.cost.Value < b.cost.Value:
			return -1
		case a.cost.Value > b.cost.Value:
			return 1
		case a.score.Value > b.score.Value:
			return -1
		}
		return 0
	})
	best := math.Inf(-1)
	for _, d := range all {
		if d.score.Value > best {
			best = d.score.Value
			out = append(out, d)
		}
	}
	return out
}

// Panels of the picture of curves.
const (
	panelColumns = 4
	panelHeight  = 92
	panelGap     = 10
)

// curvesFigure draws a panel for each method: its score at each turn in every mode, and full attention in grey.
func (r *Report) curvesFigure(w io.Writer) error {
	rows := (len(r.methods) + panelColumns - 1) / panelColumns
	note := "fixed score × 100, 0 to 100, by turn; grey: full attention"
	for m, name := range r.modes {
		note += "; " + []string{"blue", "orange", "green"}[m%3] + ": " + name.String()
	}
	return sheet(w, "Score at each turn, a panel for each method", note, vg.Length(rows)*(panelHeight+panelGap), func(c draw.Canvas) {
		each := (inner - vg.Length(panelColumns-1)*panelGap) / panelColumns
		for k := range r.methods {
			p := c
			p.Min.X = c.Min.X + vg.Length(k%panelColumns)*(each+panelGap)
			p.Max.X = p.Min.X + each
			p.Max.Y = c.Max.Y - vg.Length(k/panelColumns)*(panelHeight+panelGap)
			p.Min.Y = p.Max.Y - panelHeight
			r.panel(p, k)
		}
	})
}

// panel draws one method's curves.
func (r *Report) panel(c draw.Canvas, k int) {
	style := picture.Sans(9, picture.Ink)
	picture.Put(c, style, 0, 9, picture.Elide(r.methods[k].name, (c.Max.X-c.Min.X)/slack, style))
	y := axis{low: 0, high: 1, from: c.Min.Y + 4, to: c.Max.Y - 18}
	x := axis{low: 1, high: max(2, float64(r.lastTurn())), from: c.Min.X + 4, to: c.Max.X - 4}
	for _, tick := range []float64{0, 0.5, 1} {
		c.StrokeLine2(draw.LineStyle{Color: picture.Rule, Width: 0.75}, c.Min.X, y.at(tick), c.Max.X, y.at(tick))
	}
	draw1 := func(m, method int, style draw.LineStyle) {
		var last *vg.Point
		for _, e := range r.estimates {
			if e.mode != m || e.group != 0 || e.method != method {
				continue
			}
			for _, t := range e.Turns {
				at := vg.Point{X: x.at(float64(t.Turn)), Y: y.at(t.Score.Value)}
				if t.Score.N == 0 {
					last = nil
					continue
				}
				if last != nil {
					c.StrokeLine2(style, last.X, last.Y, at.X, at.Y)
				}
				last = &at
			}
		}
	}
	full := r.fulls()[k]
	for m := range r.modes {
		if full >= 0 && full != k {
			draw1(m, full, draw.LineStyle{Color: picture.Border, Width: 2})
		}
	}
	for m := range r.modes {
		colors := picture.LookOf([]int{2, 1, 4}[m%3], 8, 1)
		draw1(m, k, draw.LineStyle{Color: colors.Line.Color, Width: 1.5})
	}
}
