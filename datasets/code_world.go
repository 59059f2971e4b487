package datasets

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// The world of the generated repositories: functions that walk over a list of records and work out one number. What a function does is a
// task, a handful of choices and numbers; how it is written depends on the language (code_write.go).

var (
	codeRecords = strings.Fields(`parcel order ticket invoice sensor shipment account device vehicle booking reading customer lesson recipe
patient route payment worker vessel garden voucher contract sample player`)
	codeFields = strings.Fields(`weight height width price cost age rank score level speed power size depth delay rate grade volume distance
margin value`)
	codeVerbs   = strings.Fields("tally gather settle weigh balance audit collect resolve compute derive assess measure reckon review check merge")
	codeResults = strings.Fields("total sum result acc tally outcome")
	codeSteps   = strings.Fields("part step share gain portion amount")
)

// work is what a function does. Two functions of one repository never do the same work.
type work struct {
	record           int // of codeRecords
	a, b, c          int // of codeFields: what counts, what decides, what else counts
	start, gate      int // where the result begins; the number that b is compared with
	compare          int // of comparisons: records that fit are passed over
	term, factor     int // of terms, and its number
	cap              int // the most that one record gives; 0: none
	fold             int // of folds
	use              int // of uses: what the second parameter is for
	finish, finisher int // of finishes, and its number
}

// The choices. {a} is the field a, {c} the field c and {n} the number.
var (
	comparisons = []struct{ code, words string }{{"<", "below"}, {">", "above"}, {"==", "equal to"}, {"!=", "other than"}}
	terms       = []struct{ code, words string }{
		{"{a} * {n}", "its {a} times {n}"}, {"{a} + {n}", "its {a} plus {n}"},
		{"{a} * {n} + {c}", "its {a} times {n}, plus its {c}"}, {"{a} + {c} * {n}", "its {a} plus {n} times its {c}"},
		{"{a} * {c} + {n}", "its {a} times its {c}, plus {n}"}, {"{a} * {n} - {c}", "its {a} times {n}, minus its {c}"},
	}
	folds = []struct{ purpose, words string }{
		{"the sum of what the records give", "What a record gives is added to the result."},
		{"what is left when each record takes away what it gives", "What a record gives is taken away from the result."},
		{"the largest of what the records give", "The result becomes what a record gives if that is larger."},
		{"the smallest of what the records give", "The result becomes what a record gives if that is smaller."},
	}
	uses = []struct{ input, words string }{
		{"at which the walk ends", "The walk ends once the result is above the second input."},
		{"that every record adds", "The second input is added to what each record gives, before anything else is done with it."},
		{"that is added in the end", "After the last record the second input is added to the result."},
		{"at which the result is cut", "After the last record a result above the second input is cut down to it."},
	}
	finishes = []struct{ code, words string }{
		{"%% %d", "the remainder of the result divided by %d"}, {"* %d", "the result times %d"}, {"+ %d", "the result plus %d"}, {"- %d", "the result minus %d"},
	}
)

// newWork draws what a function over that record with those fields does.
func newWork(r *rand.Rand, record int, fields []int) work {
	f := r.Perm(len(fields))
	w := work{record: record, a: fields[f[0]], b: fields[f[1]], c: fields[f[2]], start: r.IntN(90), gate: 2 + r.IntN(900), compare: r.IntN(len(comparisons)),
		term: r.IntN(len(terms)), factor: 2 + r.IntN(60), fold: r.IntN(len(folds)), use: r.IntN(len(uses)), finish: r.IntN(len(finishes)), finisher: 2 + r.IntN(97)}
	if r.IntN(2) == 0 {
		w.cap = 100 + r.IntN(9000)
	}
	return w.plain()
}

// short is w without conditions but the one that passes records over.
func (w work) short() work {
	w.cap, w.fold, w.term, w.use = 0, w.fold%2, w.term%2, useEach+w.use%2
	return w.plain()
}

// plain has no field that the term does not use, so that what is written alike is equal.
func (w work) plain() work {
	if !strings.Contains(terms[w.term].code, "{c}") {
		w.c = w.a
	}
	return w
}

// like is w with one thing changed.
func (w work) like(r *rand.Rand, fields []int) work {
	shift := 1 + r.IntN(9)
	switch r.IntN(7) {
	case 0:
		w.start += shift
	case 1:
		w.gate += shift
	case 2:
		w.factor += shift
	case 3:
		w.finisher += shift
	case 4:
		w.compare = (w.compare + 1 + r.IntN(len(comparisons)-1)) % len(comparisons)
	case 5:
		w.fold ^= 1
	default:
		w.b = fields[r.IntN(len(fields))]
	}
	return w
}

// describe tells in words what the function does, in RepoQA's four parts, without its name.
func (w work) describe() string {
	thing, a, c := codeRecords[w.record], codeFields[w.a], codeFields[w.c]
	own := func(s string) string { return strings.ReplaceAll(s, "record", thing) }
	var p strings.Builder
	fmt.Fprintf(&p, "1. Purpose: To work out one number from a list of %ss of which some do not count: %s.\n", thing, own(folds[w.fold].purpose))
	fmt.Fprintf(&p, "2. Input: A list of %ss, and a whole number %s.\n", thing, own(uses[w.use].input))
	fmt.Fprintf(&p, "3. Output: One whole number: "+finishes[w.finish].words+".\n", w.finisher)
	fmt.Fprintf(&p, "4. Procedure: The result begins at %d. The list is walked from its beginning, and every %s whose %s is %s %d is passed over. ",
		w.start, thing, codeFields[w.b], comparisons[w.compare].words, w.gate)
	fmt.Fprintf(&p, "Each other %s gives %s. ", thing, filled(terms[w.term].words, a, c, w.factor))
	if w.use == useEach {
		p.WriteString(own(uses[w.use].words) + " ")
	}
	if w.cap > 0 {
		fmt.Fprintf(&p, "If that is more than %d, it counts as %d. ", w.cap, w.cap)
	}
	p.WriteString(own(folds[w.fold].words) + " ")
	if w.use != useEach {
		p.WriteString(own(uses[w.use].words) + " ")
	}
	fmt.Fprintf(&p, "What comes back is "+finishes[w.finish].words+".", w.finisher)
	return p.String()
}

// What the second parameter is for, as places in uses.
const (
	useStop = iota
	useEach
	useAdd
	useCut
)

// filled puts two names and a number into one of terms.
func filled(form, a, c string, n int) string {
	return replaced(form, "{a}", a, "{c}", c, "{n}", strconv.Itoa(n))
}

// replaced puts new for old, pair by pair; for texts this short it is faster than making a strings.Replacer.
func replaced(text string, oldNew ...string) string {
	for i := 0; i < len(oldNew); i += 2 {
		text = strings.ReplaceAll(text, oldNew[i], oldNew[i+1])
	}
	return text
}
