package datasets

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/zeebo/blake3"
)

// Prompts words tasks otherwise than they word themselves: another wording set, read from a file. The nil *Prompts is the tasks' own.
//
// The file is one JSON object:
//
//	version  1
//	name     what the set is called; results record it with the file's hash
//	doc      for people; optional
//	common   a wording for all tasks; optional
//	tasks    wordings by name of task, in which what is not said is as in common, and else as the task has it
//
// A wording has these texts, all optional:
//
//	instruction     stands before the context
//	separator       stands between context and question; a blank line
//	question        the question that follows the context, and every question of the multi-request mode
//	followup        a later question of a conversation; as question
//	start           stands where the answer to question begins: the model goes on from there, and only what it adds is judged
//	followup_start  the same after followup
//	gold            an answer as it stands in a golden history
//	between         plain text only: stands between an answer and the next question; a blank line
//
// and, again as objects of such texts, what differs without a chat template (plain), with the model's own answers as history (own), and in one
// mode (multi-turn, multi-request, single-turn); of these the later in this list wins. In all of them {…} stands for a text of the
// example:
//
//	{input}                       the question of this turn as the data has it
//	{ask}                         what that asks for, as a question: of "… The largest number is", "What is the largest number?"
//	{option0} … {option9}         the options of this turn
//	{first.input}, {first.ask}    the same of the turn that the prompt asks first
//	{last.input}, {last.ask}      the same of the example's last turn
//	{answer}                      in gold: the gold answer
//
// Braces are written twice. So Math.Find, whose published context begins with its first question and whose later ones repeat that of the last,
// can be worded as published, and so can En.MultiChoice, whose follow-ups end otherwise without a chat template.
type Prompts struct {
	Name string // as the file says
	Hash string // BLAKE3 of the file, and of what Strict adds

	common wording
	tasks  map[string]wording // looked up, never iterated
	strict bool               // Strict made it
}

// maxPrompts is the most bytes of a prompts file.
const maxPrompts = 1 << 20

// ReadPrompts reads a wording set. What the schema does not know is refused; the error names file, task and field.
func ReadPrompts(path string) (*Prompts, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPrompts {
		return nil, fmt.Errorf("%s: prompts are a JSON file of at most %d bytes", path, maxPrompts)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := parsePrompts(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func parsePrompts(text []byte) (*Prompts, error) {
	rec, err := parseObject(text) // refuses what encoding/json would pass over: a key twice, bad UTF-8
	if err == nil {
		err = lowerKeys(rec)
	}
	if err != nil {
		return nil, err
	}
	var file struct {
		Version int                `json:"version"`
		Name    string             `json:"name"`
		Doc     string             `json:"doc"`
		Common  wording            `json:"common"`
		Tasks   map[string]wording `json:"tasks"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("not a wording set: %w", err)
	}
	switch {
	case file.Version != 1:
		return nil, fmt.Errorf("field version: want 1, have %d", file.Version)
	case file.Name == "":
		return nil, fmt.Errorf("field name: give the set a name")
	}
	sum := blake3.Sum256(text)
	p := &Prompts{Name: file.Name, Hash: hex.EncodeToString(sum[:]), common: file.Common, tasks: map[string]wording{}}
	if err := p.common.check("common"); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(file.Tasks))
	for name := range file.Tasks {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		task, err := Find(name)
		if err != nil {
			return nil, fmt.Errorf("field tasks: %w", err)
		}
		w := file.Tasks[name]
		if err := w.check("tasks." + name); err != nil {
			return nil, err
		}
		if _, twice := p.tasks[task.Name]; twice {
			return nil, fmt.Errorf("field tasks.%s: task %s is worded twice", name, task.Name)
		}
		p.tasks[task.Name] = w
	}
	return p, nil
}

// lowerKeys refuses keys in capitals, which encoding/json would take for others.
func lowerKeys(rec record) error {
	for _, f := range rec {
		if f.name != strings.ToLower(f.name) {
			return fmt.Errorf("field %q is not known; names are in lower case", f.name)
		}
		if inner, ok := f.value.(record); ok {
			if err := lowerKeys(inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// Strict is p, or the tasks' own wording if p is nil, with what the reference gives away in Math.Find, unless p words that task
// itself: there the context begins with the first question, in multi-request mode too, where no method should know a question yet, and
// in a chat every later question is preceded by the last one's. Examples of the mini profile stay as they are.
func Strict(p *Prompts) *Prompts {
	out := &Prompts{Name: "strict", strict: true, tasks: map[string]wording{}}
	if p != nil {
		*out = *p
		out.Name, out.strict = p.Name+"+strict", true
	}
	sum := blake3.Sum256([]byte("strict 1 " + out.Hash))
	out.Hash = hex.EncodeToString(sum[:])
	return out
}

// strictMF is Math.Find as the reference puts it; every word of it is made from the data.
var strictMF = wording{
	texts:        texts{Instruction: say("{first.ask}\n\n"), Question: say("{input}"), Followup: say("{last.ask}\n\n{input}")},
	Plain:        &texts{Followup: say("{ask}\n\n{input}")},
	MultiRequest: &texts{Instruction: say("{first.input}\n\n"), Question: say("{ask}\n\n{input}")},
}

func say(s string) *string { return &s }

// Leaks lists the tasks, in the order of All, in which the context of the multi-request mode tells a question, so that a method that
// compresses it may keep what that asks for.
func (p *Prompts) Leaks() (tasks []string) {
	if p == nil {
		return nil
	}
	for _, t := range All {
		for _, plain := range []bool{false, true} {
			f := p.form(&t, Setting{Mode: "multi-request", Plain: plain}, "")
			if f.Instruction != nil && strings.Contains(strings.ReplaceAll(*f.Instruction, "{{", ""), "{") {
				tasks = append(tasks, t.Name)
				break
			}
		}
	}
	return tasks
}
