package engine

import (
	"slices"
	"strings"
	"testing"
)

func TestAmount(t *testing.T) {
	shape := Shape{TokenBytes: 2048}
	for value, want := range map[string]int{
		"1024": 1024, "1/8": 125, "12.5%": 125, "100%": 1000, "1/1": 1000, "64KiB": 32, "1MB": 488, "2048.5KiB": 1024, "1TiB": 1 << 29,
	} {
		a := Args{method: "m", shape: shape, value: map[string]string{"budget": value}, err: new(error)}
		if got := a.Amount("budget").Of(1000); got != want || a.Err() != nil {
			t.Errorf("%s of 1000 tokens of 2048 bytes is %d, want %d (%v)", value, got, want, a.Err())
		}
		if a.value["budget"] != value {
			t.Errorf("%s is spelled %s", value, a.value["budget"])
		}
	}
	for _, bad := range []string{"", "0", "-1", "x", "0%", "101%", "1/0", "3/2", "2KB", "NaNMiB", "-1GiB", "1e30TiB", "99999999999"} {
		a := Args{method: "m", shape: shape, value: map[string]string{"budget": bad}, err: new(error)}
		if a.Amount("budget"); a.Err() == nil || !strings.Contains(a.Err().Error(), "budget="+bad+": want ") {
			t.Errorf("%q: error %v", bad, a.Err())
		}
	}
}

func TestExpand(t *testing.T) {
	for spec, want := range map[string][]string{
		"full":                    {"full"},
		"snapkv:budget=1/8":       {"snapkv:budget=1/8"},
		"a:x=1|2,y=3|4":           {"a:x=1,y=3", "a:x=1,y=4", "a:x=2,y=3", "a:x=2,y=4"},
		"a:x=1|2+b":               {"a:x=1+b", "a:x=2+b"},
		"full|a|b:k=64MiB|12.5%":  {"full:k=64MiB", "full:k=12.5%", "a:k=64MiB", "a:k=12.5%", "b:k=64MiB", "b:k=12.5%"}, // methods share the settings that follow
		"a+b:file=/x/y=z,n=1|2|3": {"a+b:file=/x/y=z,n=1", "a+b:file=/x/y=z,n=2", "a+b:file=/x/y=z,n=3"},
	} {
		got, err := Expand(spec)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s stands for %v (%v), want %v", spec, got, err, want)
		}
	}
	for _, bad := range []string{"a:x=1|", "a:x=|2", "a:" + strings.Repeat("x=1|2,", 11)} {
		if got, err := Expand(bad); err == nil {
			t.Errorf("%s stands for %d methods", bad, len(got))
		}
	}
}
