package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/mapped"
	"scbench/stages/methods"
	"scbench/stages/models"
	"scbench/stages/models/safetensors"
	"scbench/stages/tokenizers"
)

// modelsCommand groups what concerns checkpoints.
type modelsCommand struct {
	List   modelsListCommand   `cmd:"" help:"List architectures: the same as scbench list models."`
	Show   modelsShowCommand   `cmd:"" help:"Say what a checkpoint is: its architecture and sizes, what its cache takes, which contexts fit this machine, how its prompts look. Reads no weights."`
	Check  modelsCheckCommand  `cmd:"" help:"Read a checkpoint whole and list all that is wrong with it: files, tensors, numbers, configuration, tokenizer, template. Exit code 2 if there is anything."`
	Logits modelsLogitsCommand `cmd:"" help:"Compute the logits of the next token for given token ids, to lay this engine beside another."`
	Random modelsRandomCommand `cmd:"" help:"Write a checkpoint of random weights of some size, for measuring."`
}

// modelsListCommand lists architectures.
type modelsListCommand struct{}

// Run prints the list.
func (modelsListCommand) Run(c console) error { return listCommand{What: "models"}.Run(c) }

// dirFlags are modelFlags whose folder may be given without its flag.
type dirFlags struct {
	Dir string `arg:"" optional:"" help:"Folder of a Hugging Face checkpoint, or a .gguf file; the embedded reference model by default." placeholder:"DIR|FILE"`
	modelFlags
}

// resolve makes the folder the model.
func (d *dirFlags) resolve() error {
	if d.Dir != "" && d.Model != "" {
		return fmt.Errorf("%s and --model %s: name one folder", d.Dir, d.Model)
	}
	if d.Dir != "" {
		d.Model = d.Dir
	}
	return nil
}

// modelsShowCommand shows a checkpoint.
type modelsShowCommand struct {
	dirFlags
	Method []string `short:"m" help:"Methods whose longest contexts are shown, as in run; some that differ by default." sep:" " placeholder:"SPEC"`
}

// differing are methods that differ in what a prompt takes with them at its largest: nothing beside the cache, a copy of some tokens or of
// all in fewer bits, and the prompt once more.
var differing = []string{"full", "snapkv:budget=4096", "kivi:bits=2|4", "kvzip:budget=4096"}

// Run prints what is known without reading weights.
func (m modelsShowCommand) Run(c console) error {
	if err := m.resolve(); err != nil {
		return err
	}
	o, err := m.look()
	if err != nil {
		return err
	}
	defer o.Close()
	rows, err := modelRows(o)
	if err != nil {
		return err
	}
	preview := "plain text: there is no chat template"
	if err := o.text(); err != nil {
		rows = append(rows, [2]string{"note", "not ready to run: " + outputs.Clean(err.Error())})
	} else {
		rows = append(rows, [2]string{"tokenizer", fmt.Sprintf("%d ids, %s", o.tokenizer.VocabSize(), o.tokenizer.Hash())})
	}
	if o.chat != nil {
		if preview, err = o.chat.Render([]tokenizers.Message{{Role: "user", Content: "What does the context say?"}}, true); err != nil {
			preview = "the template fails: " + err.Error()
		}
	}
	printRows(c.out, rows)
	fmt.Fprintln(c.out, "\nA prompt:")
	for line := range strings.Lines(preview) {
		fmt.Fprintf(c.out, "  | %s\n", outputs.Clean(strings.TrimRight(line, "\n")))
	}
	fmt.Fprintln(c.out)
	return m.longest(c, o)
}

