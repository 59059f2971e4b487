package outputs

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// BudgetTable writes curves for reading: a row for each method, a column for each budget.
func BudgetTable(w io.Writer, curves []BudgetCurve, by Bytes, at []float64, o TableOptions) error {
	width := o.Width
	if width <= 0 {
		width = defaultWidth
	}
	color := o.Color == Always || o.Color == Auto && colorful(w)
	var b strings.Builder
	for len(curves) > 0 {
		n := slices.IndexFunc(curves, func(c BudgetCurve) bool { return c.Mode != curves[0].Mode || c.History != curves[0].History })
		if n < 0 {
			n = len(curves)
		}
		block, head := curves[:n], string(curves[0].Mode)
		if h := curves[0].History; h != NoHistory {
			head += ", " + string(h) + " history"
		}
		b.WriteString(field{{Clean(head), bold}}.render(color) + "\n")
		label, cols := column{head: "method", left: true}, []column{{head: "settings"}, {head: "least"}, {head: fmt.Sprintf("area from %s", percent(block[0].From, true))}}
		for _, x := range at {
			cols = append(cols, column{head: "at " + percent(x, true)})
		}
		for _, c := range block {
			label.fields = append(label.fields, field{{Clean(c.Method), bold}})
			cols[0].fields = append(cols[0].fields, text(fmt.Sprint(c.Settings)))
			cols[1].fields = append(cols[1].fields, text(percent(c.Least, true)))
			cols[2].fields = append(cols[2].fields, bracketed(c.Area))
			for i, iv := range c.At {
				cols[3+i].fields = append(cols[3+i].fields, bracketed(iv))
			}
		}
		for _, grid := range flow(label, cols, width) {
			renderGrid(&b, grid, color)
			b.WriteString("\n")
		}
		curves = curves[n:]
	}
	what := "bytes of KV cache that a branch was measured to hold when its answer starts"
	if by == BytesRead {
		what = "bytes of keys, values and index that a decoded token was measured to read"
	}
	for _, line := range []string{
		"Fixed scores × 100, the mean of the skills; in brackets the 95 % interval by resampling the sessions of every task.",
		"Budgets are shares of a dense cache: " + what + ". Between settings scores are interpolated over the logarithm of bytes, up to full attention with the whole cache; below the smallest setting there is none.",
		"area: the mean over the logarithm of bytes, from the smallest budget that all methods reach to the whole cache.",
	} {
		b.WriteString(paint(wrap(line, width), dim, color))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
