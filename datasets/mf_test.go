package datasets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func solveMF(context, question string) string {
	var numbers []int
	if err := json.Unmarshal([]byte(context[strings.Index(context, "["):]), &numbers); err != nil {
		return err.Error()
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	if strings.Contains(question, "largest") {
		slices.Reverse(numbers)
	}
	switch {
	case strings.Contains(question, "second"):
		return fmt.Sprint(numbers[1])
	case strings.Contains(question, "third"):
		return fmt.Sprint(numbers[2])
	}
	return fmt.Sprint(numbers[0])
}

func TestMFPublished(t *testing.T) {
	tops, bottoms := map[string]bool{}, map[string]bool{}
	for seed := range uint64(10) {
		e, err := MF.Build(seeded(seed), Published)
		if err != nil {
			t.Fatal(err)
		}
		var numbers []int
		if err := json.Unmarshal([]byte(e.Context), &numbers); err != nil || len(numbers) != 30000 {
			t.Fatalf("%d numbers, %v", len(numbers), err)
		}
		if python := strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "); e.Context != python {
			t.Fatalf("context %.40q is not what Python writes, %.40q", e.Context, python)
		}
		if top, bottom := slices.Max(numbers), slices.Min(numbers); top < 790 || top > 999 || bottom < 0 || bottom > 209 {
			t.Errorf("numbers from %d to %d", bottom, top)
		}
		var asked []string
		for i, turn := range e.Turns {
			asked = append(asked, turn.Input)
			x := strings.TrimSuffix(strings.TrimPrefix(turn.Input, "You should answer with only one number, no other words. The "), " number of the list is")
			if got, want := MF.Query(e, i), "What is the "+x+" number of the list?\n\n"+turn.Input; got != want {
				t.Errorf("query %q, want %q", got, want)
			}
			switch x {
			case "largest":
				tops[turn.Answers[0]] = true
			case "smallest":
				bottoms[turn.Answers[0]] = true
			}
		}
		slices.Sort(asked)
		var want []string
		for _, x := range []string{"largest", "second largest", "second smallest", "smallest", "third largest", "third smallest"} {
			want = append(want, "You should answer with only one number, no other words. The "+x+" number of the list is")
		}
		if !slices.Equal(asked, want) {
			t.Errorf("asked %q", asked)
		}
	}
	if len(tops) < 5 || len(bottoms) < 5 {
		t.Errorf("the largest were %v and the smallest %v: too easy to guess", tops, bottoms)
	}
}

func TestMFMini(t *testing.T) {
	for turns, want := range map[int]int{0: 2, 1: 1, 2: 2, 3: 3, 4: 4, 9: 4} {
		e, err := MF.Mini(seeded(4), Size{Tokens: 256, Turns: turns})
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Turns) != want {
			t.Errorf("%d turns asked for: %d, want %d", turns, len(e.Turns), want)
		}
		if !strings.HasPrefix(e.Context, "Look at the list of numbers.\n\n[") {
			t.Errorf("context starts %.40q", e.Context)
		}
		for i, turn := range e.Turns {
			if MF.Query(e, i) != turn.Input || !strings.HasSuffix(turn.Input, "number in the list?") || len(turn.Answers[0]) != 4 {
				t.Errorf("query %q, turn %+v", MF.Query(e, i), turn)
			}
		}
	}
}
