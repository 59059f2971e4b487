// Package picture is how our pictures look: paper, text, colours and markers, drawn with gonum into SVG that needs nothing else.
package picture

import (
	"bytes"
	"html"
	"image/color"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"scbench/outputs/plain"
)

// Colours of text, weak text, lines of a grid, and the paper.
var (
	Ink    = color.NRGBA{0x1F, 0x23, 0x28, 0xFF}
	Pale   = color.NRGBA{0x59, 0x63, 0x6E, 0xFF}
	Rule   = color.NRGBA{0xE4, 0xE7, 0xEB, 0xFF}
	Border = color.NRGBA{0xD0, 0xD7, 0xDE, 0xFF}
	Paper  = color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}
)

// MaxEndLabels is how many names find room beside a panel.
const MaxEndLabels = 8

// okabeIto is the palette of Okabe and Ito (2008), which people with any colour vision can tell apart. Its yellow is left out:
// it cannot be seen on white.
var okabeIto = []color.Color{
	color.NRGBA{0x00, 0x00, 0x00, 0xFF}, // black
	color.NRGBA{0xE6, 0x9F, 0x00, 0xFF}, // orange
	color.NRGBA{0x00, 0x72, 0xB2, 0xFF}, // blue
	color.NRGBA{0xD5, 0x5E, 0x00, 0xFF}, // vermillion
	color.NRGBA{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	color.NRGBA{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	color.NRGBA{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
}

// shapes are as many as have no divisor in common with the colours, so that 56 methods have 56 looks.
var shapes = []shape{
	{},                               // circle
	{3, 0.5, math.Pi / 2},            // triangle
	{4, math.Sqrt2 / 2, 0},           // diamond
	{4, math.Sqrt2 / 2, math.Pi / 4}, // square
	{3, 0.5, -math.Pi / 2},           // triangle, upside down
	{5, 0.42, math.Pi / 2},           // star
	{4, 0.4, math.Pi / 4},            // cross
	{4, 0.4, 0},                      // star of four
}

var dashes = [][]vg.Length{nil, {5, 2}, {1.5, 1.5}, {6, 2, 1.5, 2}}

// shape is a marker: points at the radius, and between them points at the inner share of it; without points, a circle.
type shape struct {
	points       int
	inner, start float64
}

// DrawGlyph fills the shape and rims it in the colour of the paper, so that overlapping markers stay apart.
func (s shape) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	var p vg.Path
	if s.points == 0 {
		r := sty.Radius * 0.85 // looks as large as the others
		p.Move(vg.Point{X: at.X + r, Y: at.Y})
		p.Arc(at, r, 0, 2*math.Pi)
	}
	for i := range 2 * s.points {
		r := float64(sty.Radius)
		if i%2 == 1 {
			r *= s.inner
		}
		sin, cos := math.Sincos(s.start + math.Pi*float64(i)/float64(s.points))
		to := vg.Point{X: at.X + vg.Length(r*cos), Y: at.Y + vg.Length(r*sin)}
		if i == 0 {
			p.Move(to)
		} else {
			p.Line(to)
		}
	}
	p.Close()
	c.SetColor(sty.Color)
	c.Fill(p)
	c.SetLineStyle(draw.LineStyle{Color: Paper, Width: 0.6})
	c.Stroke(p)
}

// Look is how a method is drawn.
type Look struct {
	Line   draw.LineStyle
	Marker draw.GlyphStyle
}

// LookOf is the look of method i of n. Earlier methods are drawn below and larger, so that they show where later ones coincide.
// Lines are thin where methods are many, markers small where turns are.
func LookOf(i, n, turns int) Look {
	large := 1 - float64(i)/float64(max(n-1, 1)) // 1 for the first, 0 for the last
	large *= min(1, MaxEndLabels/float64(max(n, 1)))
	radius := (3.4 + 1.2*large) * min(1, math.Sqrt(12/float64(max(turns, 1))))
	c := okabeIto[i%len(okabeIto)]
	return Look{
		Line:   draw.LineStyle{Color: c, Width: vg.Length(1.3 + 2.1*large*large), Dashes: dashes[i/len(okabeIto)%len(dashes)]},
		Marker: draw.GlyphStyle{Color: c, Radius: vg.Length(radius), Shape: shapes[i%len(shapes)]},
	}
}

// Sans is plain text of a size in points.
func Sans(size vg.Length, c color.Color) draw.TextStyle {
	return draw.TextStyle{Color: c, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}, Handler: plot.DefaultTextHandler}
}

// Strong is bold text in Ink.
func Strong(size vg.Length) draw.TextStyle {
	s := Sans(size, Ink)
	s.Font.Weight = xfont.WeightBold
	return s
}

// Put writes a line of text at x, and its baseline at y below the canvas's upper left corner.
func Put(c draw.Canvas, s draw.TextStyle, x, y vg.Length, line string) {
	s.YAlign = draw.YBottom
	up := s.FontExtents().Ascent - s.Font.Size // the handler puts the baseline that far below the point
	c.FillText(s, vg.Point{X: c.Min.X + x, Y: c.Max.Y - y + up}, plain.XML(line))
}

// Elide cuts a line to a width.
func Elide(line string, width vg.Length, s draw.TextStyle) string {
	if s.Width(line) <= width {
		return line
	}
	runes := []rune(line)
	n := 0
	for used := s.Width("…"); n < len(runes); n++ {
		if used += s.Width(string(runes[n])); used > width {
			break
		}
	}
	return string(runes[:n]) + "…"
}

// Wrapped breaks text at blanks into lines of a width; what is longer than a line alone is cut.
func Wrapped(txt string, width vg.Length, s draw.TextStyle) (lines []string) {
	line := ""
	for _, word := range strings.Fields(txt) {
		switch more := line + " " + word; {
		case line == "":
			line = word
		case s.Width(more) <= width:
			line = more
		default:
			lines, line = append(lines, Elide(line, width, s)), word
		}
	}
	if line != "" {
		lines = append(lines, Elide(line, width, s))
	}
	return lines
}

// Card is the Paper: light on any page, with round corners.
func Card(c draw.Canvas) {
	const r, inset = 6, 0.5
	lo, hi := vg.Point{X: c.Min.X + inset, Y: c.Min.Y + inset}, vg.Point{X: c.Max.X - inset, Y: c.Max.Y - inset}
	var p vg.Path
	p.Move(vg.Point{X: lo.X + r, Y: lo.Y})
	p.Arc(vg.Point{X: hi.X - r, Y: lo.Y + r}, r, -math.Pi/2, math.Pi/2)
	p.Arc(vg.Point{X: hi.X - r, Y: hi.Y - r}, r, 0, math.Pi/2)
	p.Arc(vg.Point{X: lo.X + r, Y: hi.Y - r}, r, math.Pi/2, math.Pi/2)
	p.Arc(vg.Point{X: lo.X + r, Y: lo.Y + r}, r, math.Pi, math.Pi/2)
	p.Close()
	c.SetColor(Paper)
	c.Fill(p)
	c.SetLineStyle(draw.LineStyle{Color: Border, Width: 0.75})
	c.Stroke(p)
}

// Portable names fonts of the same widths for machines that lack Liberation Sans, and gives a picture that gonum wrote a title to
// read aloud, which is plain text without markup.
func Portable(svg []byte, title string) []byte {
	svg = bytes.ReplaceAll(svg, []byte(`style="font-family:Liberation Sans;`), []byte(`style="font-family:Liberation Sans,Arial,Helvetica,sans-serif;`))
	open := []byte(`xmlns:xlink="http://www.w3.org/1999/xlink">`)
	return bytes.Replace(svg, open, append(open, "\n<title>"+html.EscapeString(plain.XML(title))+"</title>"...), 1)
}
