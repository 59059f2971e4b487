package metric

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// sources are texts in which each function to be found stands between «name and »; what is not to be found has no marks.
var sources = map[string][]string{
	"python": {
		"import os\n\n@cached(\"def no(): pass\")\n«add def add(a, b=(1,\n  2)):\n    \"\"\"def inner():\n  text\"\"\"\n    # def no():\n    return a + \\\n  b»\n\nx = 1\n",
		"class A:\n    «get async def get(self) -> dict[str, int]:\n        if self:\n            «help def help(): return 1»\n\n# column 0\n        return '''\nx\n'''»\n    y = 2\n",
		"def broken\nx = 'def f(): pass'\n«one def one(): return {\n}»\n",
		"«tab def tab():\n\treturn rb'\\''»\nz = lambda: 0",
	},
	"java": {
		"package p;\nclass A<T> {\n  A(int x) { this.x = x; }\n  /* int no() {} */\n  «get @Override\n  @SuppressWarnings({\"a\", \"b\"})\n  public <K, V extends List<K>> Map<K, V> get(int[] a, String s)\n      throws E, F { if (a == null) { return new B() { «run public void run() { }» }; } char c = '{'; return null; }»\n" +
			"  abstract int none(int x);\n  int y = f(2);\n  «dims int dims()[] { return t -> { while (true) { } }; }»\n  record P(int x) { }\n  String t = \"\"\"\n int no() { } \" \"\"\";\n  enum E { A(1) { }, B }\n}\n",
	},
	"typescript": {
		"// function no() {}\nexport default «one async function one<T extends {a: number}>(x: T = `}${f({a: `{`})}`): Promise<{ a: number }> {\n  const r = /[/}]{/.test(x), q = a / b / c;\n  const g = function no() { return 1; };\n  «two function two() { return {a: 1}; }»\n  return { a: 1 };\n}»\n" +
			"function over(a: number): void;\n«over function over(a: any) { }»\nfoo(function no() { });\nfunction* gen() { }\n«last function last(): x is string\n{ }»\n",
	},
	"rust": {
		"#[test]\n«get pub(crate) async unsafe fn get<'a, F: Fn(&'a str) -> u8>(x: &'a str, f: F) -> Result<(), E> where F: Clone {\n let s = r#\"fn no() { \"}\"#; let c = '{'; let d = '\\''; /* /* */ fn no() {} */ «inner fn inner() {}» }»\n" +
			"trait T { fn none(&self) -> u8; «def fn def(&self) { }» }\n«ext pub extern \"C\" fn ext(f: fn(u8) -> u8) {}»\n",
	},
	"cpp": {
		"#include <a>\n#define NO(x) int no() { \\\n return 1; }\nnamespace n { «add static inline int add(const std::vector<int>& a, int b = f()) noexcept(true) { auto l = [&](int x) { return x; }; if (a) { } return R\"x(}\")x\"[0]; }»\n" +
			"class C : D { int in(int x) { return x; } };\nint C::out(int x) { return x; }\nint *pointer() { return 0; }\n}\n" +
			"template <class T, typename U = std::pair<T, T>>\n«tmpl std::map<T, U> tmpl(T t) { return {}; }»\nextern \"C\" { «c void c() { char q = '}'; }» }\nint x = g(2);\nint decl(int);\nenum class E { A };\n«tail auto tail() -> decltype(x) { }»\n",
	},
	"go": {
		"package p\n\n// func no() {}\n«Add func Add[T ~int | ~string](a, b T, f func(int) (int, error)) (struct{ x int }, interface{ F() }) {\n\tx := `func no() {`\n\tg := func(y int) { _ = '{' }\n\treturn\n}»\n\nfunc (r *R) method() {}\nfunc asm(x int) int\n\n«two func two() map[string]func() { return nil }»\ntype F func(x int)\n",
	},
}

// unmark takes the marks out of a text and returns what they mark, in order of beginning.
func unmark(text string) (plain string, want []Function) {
	var b strings.Builder
	var open []int
	for len(text) > 0 {
		switch {
		case strings.HasPrefix(text, "«"):
			name, rest, _ := strings.Cut(strings.TrimPrefix(text, "«"), " ")
			open, text = append(open, len(want)), rest
			want = append(want, Function{Name: name, Lo: b.Len()})
		case strings.HasPrefix(text, "»"):
			want[open[len(open)-1]].Hi = b.Len()
			open, text = open[:len(open)-1], strings.TrimPrefix(text, "»")
		default:
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	return b.String(), want
}

func TestFunctions(t *testing.T) {
	for _, lang := range Languages {
		for _, s := range sources[lang] {
			text, want := unmark(s)
			got := Functions(text, lang)
			if !slices.Equal(got, want) {
				t.Errorf("%s: found %v, want %v", lang, got, want)
				for _, f := range got {
					t.Logf("%s %q", f.Name, text[f.Lo:f.Hi])
				}
			}
		}
	}
	if f := Functions("func a() {}", "cobol"); f != nil {
		t.Error(f)
	}
}

// hostile are texts that a scanner may be slow on, by their repeated part.
var hostile = []string{"fn a<", "function a<", "template<", "#\n", "#x \\\n", "/[", "([/", "f() noexcept() ", "a b() throws c ", "r#", "func a() ", "def a(", "def a():\n ",
	"`${", "{", "}", "({[", "]})", "'", "\"", "\\", "/*", "'''", "R\"(", "int f(", "@A(", "b<c, ", "fn a() where ", "function f(): ", "a b(c) {", "class A { ", "async ", "\xff", " ", "pub(", "func a[", "a\t"}

func FuzzFunctions(f *testing.F) {
	for i, lang := range Languages {
		for _, s := range sources[lang] {
			text, _ := unmark(s)
			f.Add(text, i)
		}
		for _, h := range hostile {
			f.Add(strings.Repeat(h, 20), i)
		}
	}
	f.Fuzz(func(t *testing.T, text string, lang int) {
		if lang < 0 || lang >= len(Languages) {
			return
		}
		before := -1
		for _, fn := range Functions(text, Languages[lang]) {
			if fn.Lo < before || fn.Hi <= fn.Lo || fn.Hi > len(text) || !strings.Contains(text[fn.Lo:fn.Hi], fn.Name) {
				t.Fatalf("%v in %q", fn, text)
			}
			before = fn.Lo
		}
		RepoQA(text, text, Pool{Languages[lang], []string{text}, nil})
	})
}

// BenchmarkFunctionsHostile shows the time a byte for texts of two lengths; linear means alike.
func BenchmarkFunctionsHostile(b *testing.B) {
	for _, lang := range Languages {
		for _, n := range []int{1 << 16, 1 << 19} {
			b.Run(fmt.Sprintf("%s/%d", lang, n), func(b *testing.B) {
				worst, slowest := 0.0, ""
				for b.Loop() {
					for _, h := range hostile {
						start := time.Now()
						Functions(strings.Repeat(h, n/len(h)), lang)
						if ns := float64(time.Since(start).Nanoseconds()) / float64(n); ns > worst {
							worst, slowest = ns, h
						}
					}
				}
				b.ReportMetric(worst, "worst-ns/byte")
				b.Logf("%q", slowest)
			})
		}
	}
}

// TestGoFunctionsOfTheLibrary compares with go/parser's findings by a plain rule: gofmt'ed sources begin a declaration in column 0, and end it with "}" there.
func TestGoFunctionsOfTheLibrary(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(runtime.GOROOT(), "src", "strings", "*.go"))
	if err != nil || len(files) == 0 {
		t.Skip("no GOROOT with sources")
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		checkAgainstParser(t, name, string(b))
	}
}
