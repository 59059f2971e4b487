package report

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"scbench/outputs/picture"
	"scbench/outputs/plain"
)

// Figure is a picture of a section, drawn without a browser.
type Figure struct {
	Name string // of its file: letters, digits and hyphens
	draw func(io.Writer) error
}

// SVG writes the figure. The bytes are a function of the report; the error is the writer's.
func (f Figure) SVG(w io.Writer) error { return f.draw(w) }

// Lengths in points.
const (
	figureWidth  = 600
	figureMargin = 18
	figureHead   = 44
	inner        = figureWidth - 2*figureMargin
	line         = 14 // height of a row
	slack        = 1.15
)

// sheet draws on paper of a height, below the title and a note.
func sheet(w io.Writer, title, note string, height vg.Length, body func(draw.Canvas)) error {
	title = plain.XML(title)
	canvas := vgsvg.New(figureWidth, height+figureHead+2*figureMargin)
	page := draw.New(canvas)
	picture.Card(page)
	page = draw.Crop(page, figureMargin, -figureMargin, figureMargin, -figureMargin)
	picture.Put(page, picture.Strong(13), 0, 12, picture.Elide(title, inner/slack, picture.Strong(13)))
	picture.Put(page, picture.Sans(9, picture.Pale), 0, 27, picture.Elide(plain.XML(note), inner/slack, picture.Sans(9, picture.Pale)))
	page.Max.Y -= figureHead
	body(page)
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(picture.Portable(b.Bytes(), title))
	return err
}

// axis maps values to lengths.
type axis struct {
	low, high float64
	log       bool
	from, to  vg.Length
}

func (a axis) at(x float64) vg.Length {
	lo, hi := a.low, a.high
	if a.log {
		lo, hi, x = math.Log10(lo), math.Log10(hi), math.Log10(math.Max(x, a.low))
	}
	return a.from + (a.to-a.from)*vg.Length((min(max(x, lo), hi)-lo)/(hi-lo))
}

// around is an axis that holds all values, with room.
func around(values []float64, log bool) axis {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, x := range values {
		if !math.IsNaN(x) && !math.IsInf(x, 0) && (!log || x > 0) {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	switch {
	case lo > hi:
		lo, hi = 1, 2
	case log:
		lo, hi = lo/1.15, hi*1.15
	default:
		pad := max((hi-lo)*0.05, 1e-9)
		lo, hi = lo-pad, hi+pad
	}
	return axis{low: lo, high: hi, log: log}
}

// ticks are round values on the axis, at most about eight.
func (a axis) ticks() (all []float64) {
	if a.log {
		steps := []float64{1, 2, 5}
		if a.high/a.low > 1000 {
			steps = steps[:1]
		}
		for p := math.Floor(math.Log10(a.low)); p <= math.Log10(a.high); p++ {
			for _, m := range steps {
				if x := m * math.Pow(10, p); x >= a.low && x <= a.high {
					all = append(all, x)
				}
			}
		}
		if len(all) > 1 {
			return all
		}
		all = nil
	}
	step := math.Pow(10, math.Floor(math.Log10(a.high-a.low)))
	for _, m := range []float64{0.2, 0.5, 1, 2} {
		if (a.high-a.low)/(step*m) <= 8 {
			step *= m
			break
		}
	}
	for x := math.Ceil(a.low/step) * step; x <= a.high+step/1e6; x += step {
		all = append(all, math.Round(x/step)*step)
	}
	return all
}

// tickText shows a tick in few letters.
func tickText(x float64) string { return fmt.Sprintf("%.4g", x) }

// below draws the ticks and the name of a horizontal axis under a canvas, and grid lines on it.
func (a axis) below(c draw.Canvas, name string) {
	small := picture.Sans(8.5, picture.Pale)
	for _, x := range a.ticks() {
		at := c.Min.X + a.at(x)
		c.StrokeLine2(draw.LineStyle{Color: picture.Rule, Width: 0.75}, at, c.Min.Y, at, c.Max.Y)
		label := tickText(x)
		picture.Put(c, small, a.at(x)-small.Width(label)/2, c.Max.Y-c.Min.Y+11, label)
	}
	picture.Put(c, small, a.from, c.Max.Y-c.Min.Y+23, name)
}

// margin is the room that names of rows take.
func namesWidth(names []string) vg.Length {
	style, widest := picture.Sans(9, picture.Ink), vg.Length(30)
	for _, n := range names {
		widest = max(widest, style.Width(plain.XML(n))*slack+8)
	}
	return min(widest, inner*0.42)
}

// rowName writes the name of a row left of it.
func rowName(c draw.Canvas, name string, width, y vg.Length) {
	style := picture.Sans(9, picture.Ink)
	picture.Put(c, style, 0, y, picture.Elide(plain.XML(name), (width-8)/slack, style))
}