// modelRows says what a model is, what it takes, and what fits.
func modelRows(o *opened) ([][2]string, error) {
	s, out := o.Shape(), o.outline
	room, from, err := o.flags.memory()
	if err != nil {
		return nil, err
	}
	precision := o.Precision.String()
	rows := [][2]string{
		{"model", fmt.Sprintf("%s, %s, vocabulary %d", outputs.Clean(strings.Join(o.Config.Architectures, " ")), layersText(o.Config.Layers, s), s.Vocab)},
		{"weights", fmt.Sprintf("%s parameters, %s of %s", countText(out.Params), bytesText(out.Stored), strings.Join(out.DTypes, ", "))},
		{"loaded", fmt.Sprintf("%s: %s packed for %s products, %s of embeddings, %s of vectors", bytesText(out.Memory.Sum()), bytesText(out.Memory.Packed), precision, bytesText(out.Memory.Mapped), bytesText(out.Memory.Values))},
	}
	free := room - o.fixed(0)
	if room > 0 {
		rows = append(rows, [2]string{"available", fmt.Sprintf("%s (%s), %s of it once the model is loaded", bytesText(room), from, bytesText(max(free, 0)))})
	}
	rows = append(rows, cacheRows(s, precision, o.outline.TokenBytes(o.Precision), max(free, 0))...)
	for _, note := range o.Notes() {
		rows = append(rows, [2]string{"note", outputs.Clean(note)})
	}
	return rows, nil
}

// printRows prints names and what is said of them.
func printRows(w io.Writer, rows [][2]string) {
	for _, r := range rows {
		fmt.Fprintf(w, "%-10s  %s\n", r[0], r[1])
	}
}

// countText writes a number of parameters for people.
func countText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f billion", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f million", float64(n)/1e6)
	}
	return fmt.Sprint(n)
}

// longest prints the longest contexts that fit, by precision and method.
func (m modelsShowCommand) longest(c console, o *opened) error {
	room, _, err := m.memory()
	if err != nil {
		return err
	}
	if o.Shape().Layers == 0 || room == 0 {
		return nil // no limit to speak of, or none known
	}
	specs, given := m.Method, len(m.Method) > 0
	if !given {
		specs = differing
	}
	if specs, err = expand(specs); err != nil {
		return err
	}
	header, cells := []string{"longest context"}, make([][]string, len(specs))
	for _, p := range kernels.Precisions() {
		flags := m.modelFlags
		flags.Precision = p.String()
		outline, err := flags.survey()
		if err != nil {
			return err
		}
		header = append(header, fmt.Sprintf("%s, %s a token", p, bytesText(outline.TokenBytes(p))))
		at := opened{Loaded: &models.Loaded{Model: unloaded{outline.Shape}, Precision: p}, outline: outline, flags: flags}
		for i, spec := range specs {
			n, err := at.longest(spec, room)
			if err != nil && given {
				return fmt.Errorf("--method: %w", err)
			}
			if err != nil {
				n = "not for this model"
			}
			cells[i] = append(cells[i], n)
		}
	}
	return table(c.out, func(w io.Writer) {
		fmt.Fprintln(w, strings.Join(header, "\t"))
		for i, spec := range specs {
			fmt.Fprintf(w, "%s\t%s\n", spec, strings.Join(cells[i], "\t"))
		}
	})
}

// longest is the longest context that fits in room under a method.
func (o *opened) longest(spec string, room int64) (string, error) {
	s := o.Shape()
	policy, err := methods.Parse(spec, s)
	if err != nil {
		return "", err
	}
	r := stages.Room{Shape: s, Store: kv.NewStore(nil, o.PageFormat(), s.Dim, 0)}
	n := r.Longest(&policy, room, s.MaxTokens+1, o.fixed)
	if n == s.MaxTokens {
		return fmt.Sprintf("%d, all that the model was made for", n), nil
	}
	return fmt.Sprintf("%d of %d", n, s.MaxTokens), nil
}

// dense is what full attention's cache of n tokens takes.
func (o *opened) dense(n int) int64 {
	return stages.Room{Shape: o.Shape(), Store: kv.NewStore(nil, o.PageFormat(), o.Shape().Dim, 0)}.Prompt(&engine.Policy{}, n)
}

// modelsCheckCommand checks a checkpoint.
type modelsCheckCommand struct{ dirFlags }

