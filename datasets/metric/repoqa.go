package metric

import (
	"regexp"
	"strings"
)

// repoQAPass is the least similarity of an answer that repeats a function.
const repoQAPass = 0.8

// fence is a block between lines of three backticks.
var fence = regexp.MustCompile("(?ms)^```\\w*[ \\t\\r]*\\n(.*?)^```")

// opening is the line that opens a block.
var opening = regexp.MustCompile("(?m)^```\\w*[ \\t\\r]*\\n")

// Pool is the functions that an answer may be taken for, as source texts in one language.
type Pool struct {
	Lang   string   // one of Languages
	Asked  []string // that some question asks for, gold among them
	Others []string // and others like them
}

// RepoQA is 1 if, of all functions of the pool, the answer is most like gold, and at least 0.8 like it by BLEU. What is compared is the first function
// in the first fenced block that has one; else the first fenced block; without a fence the whole answer.
//
// Source: RepoQA's compute_score at its threshold of 0.8, as in the scorer of Code.RepoQA.
// Same as the reference under Strict, whose pool is Asked: the best is told by its name, so that two functions of one name are as good, and
// the first wins ties. Fixed also knows Others, tells functions by their text, reads a block that was cut before it closed, finds the function in an answer
// without a fence, and is sure of an equal text, however short. Differs from the reference: functions are found by Functions, not by tree-sitter.
func RepoQA(answer, gold string, p Pool) Scores {
	strict := mostLike(strictCode(answer, p.Lang), p.Asked)
	code := fixedCode(answer, p.Lang)
	fixed := strings.TrimSpace(code) == strings.TrimSpace(gold)
	if !fixed {
		all := append(append([]string(nil), p.Asked...), p.Others...)
		fixed = mostLike(code, all) == gold
	}
	return Scores{oneIf(strict != "" && functionName(strict, p.Lang) == functionName(gold, p.Lang)), oneIf(fixed && answer != "")}
}

// mostLike is the text of the pool that code is most like, "" if it is less than 0.8 like any.
func mostLike(code string, pool []string) (best string) {
	most := 0.0
	for _, f := range pool {
		if b := BLEU(strings.TrimSpace(code), strings.TrimSpace(f)); b > most {
			best, most = f, b
		}
	}
	if most < repoQAPass {
		return ""
	}
	return best
}

// strictCode is what the published scorer takes from an answer.
func strictCode(answer, lang string) string {
	answer = strings.TrimSpace(answer)
	blocks := fence.FindAllStringSubmatch(answer, -1)
	if len(blocks) == 0 {
		return answer
	}
	for _, b := range blocks {
		if f := Functions(b[1], lang); len(f) > 0 {
			return b[1][f[0].Lo:f[0].Hi]
		}
	}
	return blocks[0][1]
}

// fixedCode is what is to be taken from an answer.
func fixedCode(answer, lang string) string {
	code := strictCode(answer, lang)
	if code != strings.TrimSpace(answer) {
		return code
	}
	if at := opening.FindStringIndex(code); at != nil {
		code = code[at[1]:]
	}
	if f := Functions(code, lang); len(f) > 0 {
		return code[f[0].Lo:f[0].Hi]
	}
	return code
}

// functionName is the name of the function that source is; the source itself if it has none that is found.
func functionName(source, lang string) string {
	if f := Functions(source, lang); len(f) > 0 {
		return f[0].Name
	}
	return source
}
