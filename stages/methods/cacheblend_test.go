package methods

import (
	"slices"
	"strings"
	"testing"

	"scbench/stages/engine"
)

// TestBlendComposes wants methods that look at queries which CacheBlend does not compute to be refused, and others not.
func TestBlendComposes(t *testing.T) {
	for spec, want := range map[string]string{
		"cacheblend+snapkv":                         "",
		"cacheblend:last=64+snapkv:window=64+quest": "",
		"cacheblend+kivi":                           "",
		"kvzip+cacheblend":                          "",
		"cacheblend+snapkv:window=64":               "raise last",
		"h2o+cacheblend":                            "method h2o",
		"cacheblend+minference":                     "both decide",
		"cacheblend:ratio=1.5":                      "ratio=1.5",
		"cacheblend:check=2":                        "from 0 to 1",
	} {
		_, err := Parse(spec, conformanceShape)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", spec, err, want)
		}
	}
	still := conformanceShape
	still.Rotate = nil
	if _, err := Parse("cacheblend", still); err == nil || !strings.Contains(err.Error(), "rotary") {
		t.Errorf("a model without rotary embedding: error %v", err)
	}
}

// TestBlendChoice wants the share to be of all rows that have a chunk's values, those of the first chunk included, and ties to go to the
// lower row.
func TestBlendChoice(t *testing.T) {
	choose := policy(t, "cacheblend:ratio=0.25").Retrieve.Choose
	if got := choose([]float32{1, 3, 2, 3, 3, 0}, 6); !slices.Equal(got, []int32{1, 3, 4}) {
		t.Errorf("rows %v", got)
	}
	if got := choose([]float32{1, 2}, 20); !slices.Equal(got, []int32{0, 1}) {
		t.Errorf("rows %v, want both there are", got)
	}
}

// TestBlendCosts wants the prompt's costs to be those of its chunks and of the rows computed on top of them.
func TestBlendCosts(t *testing.T) {
	c := newChat(t, 1)
	p := c.policy("cacheblend:ratio=0.1,chunk=64,check=0,last=8")
	s := engine.NewSession(conformanceShape, c.store, p)
	defer s.Release()
	c.say(s, promptRows, 1)
	heads := int64(conformanceShape.Heads)
	fresh := int64(32 + 8) // a tenth of the 325 rows before the last eight, and those
	var want int64
	for lo := 0; lo < promptRows; lo += 64 { // chunks, in two layers
		n := int64(min(64, promptRows-lo))
		want += 2 * heads * n * (n + 1) / 2
	}
	if s.Cost.Rows != promptRows || s.Cost.Fresh != fresh || s.Cost.DenseCells != 2*heads*promptRows*(promptRows+1)/2 {
		t.Errorf("cost %+v, want %d of %d rows afresh", s.Cost, fresh, promptRows)
	}
	least, most := want+2*heads*fresh*64, want+2*heads*fresh*promptRows // each row reads, in both layers, up to itself
	if s.Cost.Cells <= least || s.Cost.Cells >= most {
		t.Errorf("%d cells, want between %d and %d", s.Cost.Cells, least, most)
	}
	var pages engine.Cost
	for _, c := range s.Pages {
		pages = pages.Add(c)
	}
	if pages != s.Cost {
		t.Errorf("pages cost %+v, the session %+v", pages, s.Cost)
	}
}