// Run prints what was found; an error if anything is wrong.
func (m modelsCheckCommand) Run(c console) error {
	if err := m.resolve(); err != nil {
		return err
	}
	if m.Model == "" {
		return errors.New("models check: give the folder of a checkpoint; the embedded one is checked by the tests")
	}
	choice, err := m.choice()
	if err != nil {
		return err
	}
	pool := kernels.NewPool(m.Threads)
	defer pool.Close()
	outline, faults := models.Check(m.Model, pool, choice)
	vocab := 0
	if outline != nil {
		vocab = outline.Shape.Vocab
		fmt.Fprintf(c.out, "ok  %s: %s parameters, %s of %s, all of them numbers\n", outputs.Clean(outline.Architecture.Name), countText(outline.Params), bytesText(outline.Stored), strings.Join(outline.DTypes, ", "))
		for _, note := range outline.Notes {
			fmt.Fprintf(c.out, "note  %s\n", outputs.Clean(note))
		}
	}
	faults = append(faults, m.checkText(c, vocab)...)
	if len(faults) == 0 {
		return nil
	}
	for _, f := range faults {
		fmt.Fprintf(c.err, "fault: %s\n", strings.ReplaceAll(outputs.Clean(f.Error()), "\n", " "))
	}
	return fmt.Errorf("%s: %d faults", m.Model, len(faults))
}

// checkText loads tokenizer and template.
func (m modelsCheckCommand) checkText(c console, vocab int) (faults []error) {
	t, err := m.tokenizer()
	switch {
	case err != nil:
		faults = append(faults, err)
	case vocab > 0 && t.VocabSize() > vocab:
		faults = append(faults, fmt.Errorf("the tokenizer has ids up to %d, the model a vocabulary of %d: they do not belong together", t.VocabSize()-1, vocab))
	default:
		fmt.Fprintf(c.out, "ok  tokenizer of %d ids\n", t.VocabSize())
	}
	chat, err := m.template()
	if err == nil && chat != nil {
		_, err = chat.Render([]tokenizers.Message{{Role: "user", Content: "x"}}, true)
	}
	switch {
	case err != nil:
		faults = append(faults, fmt.Errorf("chat template: %w", err))
	case chat == nil:
		fmt.Fprintln(c.out, "note  no chat template: prompts are plain text")
	default:
		fmt.Fprintln(c.out, "ok  chat template")
	}
	return faults
}

// named says of an error of reading a text file of the checkpoint that the file is of another kind altogether, if it is.
func (f modelFlags) named(err error, name string) error {
	if err == nil {
		return nil
	}
	file, _, ferr := mapped.Regular(filepath.Join(f.Model, name))
	if ferr != nil {
		return err
	}
	defer file.Close()
	begin, _ := io.ReadAll(io.LimitReader(file, 256))
	if what := safetensors.Foreign(begin); what != "" {
		return fmt.Errorf("%s is no JSON but %s", file.Name(), what)
	}
	return err
}

// modelsRandomCommand writes random checkpoints.
type modelsRandomCommand struct {
	Dir   string `arg:"" help:"Folder to write, which must be empty or not exist." placeholder:"DIR"`
	Shape string `help:"Size, of those that bench knows: 1b, for example." default:"1b"`
}

// Run writes one.
func (m modelsRandomCommand) Run(c console) error {
	s, err := models.FindShape(m.Shape)
	if err != nil {
		return fmt.Errorf("--shape: %w", err)
	}
	pool := kernels.NewPool(0)
	defer pool.Close()
	if err := models.WriteRandom(m.Dir, s, pool); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s  %s parameters, bf16, random; its tokenizer is that of the embedded model\n", m.Dir, countText(s.Params()))
	return nil
}

// layersText says what layers a model has.
func layersText(layers int, s engine.Shape) string {
	text := fmt.Sprintf("%d layers", layers)
	if s.State > 0 {
		text += fmt.Sprintf(", %d of them recurrent", layers-s.Layers)
	}
	if s.Layers > 0 {
		text += fmt.Sprintf(", %d query heads, %d KV heads of %d", s.Heads, s.KVHeads, s.Dim)
	}
	return text
}
