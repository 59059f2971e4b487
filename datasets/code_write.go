package datasets

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"scbench/datasets/metric"
)

// dialect is how a language writes the functions of the generated world.
type dialect struct {
	name, ext, comment, indent string
	camel                      bool                                                // fooBar, not foo_bar
	end                        string                                              // of a statement
	declare                    string                                              // a new variable {v}
	access                     string                                              // of a field: what stands behind its name
	loop                       string                                              // over a list: {Type}, {item}, {item}s
	signature                  string                                              // {name}, {Type}, {item}s
	inside                     int                                                 // depth of a function in its file
	head                       func(folder, record string, fields []string) string // of a file
	tail                       string
}

// dialects are in the order of metric.Languages.
var dialects = []dialect{
	{name: metric.Languages[0], ext: "py", comment: "#", indent: "    ", declare: "{v} = ", loop: "for {item} in {item}s:", signature: "def {name}({item}s, limit):", head: headPython},
	{name: metric.Languages[1], ext: "java", comment: "//", indent: "    ", camel: true, end: ";", declare: "long {v} = ", access: "()", loop: "for ({Type} {item} : {item}s) {",
		signature: "static long {name}(List<{Type}> {item}s, long limit) {", inside: 1, head: headJava, tail: "}\n"},
	{name: metric.Languages[2], ext: "ts", comment: "//", indent: "  ", camel: true, end: ";", declare: "let {v} = ", loop: "for (const {item} of {item}s) {",
		signature: "function {name}({item}s: {Type}[], limit: number): number {", head: headTypescript},
	{name: metric.Languages[3], ext: "rs", comment: "//", indent: "    ", end: ";", declare: "let mut {v}: i64 = ", loop: "for {item} in {item}s {",
		signature: "pub fn {name}({item}s: &[{Type}], limit: i64) -> i64 {", head: headRust},
	{name: metric.Languages[4], ext: "cpp", comment: "//", indent: "    ", end: ";", declare: "long {v} = ", loop: "for (const {Type}& {item} : {item}s) {",
		signature: "long {name}(const std::vector<{Type}>& {item}s, long limit) {", head: headCpp},
	{name: metric.Languages[5], ext: "go", comment: "//", indent: "\t", camel: true, declare: "{v} := ", loop: "for _, {item} := range {item}s {",
		signature: "func {name}({item}s []{Type}, limit int) int {", head: headGo},
}

// routine is a function of a generated repository: what it does and what it is called.
type routine struct {
	work
	name         []string // verb, adjective, noun
	result, step string
}

func newRoutine(r *rand.Rand, w work, name string) routine {
	return routine{w, strings.Split(name, " "), pick(r, codeResults), pick(r, codeSteps)}
}

// identifier writes words as the language does.
func (d dialect) identifier(words []string) string {
	if !d.camel {
		return strings.Join(words, "_")
	}
	name := words[0]
	for _, w := range words[1:] {
		name += title(w)
	}
	return name
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// function writes f; its first line is not indented, as a syntax tree has it.
func (d dialect) function(f routine) string {
	item := codeRecords[f.record]
	named := func(form string) string {
		return replaced(form, "{name}", d.identifier(f.name), "{item}", item, "{Type}", title(item))
	}
	declare := func(v string) string { return strings.Replace(d.declare, "{v}", v, 1) }
	field := func(i int) string { return item + "." + codeFields[i] + d.access }
	w := codeWriter{dialect: d}
	w.text.Grow(640)
	w.line(0, named(d.signature))
	w.line(1, declare(f.result), strconv.Itoa(f.start), d.end)
	w.line(1, named(d.loop))
	w.when(2, field(f.b), comparisons[f.compare].code, fmt.Sprint(f.gate), "continue")
	w.line(2, declare(f.step), filled(terms[f.term].code, field(f.a), field(f.c), f.factor), d.end)
	if f.use == useEach {
		w.line(2, f.step, " += limit", d.end)
	}
	if f.cap > 0 {
		w.when(2, f.step, ">", fmt.Sprint(f.cap), fmt.Sprintf("%s = %d", f.step, f.cap))
	}
	switch f.fold {
	case 0:
		w.line(2, f.result, " += ", f.step, d.end)
	case 1:
		w.line(2, f.result, " -= ", f.step, d.end)
	default:
		w.when(2, f.step, []string{">", "<"}[f.fold-2], f.result, f.result+" = "+f.step)
	}
	if f.use == useStop {
		w.when(2, f.result, ">", "limit", "break")
	}
	w.close(1)
	switch f.use {
	case useAdd:
		w.line(1, f.result, " += limit", d.end)
	case useCut:
		w.when(1, f.result, ">", "limit", f.result+" = limit")
	}
	w.line(1, "return ", f.result, " ", fmt.Sprintf(finishes[f.finish].code, f.finisher), d.end)
	w.close(0)
	return strings.TrimSuffix(strings.TrimLeft(w.text.String(), " \t"), "\n")
}

// codeWriter writes lines in a dialect.
type codeWriter struct {
	dialect
	text strings.Builder
}

func (w *codeWriter) line(depth int, parts ...string) {
	for range depth + w.inside {
		w.text.WriteString(w.indent)
	}
	for _, p := range parts {
		w.text.WriteString(p)
	}
	w.text.WriteByte('\n')
}

func (w *codeWriter) close(depth int) {
	if w.name != "python" {
		w.line(depth, "}")
	}
}

// when writes a condition with one statement.
func (w *codeWriter) when(depth int, left, compare, right, then string) {
	if w.name == "typescript" && (compare == "==" || compare == "!=") {
		compare += "="
	}
	condition := left + " " + compare + " " + right
	switch w.name {
	case "python":
		w.line(depth, "if ", condition, ":")
	case "go", "rust":
		w.line(depth, "if ", condition, " {")
	default:
		w.line(depth, "if (", condition, ") {")
	}
	w.line(depth+1, then, w.end)
	w.close(depth)
}

func fieldLines(fields []string, form string) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, form, f)
	}
	return b.String()
}

func headPython(_, record string, fields []string) string {
	return "from dataclasses import dataclass\n\n\n@dataclass\nclass " + title(record) + ":\n" + fieldLines(fields, "    %s: int\n")
}

func headJava(folder, record string, fields []string) string {
	return "package " + folder + ";\n\nimport java.util.List;\n\nfinal class " + title(record) + "s {\n    record " + title(record) + "(" +
		strings.TrimSuffix(fieldLines(fields, "long %s, "), ", ") + ") {}\n"
}

func headTypescript(_, record string, fields []string) string {
	return "interface " + title(record) + " {\n" + fieldLines(fields, "  %s: number;\n") + "}\n"
}

func headRust(_, record string, fields []string) string {
	return "pub struct " + title(record) + " {\n" + fieldLines(fields, "    pub %s: i64,\n") + "}\n"
}

func headCpp(_, record string, fields []string) string {
	return "#include <vector>\n\nstruct " + title(record) + " {\n" + fieldLines(fields, "    long %s;\n") + "};\n"
}

func headGo(folder, record string, fields []string) string {
	return "package " + folder + "\n\ntype " + title(record) + " struct {\n" + fieldLines(fields, "\t%s int\n") + "}\n"
}
