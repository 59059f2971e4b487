package datasets

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"scbench/datasets/metric"
)

// An independent reader of the generated repositories: it cuts the text at blank lines, reads from the code what a function does and from the
// description what is wanted, and compares.

// deed is what a function does, as a sentence of signs.
type deed struct {
	record, start, gate, term, cap, fold, use, finish string
}

// matched is what the first group of the pattern matches, "" without a match.
func matched(pattern, text string) string {
	if m := compiled(pattern).FindStringSubmatch(text); m != nil {
		return strings.Join(m[1:], " ")
	}
	return ""
}

var codePatterns = map[string]*regexp.Regexp{}

func compiled(pattern string) *regexp.Regexp {
	if codePatterns[pattern] == nil {
		codePatterns[pattern] = regexp.MustCompile("(?m)" + pattern)
	}
	return codePatterns[pattern]
}

// codeFunctions are the functions of a context, cut at blank lines.
func codeFunctions(context string) (all []string) {
	for _, chunk := range strings.Split(context, "\n\n") {
		chunk = strings.Trim(chunk, "\n")
		if !strings.Contains(chunk, "return ") || !strings.Contains(chunk, "limit") || !strings.Contains(chunk, "for ") {
			continue
		}
		if strings.HasPrefix(chunk, "    ") {
			chunk = strings.TrimSuffix(chunk, "\n}")
		}
		all = append(all, strings.TrimLeft(chunk, " "))
	}
	return all
}

// readCode tells what a function does.
func readCode(code string) (d deed) {
	plain := strings.NewReplacer(";", "", "()", "", "===", "==", "!==", "!=").Replace(code)
	d.record = matched(`for .*\b(\w+)s\)? ?[{:]$`, plain)
	d.start = matched(`= (\d+)$`, plain)
	d.gate = matched(`if \(?\w+\.(\w+) (<|>|==|!=) (\d+)`, plain)
	step, term := "", ""
	if m := compiled(`(\w+)(?:: i64)? :?= (\w+\.\w+ .*)$`).FindStringSubmatch(plain); m != nil {
		step, term = m[1], m[2]
	}
	d.term = compiled(`\w+\.`).ReplaceAllString(term, "")
	result := matched(`return (\w+) `, plain)
	d.cap = matched(`if \(?`+step+` > (\d+)`, plain)
	switch {
	case matched(`(`+result+` \+= `+step+`)$`, plain) != "":
		d.fold = "+"
	case matched(`(`+result+` -= `+step+`)$`, plain) != "":
		d.fold = "-"
	default:
		d.fold = matched(`if \(?`+step+` ([<>]) `+result, plain)
	}
	switch {
	case strings.Contains(plain, "break"):
		d.use = "stop"
	case strings.Contains(plain, step+" += limit"):
		d.use = "each"
	case strings.Contains(plain, result+" += limit"):
		d.use = "add"
	case strings.Contains(plain, result+" = limit"):
		d.use = "cut"
	}
	d.finish = matched(`return \w+ (.) (\d+)`, plain)
	return d
}

// readDescription tells what is wanted.
func readDescription(q string) (d deed) {
	d.record = matched(`2\. Input: A list of (\w+)s,`, q)
	d.start = matched(`begins at (\d+)`, q)
	d.gate = matched(` whose (\w+) is (below|above|equal to|other than) (\d+)`, q)
	d.gate = strings.NewReplacer(" below ", " < ", " above ", " > ", " equal to ", " == ", " other than ", " != ").Replace(d.gate)
	term := matched(` gives its ([^.]*)\.`, q)
	d.term = strings.NewReplacer(", plus its ", " + ", ", minus its ", " - ", ", plus ", " + ", " times its ", " * ", " times ", " * ", " plus ", " + ").Replace(term)
	if m := compiled(`^(\w+) \+ (\d+) \* (\w+)$`).FindStringSubmatch(d.term); m != nil {
		d.term = m[1] + " + " + m[3] + " * " + m[2]
	}
	d.cap = matched(`more than (\d+), it counts`, q)
	for _, s := range [][2]string{{"is added to the result.", "+"}, {"taken away from", "-"}, {"if that is larger", ">"}, {"if that is smaller", "<"}} {
		if strings.Contains(q, "gives "+s[0]) || s[1] != "+" && strings.Contains(q, s[0]) {
			d.fold = s[1]
		}
	}
	for _, s := range [][2]string{{"The walk ends once", "stop"}, {"input is added to what each", "each"}, {"input is added to the result", "add"}, {"is cut down to it", "cut"}} {
		if strings.Contains(q, s[0]) {
			d.use = s[1]
		}
	}
	d.finish = matched(`What comes back is (.*)\.`, q)
	d.finish = strings.NewReplacer("the remainder of the result divided by", "%", "the result times", "*", "the result plus", "+", "the result minus", "-").Replace(d.finish)
	return d
}

