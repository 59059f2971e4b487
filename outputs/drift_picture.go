package outputs

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"scbench/outputs/picture"
	"scbench/outputs/plain"
)

const driftPicture = "Attention while a long answer is generated"

// driftLine is a line of a panel, a y for each x from 0 on.
type driftLine struct {
	name string
	y    []float64
}

// driftPanel is a panel of the picture.
type driftPanel struct {
	title, meaning, x, y string
	ticks                []string
	most                 float64 // of y
	lines                []driftLine
}

// Picture writes the summary as an SVG that needs nothing else. The bytes are a function of the summary.
func (s DriftSummary) Picture(w io.Writer) error {
	panels := s.panels()
	var caption []string
	const inner = vg.Length(pictureWidth - 2*margin)
	for _, line := range s.notes() {
		caption = append(caption, picture.Wrapped(plain.XML(line), inner/slack, picture.Sans(8, picture.Pale))...)
	}
	legends := vg.Length(0)
	for _, p := range panels {
		legends += p.legendHeight()
	}
	height := 2*margin + headHeight + vg.Length(len(panels))*(panelHead+panelHeight+panelGap) + legends + vg.Length(len(caption))*captionLine + 8
	canvas := vgsvg.New(pictureWidth, height)
	page := draw.New(canvas)
	picture.Card(page)
	page = draw.Crop(page, margin, -margin, margin, -margin)
	picture.Put(page, picture.Strong(14), 0, 12, driftPicture)
	picture.Put(page, picture.Sans(9.5, picture.Pale), 0, 27, fmt.Sprintf("Full attention's own, over %d heads and %d prompts. x: generated tokens, from 0.", s.Heads, s.Prompts))
	page.Max.Y -= headHeight
	for _, p := range panels {
		page.Max.Y -= p.draw(page)
	}
	for i, line := range caption {
		picture.Put(page, picture.Sans(8, picture.Pale), 0, vg.Length(i+1)*captionLine, line)
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(picture.Portable(b.Bytes(), driftPicture))
	return err
}

// panels are those that there is something to show in.
func (s DriftSummary) panels() []driftPanel {
	var ticks []string
	for _, b := range s.Buckets {
		ticks = append(ticks, b.String())
	}
	moved := driftPanel{title: "How far attention moves from prefill", meaning: "shares, × 100", ticks: ticks, most: 100}
	for _, m := range s.Measures {
		moved.lines = append(moved.lines, driftLine{m.Name, m.values()})
	}
	var methods []string
	for _, r := range s.Read {
		methods = append(methods, r.Name)
	}
	read := driftPanel{title: "What methods still read of it", meaning: "share of full attention on the tokens that a method's queries read, × 100", ticks: ticks, most: 100}
	prompt := driftPanel{title: "What methods still read of the prompt", meaning: "of what full attention has on the prompt, the share that a method's queries read, × 100", ticks: ticks, most: 100}
	for i, name := range ShortNames(methods) {
		read.lines = append(read.lines, driftLine{name, s.Read[i].values()})
		prompt.lines = append(prompt.lines, driftLine{name, s.Prompt[i].values()})
	}
	panels := []driftPanel{moved}
	if len(s.Read) > 0 {
		panels = append(panels, read, prompt)
	}
	return append(panels, s.profile())
}

// profile is the panel of distances: prefill, the first token, and the later ranges.
func (s DriftSummary) profile() driftPanel {
	p := driftPanel{title: "How far back it looks", meaning: "share of full attention by distance in tokens, × 100"}
	longest := 0
	for i, d := range s.Distance {
		line := driftLine{name: s.Buckets[i].String()}
		for _, v := range d {
			line.y = append(line.y, 100*v)
			p.most = max(p.most, 100*v)
		}
		longest = max(longest, len(d))
		p.lines = append(p.lines, line)
	}
	for i := range longest {
		label := "0"
		if i > 0 {
			label = short(1 << (i - 1))
		}
		p.ticks = append(p.ticks, label)
	}
	return p
}

// shareTicks are at most five rules, 0 among them, up to most.
func shareTicks(most float64) plot.ConstantTicks {
	step := 25.0
	for _, smaller := range []float64{20, 10, 5, 2, 1} {
		if most < 4*smaller {
			step = smaller
		}
	}
	var ticks plot.ConstantTicks
	for y := 0.0; y <= most; y += step {
		ticks = append(ticks, plot.Tick{Value: y, Label: strconv.FormatFloat(y, 'f', -1, 64)})
	}
	return ticks
}

// short is a number of tokens such as 512, 4K or 1M; powers of two only.
func short(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%dM", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%dK", n>>10)
	}
	return fmt.Sprint(n)
}

