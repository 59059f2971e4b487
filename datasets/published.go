package datasets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// publishedTask says in what the published rows of a task deviate from the common ones.
type publishedTask struct {
	name    string   // as Task.Name
	numbers bool     // answers are integers
	mixed   bool     // an answer may be an integer too
	options bool     // turns have options
	parts   []string // labels of the subtasks, as Turn.Part; nil: none
	code    bool     // turns, or those of a part, ask for functions of a repository
	levels  bool     // turns may have a label, whatever it be
}

// publishedTasks lists the twelve published configurations in the order of the paper's table, and after them the extra tasks, of which no rows
// were published; files of one's own in the shared schema can be imported for them.
var publishedTasks = []publishedTask{
	{name: "kv"},
	{name: "prefixsuffix"},
	{name: "vt"},
	{name: "repoqa", code: true},
	{name: "qaeng"},
	{name: "qachn"},
	{name: "choiceeng", options: true},
	{name: "mf", numbers: true},
	{name: "manyshot"},
	{name: "summary"},
	{name: "summarywithneedles", mixed: true, parts: []string{"summary", "passkey"}},
	{name: "repoqaandkv", code: true, parts: []string{"repoqa", "kv"}},
	{name: "passkey", mixed: true},
	{name: "kvcompressible", levels: true},
	{name: "hashhop"},
}

func publishedKind(task string) (publishedTask, error) {
	var names []string
	for _, k := range publishedTasks {
		if k.name == task {
			return k, nil
		}
		names = append(names, k.name)
	}
	return publishedTask{}, fmt.Errorf("import: there is no published data for task %q; published are %s", task, strings.Join(names, ", "))
}

func (n normaliser) example(at place, rec record) (e Example, err error) {
	from := "context"
	if _, ok := rec.get(from); !ok {
		if _, ok := rec.get("input"); ok {
			from = "input"
		}
	}
	v, _ := rec.get(from)
	if e.Context, err = contextOf(at.field(from), v); err != nil {
		return e, err
	}
	turns, _ := rec.get("multi_turns")
	if e.Turns, err = listOf(at.field("multi_turns"), turns, n.turn); err != nil {
		return e, err
	}
	if len(e.Turns) == 0 {
		return e, at.field("multi_turns").errorf("the list is empty, a session needs at least one turn")
	}
	used := []string{from, "multi_turns"}
	if n.kind.code {
		used = append(used, "lang", "repo")
		if err := n.addPools(at, rec, e.Turns); err != nil {
			return e, err
		}
	}
	n.count(rec, "", used...)
	e.Task = n.kind.name
	return e, nil
}

// contextOf reads a context; a list of numbers becomes the text that Python makes of it.
func contextOf(at place, v any) (string, error) {
	switch v := v.(type) {
	case string:
		if v == "" {
			return "", at.errorf("the text is empty")
		}
		return at.text(v)
	case []any:
		if len(v) == 0 {
			return "", at.errorf("the list is empty")
		}
		numbers, err := listOf(at, v, integerText)
		return "[" + strings.Join(numbers, ", ") + "]", err
	}
	return "", at.wrong("string or list of integers", v)
}

func integerText(at place, v any) (string, error) {
	i, err := at.integer(v)
	return strconv.Itoa(i), err
}

func (n normaliser) turn(at place, v any) (t Turn, err error) {
	rec, err := at.object(v)
	if err != nil {
		return t, err
	}
	used := []string{"input", "answer"}
	input, _ := rec.get("input")
	if t.Input, err = at.field("input").text(input); err != nil {
		return t, err
	}
	answer, _ := rec.get("answer")
	if t.Answers, err = n.answers(at.field("answer"), answer); err != nil {
		return t, err
	}
	if n.kind.options {
		used = append(used, "options")
		options, _ := rec.get("options")
		if t.Options, err = listOf(at.field("options"), options, place.text); err != nil {
			return t, err
		}
		switch n := len(t.Options); {
		case n < 2:
			return t, at.field("options").errorf("want at least two options, have %d", n)
		case n > maxOptions:
			return t, at.field("options").errorf("want at most %d options, have %d", maxOptions, n)
		case !slices.Contains(t.Options, t.Answers[0]):
			return t, at.field("answer").errorf("%q is none of the options", t.Answers[0])
		}
	}
	if n.kind.parts != nil {
		used = append(used, "task")
		label, _ := rec.get("task")
		if t.Part, err = n.part(at.field("task"), label); err != nil {
			return t, err
		}
	}
	if label, ok := rec.get("task"); ok && n.kind.levels {
		used = append(used, "task")
		if t.Part, err = at.field("task").text(label); err != nil {
			return t, err
		}
	}
	n.count(rec, "multi_turns[].", used...)
	return t, nil
}

func (n normaliser) answers(at place, v any) ([]string, error) {
	want := "string or list of strings"
	switch {
	case n.kind.numbers:
		want = "integer"
	case n.kind.mixed:
		want = "string, list of strings or integer"
	}
	switch list, isList := v.([]any); {
	case n.kind.numbers, n.kind.mixed && !isList:
		if s, err := integerText(at, v); err == nil {
			return []string{s}, nil
		}
		if n.kind.numbers {
			return nil, at.wrong(want, v)
		}
	case isList && len(list) == 0:
		return nil, at.errorf("the list is empty, a turn needs at least one answer")
	case isList:
		all, err := listOf(at, v, place.text)
		if err == nil && slices.Contains(all, "") {
			err = at.errorf("an answer is empty, which every answer would match")
		}
		return all, err
	}
	if _, ok := v.(string); !ok {
		return nil, at.wrong(want, v)
	}
	s, err := at.text(v)
	if err == nil && s == "" {
		err = at.errorf("the answer is empty, which every answer would match")
	}
	return []string{s}, err
}

func (n normaliser) part(at place, v any) (string, error) {
	label, err := at.text(v)
	if err != nil {
		return "", err
	}
	part := strings.TrimPrefix(label, "scbench_")
	if !slices.Contains(n.kind.parts, part) {
		return "", at.wrong("one of "+strings.Join(n.kind.parts, ", "), v)
	}
	return part, nil
}

// count notes the fields of rec that are there and not used.
func (n normaliser) count(rec record, prefix string, used ...string) {
	for _, f := range rec {
		if f.value != nil && !slices.Contains(used, f.name) {
			n.unused[prefix+f.name]++
		}
	}
}

// report lists the unused fields by path, as they can be printed.
func (n normaliser) report() []UnusedField {
	var out []UnusedField
	for path, count := range n.unused {
		out = append(out, UnusedField{printable(path), count})
	}
	slices.SortFunc(out, func(a, b UnusedField) int { return strings.Compare(a.Path, b.Path) })
	return out
}
