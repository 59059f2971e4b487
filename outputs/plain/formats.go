package plain

import "strings"

// Markdown keeps text from ending a cell of a table, or being read as HTML, code, a link or emphasis. It is one line.
func Markdown(s string) string { return markdown.Replace(Line(s)) }

var markdown = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "&", "&amp;", "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`)

// CSV makes text a field of CSV that a spreadsheet does not take for a formula: where it would, it begins with an apostrophe. The
// writer of CSV quotes it.
func CSV(s string) string {
	s = Line(s)
	if t := strings.TrimLeft(s, " "); t != "" && strings.ContainsAny(t[:1], "=+-@") {
		return "'" + s
	}
	return s
}

// LaTeX escapes text for a document in UTF-8. Square brackets are braced, so that none is taken for an option.
func LaTeX(s string) string { return latex.Replace(Line(s)) }

var latex = strings.NewReplacer(`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "$", `\$`, "&", `\&`, "#", `\#`, "_", `\_`, "%", `\%`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "<", `\textless{}`, ">", `\textgreater{}`, "|", `\textbar{}`, "`", "\\textasciigrave{}",
	`"`, `\textquotedbl{}`, "[", "{[}", "]", "{]}", "–", "--", "×", `$\times$`)

// XML drops from a line what XML cannot hold, escaped or not. Whoever writes it escapes it.
func XML(s string) string {
	return strings.Map(func(r rune) rune {
		if r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, Line(s))
}
