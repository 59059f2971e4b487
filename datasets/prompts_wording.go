package datasets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// texts are the texts of a wording; nil where nothing is said.
type texts struct {
	Instruction   *string `json:"instruction"`
	Separator     *string `json:"separator"`
	Question      *string `json:"question"`
	Followup      *string `json:"followup"`
	Start         *string `json:"start"`
	FollowupStart *string `json:"followup_start"`
	Gold          *string `json:"gold"`
	Between       *string `json:"between"`
}

// wording is the texts of a task, and what differs where.
type wording struct {
	texts
	Plain        *texts `json:"plain"`
	Own          *texts `json:"own"`
	MultiTurn    *texts `json:"multi-turn"`
	MultiRequest *texts `json:"multi-request"`
	SingleTurn   *texts `json:"single-turn"`
}

// apply lets what t says win.
func (f *texts) apply(t texts) {
	mine, theirs := f.list(), t.list()
	for i, text := range theirs {
		if *text.text != nil {
			*mine[i].text = *text.text
		}
	}
}

type namedText struct {
	name string
	text **string
}

func (f *texts) list() []namedText {
	return []namedText{{"instruction", &f.Instruction}, {"separator", &f.Separator}, {"question", &f.Question}, {"followup", &f.Followup},
		{"start", &f.Start}, {"followup_start", &f.FollowupStart}, {"gold", &f.Gold}, {"between", &f.Between}}
}

// at is what w says in a setting.
func (w wording) at(s Setting) texts {
	f := w.texts
	for _, o := range []struct {
		holds bool
		texts *texts
	}{
		{s.Plain, w.Plain}, {s.Own, w.Own}, {s.Mode == "multi-turn", w.MultiTurn}, {s.Mode == "multi-request", w.MultiRequest}, {s.Mode == "single-turn", w.SingleTurn},
	} {
		if o.holds && o.texts != nil {
			f.apply(*o.texts)
		}
	}
	return f
}

// check refuses placeholders that do not exist, and those that cannot be filled where they stand.
func (w wording) check(path string) error {
	for _, o := range []struct {
		name  string
		texts *texts
	}{
		{"", &w.texts}, {".plain", w.Plain}, {".own", w.Own}, {".multi-turn", w.MultiTurn}, {".multi-request", w.MultiRequest}, {".single-turn", w.SingleTurn},
	} {
		if o.texts == nil {
			continue
		}
		for _, t := range o.texts.list() {
			if *t.text == nil {
				continue
			}
			_, err := fill(**t.text, func(name string) (string, error) { return "", placeholder(t.name, name) })
			if err != nil {
				return fmt.Errorf("field %s%s.%s: %w", path, o.name, t.name, err)
			}
		}
	}
	return nil
}

// placeholder says whether {name} may stand in a text.
func placeholder(text, name string) error {
	whole := []string{"first.input", "first.ask", "last.input", "last.ask"} // known wherever a prompt is
	turn := append([]string{"input", "ask"}, whole...)
	for i := range 10 {
		turn = append(turn, "option"+strconv.Itoa(i))
	}
	known := turn
	switch text {
	case "instruction":
		known = whole
	case "separator", "between":
		return fmt.Errorf("{%s} cannot stand here: this text is the same for all questions; write braces twice", name)
	case "gold":
		known = append(turn, "answer")
	}
	if !slices.Contains(known, name) {
		return fmt.Errorf("there is no {%s} here; there is {%s}; write braces twice", name, strings.Join(known, "}, {"))
	}
	return nil
}

// fill replaces every {name} of a text.
func fill(text string, value func(name string) (string, error)) (string, error) {
	var b strings.Builder
	for {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			b.WriteString(text)
			return b.String(), nil
		}
		b.WriteString(text[:i])
		switch rest := text[i:]; {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			b.WriteByte(rest[0])
			text = rest[2:]
		default:
			name, after, ok := strings.Cut(rest[1:], "}")
			if rest[0] == '}' || !ok {
				return "", fmt.Errorf("a brace stands alone; write braces twice")
			}
			v, err := value(name)
			if err != nil {
				return "", err
			}
			b.WriteString(v)
			text = after
		}
	}
}

