package datasets

import (
	"slices"
	"strings"
	"testing"

	"scbench/datasets/metric"
)

// FuzzDocumented reads any bytes as a source file of each language.
func FuzzDocumented(f *testing.F) {
	f.Add(byte(0), "# a\ndef f(x):\n    \"\"\"Adds one to the number that it is given.\"\"\"\n    y = x\n    y += 1\n    return y\n")
	f.Add(byte(1), "// f adds one to the number that it is given.\n//go:noinline\nfunc f(x int) int {\n\tx++\n\treturn x\n}\n")
	f.Add(byte(2), "/** Adds one to the number\n * that f is given.\n */\ntemplate <class T>\nT f(T x) {\n  x++;\n  return x;\n}\n")
	f.Add(byte(5), "/// Adds one to the number it is given.\n#[inline]\nfn f(x: u8) -> u8 {\n    let y = x;\n    y + 1\n}\n#[x] fn g() {\n#[x]\n#[x]\n#[x] }\n")
	f.Fuzz(func(t *testing.T, which byte, text string) {
		lang := metric.Languages[int(which)%len(metric.Languages)]
		file := sourceFile{"f", lang, text, metric.Functions(text, lang)}
		end := 0
		for _, d := range file.documented() {
			if d.Lo < end || d.Hi > len(text) || d.doc.Lo > d.doc.Hi || d.doc.Lo < 0 || d.doc.Hi > d.Hi {
				t.Fatalf("function at %d to %d, comment at %v", d.Lo, d.Hi, d.doc)
			}
			end = d.Hi
			source := file.without(d.Function, d.doc)
			if strings.Count(source, "\n")+1 < leastCodeLines || len(source) > mostCodeBytes {
				t.Errorf("a function of %d bytes: %q", len(source), source)
			}
			if n := len(strings.Fields(d.description)); n < leastDocWords || strings.ContainsAny(d.description, "\n\t") {
				t.Errorf("a description of %d words: %q", n, d.description)
			}
		}
	})
}

// TestDocumentedIsLinear reads files of four megabytes that would take hours if any of them took the square of its length.
func TestDocumentedIsLinear(t *testing.T) {
	const size = 4 << 20
	for _, c := range []struct{ lang, text string }{
		{"rust", "#[x] fn f() {\n#[x]\n#[x]\n#[x] }\n"},
		{"go", "func f() {}; "},
		{"cpp", "template <class T> T f() {\ntemplate\ntemplate\ntemplate }\n"},
		{"java", "// says what it does, at length\nint f() {\n// a\n// b\n// c }\n"},
		{"typescript", "function f() {/*\n*\n*\n*/}\n"},
		{"python", "def f():\n  \"\"\"\n  a\n  b\n"},
	} {
		if !slices.Contains(metric.Languages, c.lang) {
			t.Fatalf("%s is none of %v", c.lang, metric.Languages)
		}
		text := strings.Repeat(c.text, size/len(c.text))
		if c.lang == "java" {
			text = "class A {\n" + text + "}\n"
		}
		file := sourceFile{"f", c.lang, text, metric.Functions(text, c.lang)}
		if len(file.functions) == 0 {
			t.Errorf("%s: no functions", c.lang)
		}
		file.documented()
	}
}