// values are the points × 100.
func (s DriftSeries) values() []float64 {
	var y []float64
	for _, p := range s.Points {
		if p.N == 0 {
			y = append(y, -1) // not drawn
			continue
		}
		y = append(y, 100*p.Value)
	}
	return y
}

// legendColumns is how many names stand side by side, and how wide a column is.
func (p driftPanel) legendColumns() (n int, width vg.Length) {
	style, widest := picture.Sans(9, picture.Ink), vg.Length(0)
	for _, l := range p.lines {
		widest = max(widest, style.Width(plain.XML(l.name)))
	}
	const inner = vg.Length(pictureWidth - 2*margin)
	width = min(keyWidth+widest*slack+lineHeight, inner)
	return max(1, min(int(inner/width), len(p.lines))), width
}

func (p driftPanel) legendHeight() vg.Length {
	n, _ := p.legendColumns()
	return vg.Length((len(p.lines)+n-1)/n) * lineHeight
}

// draw draws title, legend and plot, and returns their height.
func (p driftPanel) draw(c draw.Canvas) vg.Length {
	picture.Put(c, picture.Strong(10.5), 0, 10, p.title)
	picture.Put(c, picture.Sans(8.5, picture.Pale), 0, 21, p.meaning)
	columns, cell := p.legendColumns()
	for i, l := range p.lines {
		x, y := vg.Length(i%columns)*cell, panelHead+vg.Length(i/columns)*lineHeight+4
		look := picture.LookOf(i, len(p.lines), 1)
		mid := vg.Point{X: c.Min.X + x + keyWidth/2 - 3, Y: c.Max.Y - y + 3}
		c.StrokeLine2(look.Line, mid.X-keyWidth/2+3, mid.Y, mid.X+keyWidth/2-3, mid.Y)
		c.DrawGlyphNoClip(look.Marker, mid)
		picture.Put(c, picture.Sans(9, picture.Ink), x+keyWidth, y, picture.Elide(plain.XML(l.name), pictureWidth-2*margin-keyWidth, picture.Sans(9, picture.Ink)))
	}
	plotted := emptyPanel()
	last := max(1, len(p.ticks)-1)
	plotted.X.Min, plotted.X.Max, plotted.Y.Min, plotted.Y.Max = -0.25, float64(last)+0.25, -0.04*p.most, 1.04*max(p.most, 1)
	var ticks plot.ConstantTicks
	for i, t := range p.ticks {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: t})
	}
	plotted.X.Tick.Marker = ticks
	plotted.Y.Tick.Marker = shareTicks(p.most)
	var markers []plot.Plotter
	for i, l := range p.lines {
		look := picture.LookOf(i, len(p.lines), len(p.ticks))
		var points plotter.XYs
		for x, y := range l.y {
			if y >= 0 {
				points = append(points, plotter.XY{X: float64(x), Y: y})
			}
		}
		if len(points) > 1 {
			plotted.Add(&plotter.Line{XYs: points, LineStyle: look.Line})
		}
		if len(points) > 0 {
			markers = append(markers, &plotter.Scatter{XYs: points, GlyphStyle: look.Marker})
		}
	}
	plotted.Add(markers...)
	area := c
	area.Max.Y -= panelHead + p.legendHeight()
	area.Min.Y = area.Max.Y - panelHeight
	plotted.Draw(area)
	return panelHead + p.legendHeight() + panelHeight + panelGap
}
