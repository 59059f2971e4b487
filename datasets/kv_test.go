package datasets

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	quoted    = regexp.MustCompile(`"([^"]*)"`)
	uuidShape = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
)

func solveKV(context, question string) string {
	var object map[string]string
	if err := json.Unmarshal([]byte(context[strings.Index(context, "{"):]), &object); err != nil {
		return err.Error()
	}
	return object[quoted.FindStringSubmatch(question)[1]]
}

// TestKVBytes is the published format, whose byte counts the specification derives from the files.
func TestKVBytes(t *testing.T) {
	for seed := range uint64(20) {
		e, err := KV.Build(seeded(seed), Published)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Context) != 200011 || strings.Count(e.Context, `": "`) != 2500 || !strings.HasPrefix(e.Context, "JSON data:\n{\"") {
			t.Fatalf("context of %d bytes: %.40q…", len(e.Context), e.Context)
		}
		if len(e.Turns) != 5 {
			t.Fatalf("%d turns", len(e.Turns))
		}
		var fifths []int
		for _, turn := range e.Turns {
			key := quoted.FindStringSubmatch(turn.Input)[1]
			if want := "\nKey: \"" + key + "\"\nThe value associated with the specified key is: "; turn.Input != want || len(want) != 93 {
				t.Fatalf("input %q", turn.Input)
			}
			value, sp := turn.Answers[0], turn.Evidence[0]
			if !uuidShape.MatchString(key) || !uuidShape.MatchString(value) || e.Context[sp.Lo:sp.Hi] != value {
				t.Fatalf("key %q, value %q, evidence %q", key, value, e.Context[sp.Lo:sp.Hi])
			}
			fifths = append(fifths, (sp.Lo-50)/80/500)
		}
		slices.Sort(fifths)
		if !slices.Equal(fifths, []int{0, 1, 2, 3, 4}) {
			t.Fatalf("the pairs asked for lie in the fifths %v", fifths)
		}
	}
}

func TestKVMini(t *testing.T) {
	shape := regexp.MustCompile(`^(?:[0-9a-f]{8}:[0-9a-f]{8}|[0-9a-f-]{36}:[0-9a-f-]{36}|[a-z]+-[a-z]+-[1-9][0-9]:[1-9][0-9]{3})$`)
	seen := map[int]bool{}
	for seed := range uint64(30) {
		e, err := KV.Mini(seeded(seed), Size{Tokens: 500})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(e.Context, "Below is a JSON object that maps keys to values.\n\nJSON data:\n{\"") || !strings.HasSuffix(e.Context, "\"}") {
			t.Fatalf("context %q", e.Context)
		}
		for _, turn := range e.Turns {
			key := quoted.FindStringSubmatch(turn.Input)[1]
			if turn.Input != "Key: \""+key+"\"\nThe value associated with the specified key is:" || !shape.MatchString(key+":"+turn.Answers[0]) {
				t.Fatalf("input %q, answer %q", turn.Input, turn.Answers[0])
			}
			seen[len(turn.Answers[0])] = true
		}
	}
	if !seen[8] || !seen[36] || !seen[4] {
		t.Errorf("lengths of values seen: %v, want 8, 36 and 4", seen)
	}
}
