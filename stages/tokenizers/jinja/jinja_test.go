package jinja

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var small = Limits{Steps: 200_000, Bytes: 1 << 20, Depth: 300, Time: 10 * time.Second}

var july = time.Date(2024, time.July, 26, 12, 34, 56, 0, time.UTC)

func render(source string, limits Limits, vars ...Var) (string, error) {
	t, err := Parse("test", source)
	if err != nil {
		return "", err
	}
	return t.Render(vars, july, limits)
}

// TestLanguage has what Python's Jinja2 prints, by its documentation.
func TestLanguage(t *testing.T) {
	vars := []Var{
		{"d", NewDict().Set("b", int64(1)).Set("items", "own").Set("<é>", NewList("x", nil, true, 2.5))},
		{"l", NewList(int64(3), int64(1), int64(2))},
		{"s", "  Hello, wörld  "},
	}
	for source, want := range map[string]string{
		`{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }}`: "3 -4 2 3.5 1024 0.5",
		`{{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' < 'c' }} {{ not 1 is none }}`:        "True True True True",
		`{{ 1 ~ 2 * 3 }} {{ 'a' if false }}|{{ 'a' if false else 'b' }}`:                  "16 |b",
		`{{ 'a' or 'b' }} {{ '' and 'b' }} {{ 1 is odd and 2 is even }}`:                  "a  True",
		`{{ d.b }} {{ d['items'] }} {{ d.items()|length }} {{ d['<é>'] }}`:                "1 own 3 ['x', None, True, 2.5]",
		`{{ d|tojson }}`: `{"b": 1, "items": "own", "<é>": ["x", null, true, 2.5]}`,
		`{{ {'a': []}|tojson(indent=1) }} {{ 'é"\n'|tojson(ensure_ascii=true) }}`:                                                                        "{\n \"a\": []\n} \"\\u00e9\\\"\\n\"",
		`{{ '😀'|tojson(ensure_ascii=true) }}{{ {'b': 1, 'a': 2}|tojson(sort_keys=true, separators=(',', ':')) }}`:                                        `"\ud83d\ude00"{"a":2,"b":1}`,
		`{{ nothing }}|{{ nothing.__class__ is defined if false else 0 }}|{{ nothing|length }}|{{ nothing|default('x') }}`:                               "|0|0|x",
		`{% for x in nothing %}a{% else %}none{% endfor %}`:                                                                                              "none",
		`{% for k, v in d|dictsort %}{{ k }}{{ loop.index }}{% if not loop.last %},{% endif %}{% endfor %}`:                                              "<é>1,b2,items3",
		`{{ l|sort|join(',') }} {{ l[::-1] }} {{ l[-1] }} {{ l[5] is defined }} {{ l|max }} {{ l|sum }}`:                                                 "1,2,3 [2, 1, 3] 2 False 3 6",
		`[{{ s|trim }}][{{ s.strip().split(', ')[1][1] }}][{{ s.upper().strip() }}][{{ s.find('w') }}]`:                                                  "[Hello, wörld][ö][HELLO, WÖRLD][9]",
		`{{ 'a b  c'.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a '.split(' ') }}`:                                         "['a', 'b', 'c'] ['a', 'b,c'] ['a,b', 'c'] ['', 'a', '']",
		`{{ 'aXbXc'.replace('X', '-') }} {{ 'aXbXc'.replace('X', '-', 1) }} {{ 'aaa'|replace('a', 'b', 2) }}`:                                            "a-b-c a-bXc bba",
		`{% set ns = namespace(n=1) %}{% for x in l %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}`:                                                   "7",
		`{% set x = 1 %}{% for i in l %}{% set x = 2 %}{% endfor %}{{ x }}{% if true %}{% set x = 3 %}{% endif %}{{ x }}`:                                "13",
		`{% macro m(a, b='B') %}{{ a }}{{ b }}{{ caller() if caller }}{% endmacro %}{{ m('x') }}{% call m(1, b=2) %}in{% endcall %}{{ m(*['p', 'q']) }}`: "xB12inpq",
		`{% set x | upper %}a{{ 1 }}{% endset %}{{ x }}{% filter lower %}AB{% endfilter %}`:                                                              "A1ab",
		`{% for i in range(9) %}{% if i is even %}{% continue %}{% endif %}{% if i > 6 %}{% break %}{% endif %}{{ i }}{% endfor %}`:                      "135",
		"a\n  {% if true %}\nb\n  {%- endif %}\nc":                                                                                                       "a\nbc",
		"{# x #}\na {#- y -#} b\n":                                    "ab",
		"{% raw %}{{ x }}{% endraw %}\n{{ 'k' }}\n\n":                 "{{ x }}k\n",
		`{{ strftime_now('%d %b %Y') }} {{ strftime_now('%-m/%y') }}`: "26 Jul 2024 7/24",
		`{{ l|selectattr('x')|list }} {{ [{'x': 1}, {'x': 2}]|selectattr('x', 'gt', 1)|map(attribute='x')|list }} {{ l|map('string')|join }}`: "[] [2] 312",
		`{{ "it's" }} {{ ["it's", 'q"'] }} {{ (1,) }} {{ 1e20 }} {{ 0.1 }} {{ 5.0 }} {{ 1e-5 }}`:                                              `it's ["it's", 'q"'] (1,) 1e+20 0.1 5.0 1e-05`,
		`{% if l|select('gt', 5) %}a generator is true{% endif %}{{ l|select('gt', 5)|list }}`:                                                "a generator is true[]",
		`{% set g = l|map('string') %}{{ g|list|length }}{{ g|list|length }}`:                                                                 "30",
		`{{ '%s=%d (%.1f%%)' % ('a', 3, 2.25) }} {{ 'a\nb\n\nc'|indent(2) }}`:                                                                 "a=3 (2.2%) a\n  b\n\n  c",
		`{{ 'hello wOrld-x'|title }} {{ 'hello'|capitalize }} {{ '3.7'|int + '4'|int }} {{ 'x'|int(9) }}`:                                     "Hello World-X Hello 7 9",
		`{{ {'a': {'b': 'c'}}.a.b }}{{ 'ab'*2 }}{{ [1] + [2] }}{{ 'x' in 'xy' }}{{ 'b' not in d }}`:                                           "cabab[1, 2]TrueFalse",
	} {
		got, err := render(source, small, vars...)
		if err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", source, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for source, want := range map[string]string{
		`{% include 'x' %}`:                   "include",
		`{% import 'x' as y %}`:               "import",
		`{% extends 'x' %}`:                   "extends",
		`{% if x %}`:                          "endif",
		`{{ x`:                                "without end",
		`{{ x ] }}`:                           "unexpected",
		`{{ 'a }}`:                            "string without end",
		`{# a`:                                "comment without end",
		`{% raw %}`:                           "endraw",
		`{{ 1|nope }}`:                        `"nope"`,
		`{{ 1 is nope }}`:                     `"nope"`,
		`{{ nope() }}`:                        `"nope" is undefined`,
		`{{ nope.a }}`:                        `"nope" is undefined`,
		`{{ nope + 1 }}`:                      `"nope" is undefined`,
		`{{ 1 // 0 }}`:                        "zero",
		`{{ 9223372036854775807 + 1 }}`:       "64 bits",
		`{{ -9223372036854775807 - 2 }}`:      "64 bits",
		`{{ 3 ** 99 }}`:                       "64 bits",
		`{{ 99999999999999999999 }}`:          "64 bits",
		`{{ 'a' + 1 }}`:                       "str + int",
		`{{ [1]|map('upper') }}`:              "generator",
		`{{ [1].append(2) }}`:                 `"append" is undefined`,
		`{{ ''.__class__.x }}`:                `"__class__" is undefined`,
		"\n\n{{ raise_exception('no') }}":     "line 3: no",
		`{{ {[1]: 2} }}`:                      "key of a dict",
		`{% set x.y = 1 %}`:                   "namespace",
		`{% for a, b in [[1]] %}{% endfor %}`: "2 variables",
	} {
		if got, err := render(source, small); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want an error with %q", source, got, err, want)
		}
	}
	var raised *Raised
	if _, err := render(`{{ raise_exception('m') }}`, small); !errors.As(err, &raised) || raised.Message != "m" {
		t.Errorf("raise_exception: %v", err)
	}
}

// TestHostile has templates that would take memory or time without end.
func TestHostile(t *testing.T) {
	doubling := `{% set x = 'aaaaaaaaaaaaaaaa' %}` + strings.Repeat(`{% set x = x ~ x %}`, 60)
	sharing := `{% set x = [1] %}` + strings.Repeat(`{% set x = [x, x] %}`, 60)
	for name, source := range map[string]string{
		"nested loops":    `{% for a in range(99999999) %}{% for b in range(99999999) %}xxxxxxxxxxxxxxxx{% endfor %}{% endfor %}`,
		"range":           `{{ range(9999999999999)|list }}`,
		"range far":       `{{ range(-9223372036854775807, 9223372036854775807, 1)|length }}`,
		"repeat":          `{{ 'a' * 99999999999 }}`,
		"repeat twice":    `{{ ('a' * 9999999) * 9999999 }}`,
		"doubling":        doubling + `{{ x }}`,
		"doubling in one": `{% set x = 'a' * 9999 %}{{ x` + strings.Repeat(` ~ x`, 120) + ` }}`,
		"print shared":    sharing + `{{ x }}`,
		"json shared":     sharing + `{{ x|tojson }}`,
		"compare shared":  sharing + `{{ x == x }}`,
		"order shared":    sharing + `{{ x < x }}`,
		"recursion":       `{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}`,
		"fork bomb":       `{% macro m(n) %}{{ m(n) if n }}{{ m(n) if n }}{% endmacro %}{{ m(1) }}`,
		"wide calls":      `{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(40) }}`,
		"namespace cycle": `{% set n = namespace() %}{% set n.x = [n] %}{% for i in range(99999) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x == n.x }}`,
		"replace":         `{{ ('a' * 9999).replace('a', 'b' * 9999) }}`,
		"replace empty":   `{{ ('a' * 9999).replace('', 'b' * 9999) }}`,
		"join":            `{{ range(9999)|join('a' * 9999) }}`,
		"indent":          `{{ ('\n' * 9999)|indent(99999, blank=true) }}`,
		"json indent":     `{{ [[[[1]]]]|tojson(indent=99999999) }}`,
		"list of text":    `{{ ('a' * 999999)|list|length }}`,
		"searching":       `{% set x = 'a' * 99999 %}{% for i in range(9999) %}{% set y = 'b' in x %}{% endfor %}`,
		"splitting":       `{% set x = 'a ' * 9999 %}{% for i in range(9999) %}{% set y = x.split() %}{% endfor %}`,
		"stripping":       `{% set x = 'a' * 99999 %}{% for i in range(9999) %}{% set y = x.strip('b') %}{% endfor %}`,
		"power":           `{{ 1.0000001 ** 2 ** 62 }}{% for i in range(99999999) %}{{ 1 ** i }}{% endfor %}`,
		"parentheses":     `{{ ` + strings.Repeat("(", 50000) + `1` + strings.Repeat(")", 50000) + ` }}`,
		"nots":            `{{ ` + strings.Repeat("not ", 50000) + ` 1 }}`,
		"signs":           `{{ ` + strings.Repeat("-", 100000) + ` 1 }}`,
		"lists":           `{{ ` + strings.Repeat("[", 50000) + strings.Repeat("]", 50000) + ` }}`,
		"conditions":      `{{ ` + strings.Repeat("1 if 1 else ", 20000) + ` 1 }}`,
		"sum":             `{{ 1` + strings.Repeat("+1", 100000) + ` }}`,
		"attributes":      `{{ x` + strings.Repeat(".x", 100000) + ` }}`,
		"filters":         `{{ x` + strings.Repeat("|e", 100000) + ` }}`,
		"blocks":          strings.Repeat("{% if 1 %}", 20000) + strings.Repeat("{% endif %}", 1000),
		"source":          strings.Repeat("a", maxSource+1),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := render(source, small)
			if !errors.Is(err, ErrLimit) {
				t.Errorf("%d bytes, %v; want a limit", len(got), err)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	for source, want := range map[string]string{
		`{% if pad %}{{ pad }}{% endif %}{{ pad is defined }}{{ pad|default('x') }}`: "Falsex",
		`{{ pad }}`:                       "error",
		`{{ 'a' ~ pad }}`:                 "error",
		`{% set x = pad %}{{ x }}`:        "error",
		`{{ [pad|string] }}`:              "error",
		`{{ pad|trim }}`:                  "error",
		`{{ ['a', pad]|join }}`:           "error",
		`{{ '%s' % pad }}{{ pad + 'a' }}`: "error",
	} {
		got, err := render(source, small, Var{"pad", Missing{}})
		if want == "error" && (err == nil || !strings.Contains(err.Error(), `"pad" is`)) || want != "error" && (err != nil || got != want) {
			t.Errorf("%s: %q, %v; want %s", source, got, err, want)
		}
	}
}

func TestTimeLimit(t *testing.T) {
	limits := Limits{Steps: 1 << 60, Bytes: 1 << 60, Depth: 100, Time: time.Millisecond}
	if _, err := render(`{% for a in range(99999) %}{% for b in range(99999) %}{% set x = a %}{% endfor %}{% endfor %}`, limits); !errors.Is(err, ErrLimit) {
		t.Errorf("%v; want a limit", err)
	}
}

func FuzzRender(f *testing.F) {
	for _, s := range []string{
		`{% for m in messages %}{{ m['role'] ~ ': ' + m.content|trim }}{% endfor %}`,
		`{%- set ns = namespace(x=1) -%}{% macro f(a, b=2) %}{{ a|tojson(indent=2) }}{% endmacro %}{{ f(ns.x) }}`,
		`{% raw %}x{% endraw %}{# c #}{{ messages[::-1][0:1] }}{{ '%5.2f' % 2.5 }}`,
		`{% call(x) f() %}{% endcall %}{{ 'a b'.split()|map('upper')|join(',') }}{{ -1 ** 2 // 3 % 2 }}`,
		`{{ 1 if 2 is divisibleby 2 else 3 }}{{ "\u00e9" is string }}`,
	} {
		f.Add(s)
	}
	messages := NewList(NewDict().Set("role", "user").Set("content", " é x \n"))
	f.Fuzz(func(t *testing.T, source string) {
		out, err := render(source, small, Var{"messages", messages})
		if err != nil && strings.Contains(err.Error(), "internal error") {
			t.Error(err)
		}
		if int64(len(out)) > small.Bytes {
			t.Errorf("%d bytes", len(out))
		}
		again, err2 := render(source, small, Var{"messages", messages})
		if again != out || (err == nil) != (err2 == nil) {
			t.Errorf("%q, %v; then %q, %v", out, err, again, err2)
		}
	})
}
