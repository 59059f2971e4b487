package datasets

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestVariant(t *testing.T) {
	e := Example{ID: "kv-000001", Task: "kv"}
	for i := range 6 {
		e.Turns = append(e.Turns, Turn{Input: fmt.Sprint(i), Answers: []string{"a"}})
	}
	seed := func(n uint64) *uint64 { return &n }
	inputs := func(e Example) (s []string) {
		for _, t := range e.Turns {
			s = append(s, t.Input)
		}
		return s
	}
	for _, c := range []struct {
		v    Variant
		want []string
	}{
		{Variant{}, []string{"0", "1", "2", "3", "4", "5"}},
		{Variant{Turns: 2}, []string{"0", "1"}},
		{Variant{Turns: 9, Repeat: true}, []string{"0", "1", "2", "3", "4", "5", "0"}},
		{Variant{Turns: 1, Repeat: true}, []string{"0", "0"}},
	} {
		if got := inputs(c.v.Of(e)); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.v, got, c.want)
		}
		asked := c.v.Of(e)
		for i, turn := range asked.Turns {
			if place := asked.Place(i); e.Turns[place-1].Input != turn.Input {
				t.Errorf("%+v: turn %d says that it is question %d", c.v, i+1, place)
			}
		}
	}
	orders := map[string]bool{}
	for s := range uint64(20) {
		v := Variant{Turns: 4, Shuffle: seed(s), Repeat: true}
		asked := v.Of(e)
		for i, order := range v.Order(e) {
			if asked.Place(i) != order+1 {
				t.Fatalf("turn %d says that it is question %d, want %d", i+1, asked.Place(i), order+1)
			}
		}
		got := inputs(asked)
		if !slices.Equal(got, inputs(v.Of(e))) || len(got) != 5 || got[4] != got[0] {
			t.Fatalf("seed %d: %v", s, got)
		}
		orders[fmt.Sprint(got)] = true
		slices.Sort(got[:4])
		if !slices.Equal(got[:4], []string{"0", "1", "2", "3"}) {
			t.Errorf("seed %d asks %v", s, got)
		}
	}
	if len(orders) < 10 {
		t.Errorf("20 seeds have %d orders", len(orders))
	}
	other := e
	other.ID = "kv-000002"
	same := 0
	for s := range uint64(20) {
		if v := (Variant{Shuffle: seed(s)}); slices.Equal(v.Order(e), v.Order(other)) {
			same++
		}
	}
	if same > 3 {
		t.Errorf("two examples have one order for %d of 20 seeds", same)
	}
	if inputs(e)[0] != "0" || len(e.Turns) != 6 {
		t.Error("the example itself was changed")
	}
}

// TestEveryTaskForAnyWorkers builds sets of all tasks with one worker and with many: the same files.
func TestEveryTaskForAnyWorkers(t *testing.T) {
	for _, profile := range []string{"2k", "mini"} {
		tasks, _, err := Buildable(profile)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			var want []byte
			for _, workers := range []int{1, 8} {
				path := filepath.Join(t.TempDir(), "s.parquet")
				if _, err := Build(t.Context(), task, BuildOptions{Profile: profile, Seed: 7, Examples: 9, Workers: workers}, path); err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				} else if !bytes.Equal(got, want) {
					t.Errorf("%s %s: other bytes for %d workers", task.Name, profile, workers)
				}
			}
		}
	}
}
