package outputs

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

var verdictColours = map[Verdict]string{Holds: green, Fails: red, NotPower: yellow, NotMeasured: dim}

// findingNotes define what FindingsTable shows.
var findingNotes = []string{
	"Scores × 100, fixed scoring, failed queries count 0; in brackets the 95 % interval over sessions; tasks weigh as in the mean of skills. n: values behind the effect.",
	"holds, fails: the interval and the size of the effect are as the claim wants, or cannot be. not enough power: neither. Each claim is judged by itself: of fourteen, one may err by chance.",
}

// FindingsTable writes findings for reading: verdict, effect and n in a line, then the claim, then why.
func FindingsTable(w io.Writer, all []Finding, o TableOptions) error {
	width := o.Width
	if width <= 0 {
		width = defaultWidth
	}
	color := o.Color == Always || o.Color == Auto && colorful(w)
	var b strings.Builder
	count := map[Verdict]int{}
	for _, f := range all {
		count[f.Verdict]++
		effect := ""
		if f.Effect.N > 0 {
			effect = fmt.Sprintf("%s  n %d", spelled(f.Effect), f.Effect.N)
		}
		head := field{{fmt.Sprintf("%-4s", f.ID), bold}, {fmt.Sprintf("%-17s", f.Verdict), verdictColours[f.Verdict]}, {effect, ""}}
		b.WriteString(strings.TrimRight(head.render(color), " ") + "\n")
		b.WriteString(indented(f.Claim, width))
		b.WriteString(paint(indented(capital(f.Why), width), dim, color) + "\n")
	}
	var sums []string
	for _, v := range []Verdict{Holds, Fails, NotPower, NotMeasured} {
		sums = append(sums, fmt.Sprintf("%d %s", count[v], v))
	}
	b.WriteString(strings.Join(sums, ", ") + "\n\n")
	for _, line := range findingNotes {
		b.WriteString(paint(wrap(line, width), dim, color))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// FindingsJSON writes findings as JSON, scores in [0, 1].
func FindingsJSON(w io.Writer, all []Finding) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

// indented wraps text below a head.
func indented(text string, width int) string {
	const left = "    "
	lines := strings.Split(strings.TrimSuffix(wrap(text, width-len(left)), "\n"), "\n")
	for i, line := range lines {
		lines[i] = left + strings.TrimLeft(line, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func capital(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }
