package engine

import (
	"strings"
	"testing"

	"scbench/stages/kv"
)

var testMethods = []*Method{
	{Name: "gen", Params: []Param{{Name: "a", Default: "3"}, {Name: "b", Default: "x"}}, New: func(_ Shape, a Args) (Policy, error) {
		a.Int("a", 1)
		a.Choice("b", "x", "y")
		return Policy{Generate: func(int, Tile) Plan { return Plan{} }, WholePrompt: true, Window: 2, Budget: func(int) int { return 70 }}, nil
	}},
	{Name: "comp", Params: []Param{{Name: "budget", Default: "1/4"}}, New: func(_ Shape, a Args) (Policy, error) {
		b := a.Amount("budget")
		return Policy{Compress: func(int, *kv.Layer, kv.Window) kv.Edit { return kv.Edit{} }, Window: 8, Budget: b.Of}, nil
	}},
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ spec, name, err string }{
		{spec: "gen", name: "gen:a=3,b=x"},
		{spec: "gen:b=y", name: "gen:a=3,b=y"},
		{spec: "gen:b=y,a=12+comp", name: "gen:a=12,b=y+comp:budget=1/4"},
		{spec: " comp:budget=12.5%", name: "comp:budget=12.5%"},
		{spec: "nope", err: `there is no method "nope"; there are gen, comp`},
		{spec: "gen:c=1", err: `method gen has no setting "c=1"; it has a=3, b=x`},
		{spec: "gen:a", err: "setting a has no value"},
		{spec: "gen:a=007", name: "gen:a=7,b=x"},
		{spec: "gen:a=0", err: "method gen: a=0: want a whole number from 1 to 2147483647"},
		{spec: "gen:a=99999999999999", err: "want a whole number"},
		{spec: "gen:b=z", err: "b=z: want one of x, y"},
		{spec: "comp:budget=0", err: "budget=0: want tokens from 1 to"},
		{spec: "comp:budget=9/8", err: "want tokens from 1"},
		{spec: "comp:budget=NaN%", err: "want tokens from 1"},
		{spec: "comp+comp:budget=7", err: "methods comp:budget=1/4 and comp:budget=7 both decide what to compress"},
		{spec: "", err: `the name of a method is missing`},
	} {
		p, err := Parse(c.spec, testMethods, Shape{})
		switch {
		case c.err == "" && (err != nil || p.Name != c.name):
			t.Errorf("Parse(%q) = %q, %v; want %q", c.spec, p.Name, err, c.name)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("Parse(%q): error %v, want %q", c.spec, err, c.err)
		}
	}
}

func TestCompose(t *testing.T) {
	p, err := Parse("comp+gen:a=5", testMethods, Shape{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Generate == nil || p.Compress == nil || p.Window != 8 || !p.WholePrompt || p.Generation() != "gen:a=5,b=x" || len(p.Parts()) != 2 {
		t.Errorf("composed policy %+v", p)
	}
	if got := [2]int{p.Budget(100), p.Budget(1000)}; got != [2]int{25, 70} {
		t.Errorf("budgets %v, want the smaller of both", got)
	}
}
