package datasets

import (
	"regexp"
	"strings"

	"scbench/datasets/metric"
)

// sourceFile is a file of somebody's repository.
type sourceFile struct {
	name, lang, text string
	functions        []metric.Function
}

// documentedFunction is a function that can be asked for: where it and its comment stand, and what the comment says.
type documentedFunction struct {
	metric.Function
	index       int // in sourceFile.functions
	doc         Span
	description string
}

// What can be asked for: a description of so many words, and an answer of so many lines and bytes, which fit the 1024 tokens of the answer.
const (
	leastDocWords  = 6
	mostDocBytes   = 2000
	mostDocLines   = 200 // looked at: a file of nothing else must not take the square of its length
	leastCodeLines = 4
	mostCodeBytes  = 3000
)

// documented are the functions that can be asked for. One inside another is not.
func (f *sourceFile) documented() (all []documentedFunction) {
	end := 0
	for i, fn := range f.functions {
		if fn.Lo < end {
			continue
		}
		end = fn.Hi
		if fn.Name == "" || strings.Count(f.text[fn.Lo:fn.Hi], "\n")+1 < leastCodeLines { // one on few lines has no comment to look for
			continue
		}
		doc, text := f.comment(fn)
		source := f.without(fn, doc)
		if len(source) > mostCodeBytes || strings.Count(source, "\n")+1 < leastCodeLines {
			continue
		}
		text = masked(text, fn.Name)
		if len(strings.Fields(text)) < leastDocWords || len(text) > mostDocBytes {
			continue
		}
		all = append(all, documentedFunction{fn, i, doc, text})
	}
	return all
}

// without is the source of fn but for its comment, where that stands inside.
func (f *sourceFile) without(fn metric.Function, doc Span) string {
	if doc.Lo < fn.Lo {
		return f.text[fn.Lo:fn.Hi]
	}
	return f.text[fn.Lo:doc.Lo] + f.text[doc.Hi:fn.Hi]
}

// comment is where the comment of fn stands, whole lines, and what it says; both empty without one. Python's stands inside.
func (f *sourceFile) comment(fn metric.Function) (Span, string) {
	if f.lang == "python" {
		return f.docstring(fn)
	}
	lo := f.lineStart(fn.Lo)
	hi := lo
	for n := 0; lo > 0 && n < mostDocLines; n++ { // over attributes, templates and directives
		above := f.lineStart(lo - 1)
		line := strings.TrimSpace(f.text[above : lo-1])
		if !strings.HasPrefix(line, "#[") && !strings.HasPrefix(line, "template") && !strings.HasPrefix(line, "//go:") {
			break
		}
		lo, hi = above, above
	}
	var lines []string
	for block := false; lo > 0; {
		above := f.lineStart(lo - 1)
		line := strings.TrimSpace(f.text[above : lo-1])
		if !block && strings.HasSuffix(line, "*/") {
			block = len(lines) == 0
			if !block {
				break
			}
		}
		if !block && !strings.HasPrefix(line, "//") {
			break
		}
		if block && !strings.HasPrefix(line, "*") && !strings.HasPrefix(line, "/*") {
			return Span{}, "" // code that a comment ends, or prose without a margin
		}
		lines = append(lines, line)
		lo = above
		if block && strings.HasPrefix(line, "/*") {
			break
		}
		if len(lines) > mostDocLines {
			return Span{}, ""
		}
	}
	var text strings.Builder
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSuffix(strings.TrimLeft(lines[i], "/*! "), "*/")
		text.WriteString(line + "\n")
	}
	if len(lines) == 0 {
		return Span{}, ""
	}
	return Span{lo, hi}, text.String()
}

// lineStart is where the line of byte at begins.
func (f *sourceFile) lineStart(at int) int { return strings.LastIndexByte(f.text[:at], '\n') + 1 }

// docstring is a first statement that is a string.
var docstring = regexp.MustCompile(`(?s)\A((?:async\s+)?def .*?\)[^\n:]*:[ \t]*\n)([ \t]*[rR]?"""(.*?)"""[ \t]*\n)`)

func (f *sourceFile) docstring(fn metric.Function) (Span, string) {
	source := f.text[fn.Lo:min(fn.Hi, fn.Lo+mostCodeBytes+mostDocBytes)]
	m := docstring.FindStringSubmatchIndex(source)
	if m == nil || strings.Count(source[:m[3]], "def ") != 1 {
		return Span{}, ""
	}
	return Span{fn.Lo + m[4], fn.Lo + m[5]}, source[m[6]:m[7]]
}

// masked is a description on one line, without the name of its function.
func masked(text, name string) string {
	text = strings.Join(strings.Fields(text), " ")
	var b strings.Builder
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return b.String() + text[at:]
		}
		lo, hi := at+i, at+i+len(name)
		if !wordByte(text, lo-1) && !wordByte(text, hi) {
			b.WriteString(text[at:lo] + "the function")
		} else {
			b.WriteString(text[at:hi])
		}
		at = hi
	}
}

// wordByte reports whether byte i of the text belongs to a word of code.
func wordByte(text string, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	c := text[i]
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