// Setting is where a prompt stands.
type Setting struct {
	Mode  string // multi-turn, multi-request or single-turn
	Plain bool   // there is no chat template
	Own   bool   // the model's own answers are the history
	First int    // the turn that the prompt asks first; in single-turn mode the only one
}

// Worded is an example put into words.
type Worded struct {
	task  *Task
	e     Example
	first int
	says  texts
}

// Word puts an example into words; its texts are made when they are asked for.
func (p *Prompts) Word(t *Task, e Example, s Setting) Worded {
	return Worded{t, e, s.First, p.form(t, s, e.Profile)}
}

// form is what is said of a task otherwise than it says itself.
func (p *Prompts) form(t *Task, s Setting, profile string) texts {
	var f texts
	if p == nil {
		return f
	}
	f = p.common.at(s)
	own, worded := p.tasks[t.Name]
	if !worded && p.strict && t.Name == MF.Name && profile != MiniProfile {
		own = strictMF
	}
	f.apply(own.at(s))
	if f.Followup == nil {
		f.Followup = f.Question
	}
	return f
}

// Context is the text that all turns share, instruction included.
func (w Worded) Context() (string, error) {
	if w.says.Instruction == nil {
		return w.task.Context(w.e), nil
	}
	s, err := w.fill(*w.says.Instruction, w.first)
	return s + w.e.Context, err
}

// Separator stands between context and question.
func (w Worded) Separator() string { return w.constant(w.says.Separator) }

// Between stands between an answer and the next question, where there is no chat template.
func (w Worded) Between() string { return w.constant(w.says.Between) }

// constant is a text without placeholders; a blank line if nothing is said.
func (w Worded) constant(text *string) string {
	if text == nil {
		return "\n\n"
	}
	s, _ := fill(*text, nil) // check saw to it that there is none
	return s
}

// Ask is the question of turn i, and how its answer is made to start. later says that it follows an answer in the same conversation.
func (w Worded) Ask(i int, later bool) (question, start string, err error) {
	q, s := w.says.Question, w.says.Start
	if later {
		q, s = w.says.Followup, w.says.FollowupStart
	}
	question = w.task.Query(w.e, i)
	if q != nil {
		if question, err = w.fill(*q, i); err != nil {
			return "", "", err
		}
	}
	if s != nil {
		start, err = w.fill(*s, i)
	}
	return question, start, err
}

// Gold is the answer of turn i in a golden history.
func (w Worded) Gold(i int) (string, error) {
	if w.says.Gold == nil {
		return w.task.Gold(w.e.Turns[i]), nil
	}
	return w.fill(*w.says.Gold, i)
}

// fill fills in a text for turn i.
func (w Worded) fill(text string, i int) (string, error) {
	return fill(text, func(name string) (string, error) {
		t := w.e.Turns[i]
		if of, rest, ok := strings.Cut(name, "."); ok {
			name = rest
			if t = w.e.Turns[w.first]; of == "last" {
				t = w.e.Turns[len(w.e.Turns)-1]
			}
		}
		switch {
		case name == "input":
			return t.Input, nil
		case name == "ask":
			return asked(t.Input), nil
		case name == "answer":
			return w.task.Gold(t), nil
		}
		n, err := strconv.Atoi(strings.TrimPrefix(name, "option"))
		if err != nil || n >= len(t.Options) {
			return "", fmt.Errorf("turn %d of %s %s has %d options; the prompts want {%s}", i+1, w.task.Name, w.e.ID, len(t.Options), name)
		}
		return t.Options[n], nil
	})
}

// asked makes a question of what an input hints at: of "The largest number of the list is", "What is the largest number of the list?". An
// input without such a hint is its own question.
func asked(input string) string {
	lo, hi := strings.Index(input, "The "), strings.LastIndex(input, " is")
	if lo < 0 || hi < lo {
		return input
	}
	return "What is " + strings.ToLower(input[lo:hi]) + "?"
}