// solveRepoQA answers a turn of repoqa or repoqaandkv from the texts alone; without exactly one function that fits it says so.
func solveRepoQA(context, question string) string {
	if key := matched(`Key: "([^"]*)"`, question); key != "" {
		return matched(regexp.QuoteMeta(`"`+key+`": "`)+`([^"]*)"`, context)
	}
	want, found := readDescription(question), []string(nil)
	for _, f := range codeFunctions(context) {
		if readCode(f) == want {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		return fmt.Sprintf("%d functions fit %+v", len(found), want)
	}
	return found[0]
}

// solveRepoMini repeats the function that is named, or the value of a key.
func solveRepoMini(context, question string) string {
	if key := matched(`^Key: "([^"]*)"\n`, question); key != "" {
		return matched(`(?m)^// "`+key+`": "([^"]*)"$`, context)
	}
	name := matched(`^Repeat the function (\w+)\.$`, question)
	_, rest, _ := strings.Cut(context, "func "+name+"(")
	body, _, _ := strings.Cut(rest, "\n}")
	return "func " + name + "(" + body + "\n}"
}

// codeTasks have a generated repository as context.
var codeTasks = []Task{RepoQA, RepoQAAndKV}

// TestRepositories builds them at the lengths that matter: the length is right to 2 %, the functions that the scanner finds are those that are
// written, no two do the same, each description fits one, and none is named by its description.
func TestRepositories(t *testing.T) {
	for _, task := range codeTasks {
		for _, c := range []struct {
			tokens int
			seeds  uint64
			count  func(string) int
		}{{1000, 20, nil}, {1000, 20, split}, {4 << 10, 12, nil}, {4 << 10, 6, split}, {32 << 10, 3, nil}, {128 << 10, 1, nil}} {
			for seed := range c.seeds {
				s := Size{Tokens: c.tokens, Turns: 4, Count: c.count}
				e, err := task.Build(seeded(seed), s)
				if err != nil {
					t.Fatal(err)
				}
				if got := s.count(e.Context); abs(got-c.tokens)*50 > c.tokens {
					t.Errorf("%s: %d tokens, not %d", task.Name, got, c.tokens)
				}
				checkRepository(t, e)
			}
		}
	}
}

// TestRepositoriesMeetTheirLength wants the length right for many seeds, where functions differ in length and languages too.
func TestRepositoriesMeetTheirLength(t *testing.T) {
	for _, task := range codeTasks {
		for seed := range uint64(40) {
			s := Size{Tokens: 64 << 10}
			e, err := task.Build(seeded(seed), s)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.count(e.Context); abs(got-s.Tokens)*100 > s.Tokens {
				t.Errorf("%s, seed %d: %d tokens", task.Name, seed, got)
			}
		}
		for seed := range uint64(1000) { // where one function more or less is beyond the tolerance
			if _, err := task.Build(seeded(seed), Size{Tokens: 1200 + int(seed*7%1800), Turns: int(seed % 7)}); err != nil {
				t.Errorf("%s, seed %d: %v", task.Name, seed, err)
			}
		}
	}
}

func checkRepository(t *testing.T, e Example) {
	t.Helper()
	lang := poolOf(e.Turns[0]).Lang
	written := codeFunctions(e.Context)
	deeds := map[deed]bool{}
	for _, f := range written {
		deeds[readCode(f)] = true
	}
	if len(deeds) != len(written) {
		t.Errorf("%s: %d functions do %d different things", lang, len(written), len(deeds))
	}
	var found []string
	for _, f := range metric.Functions(e.Context, lang) {
		found = append(found, e.Context[f.Lo:f.Hi])
	}
	if !slices.Equal(found, written) {
		t.Errorf("%s: the scanner finds %d functions, %d are written", lang, len(found), len(written))
	}
	for i, turn := range e.Turns {
		if turn.Part == partKV {
			continue
		}
		if solveRepoQA(e.Context, turn.Input) != turn.Answers[0] {
			t.Errorf("%s: %s\nwhat fits is not %s", lang, turn.Input, turn.Answers[0])
		}
		if name := metric.Functions(turn.Answers[0], lang)[0].Name; strings.Contains(turn.Input, name) {
			t.Errorf("turn %d names %s", i, name)
		}
	}
}

// TestRepositoriesInAllLanguages wants every language, and the near-duplicates of each function to fail under fixed.
func TestRepositoriesInAllLanguages(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(40) {
		e, err := RepoQA.Build(seeded(seed), Size{Tokens: 8 << 10, Turns: 3})
		if err != nil {
			t.Fatal(err)
		}
		for _, turn := range e.Turns {
			p := poolOf(turn)
			seen[p.Lang] = true
			if len(p.Others) < 6 {
				t.Errorf("%d near-duplicates of three functions", len(p.Others))
			}
			for _, other := range append(p.Others, p.Asked...) {
				if got := RepoQA.Score("```\n"+other+"\n```", turn).Fixed; (got == 1) != (other == turn.Answers[0]) {
					t.Errorf("%s scores %v where gold is %s", other, got, turn.Answers[0])
				}
			}
		}
	}
	if len(seen) != len(metric.Languages) {
		t.Errorf("languages: %v", seen)
	}
}

func TestRepositoryDials(t *testing.T) {
	for _, c := range []struct {
		dials  Dials
		others int
	}{{Dials{Distractors: -1}, 0}, {Dials{Distractors: 1}, 2}, {Dials{Distractors: 5, Depth: [2]float64{0.5, 0.75}}, 10}} {
		e, err := RepoQA.Build(seeded(1), Size{Tokens: 32 << 10, Turns: 2, Dials: c.dials})
		if err != nil {
			t.Fatal(err)
		}
		if p := poolOf(e.Turns[0]); len(p.Others) != c.others {
			t.Errorf("%+v: %d near-duplicates, want %d", c.dials, len(p.Others), c.others)
		}
		for _, turn := range e.Turns {
			if at := float64(turn.Evidence[0].Lo) / float64(len(e.Context)); c.dials.Depth[1] > 0 && (at < 0.48 || at > 0.77) {
				t.Errorf("the evidence stands at %.2f", at)
			}
		}
	}
}

func TestMixedTurns(t *testing.T) {
	e, err := RepoQAAndKV.Build(seeded(5), Published)
	if err != nil {
		t.Fatal(err)
	}
	for i, turn := range e.Turns {
		want, budget := []string{"repoqa", "kv"}[i%2], []int{1024, 80}[i%2]
		if turn.Part != want || RepoQAAndKV.MaxTokens(turn) != budget {
			t.Errorf("turn %d: part %s, %d tokens", i, turn.Part, RepoQAAndKV.MaxTokens(turn))
		}
	}
	if pairs := len(regexp.MustCompile(`"[0-9a-f-]{36}": "[0-9a-f-]{36}"`).FindAllString(e.Context, -1)); pairs != repoPairs {
		t.Errorf("%d pairs", pairs)
	}
}

func BenchmarkRepoQA128K(b *testing.B) {
	for _, task := range codeTasks {
		b.Run(task.Name, func(b *testing.B) {
			for seed := uint64(0); b.Loop(); seed++ {
				if _, err := task.Build(seeded(seed), Size{Tokens: 128 << 10}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
