package datasets

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A reader of the generated books that knows only how sentences look: it finds all claims in the text and answers a question by trying
// all of them. It shares nothing with the builders.

// claim is what a sentence says about a and, of some kinds, b: "job", "baker".
type claim struct {
	what, a, b, v string
	year          int
}

// pattern is a sentence that makes a claim; groups are named as the fields of claim.
type pattern struct {
	what string
	form *regexp.Regexp
}

// language is how sentences and questions look.
type language struct {
	sentence *regexp.Regexp // with its end
	claims   []pattern
	rumours  []pattern // whatever stands between these is not so
	asks     []pattern // questions; x and y are phrases for people or inns
	phrases  []pattern
}

// patterns compiles lines of a kind and forms of sentences, where A and B stand for names of people, V for a value and Y for a year.
func patterns(name, val, text string) (out []pattern) {
	groups := strings.NewReplacer("<A>", "(?P<a>"+name+")", "<B>", "(?P<b>"+name+")", "<V>", "(?P<v>"+val+")", "<Y>", `(?P<y>\d{4})`, "<S>", `(?:spring|summer|autumn|winter)`)
	for l := range strings.Lines(text) {
		what, form, _ := strings.Cut(strings.TrimSpace(l), " ")
		out = append(out, pattern{what, regexp.MustCompile("^" + groups.Replace(form) + "$")})
	}
	return out
}

var readEnglish = language{
	sentence: regexp.MustCompile(`[^.?!\n]+[.?!]"?`),
	claims: patterns(`[A-Z][a-z]+ [A-Z][a-z]+`, `[A-Za-z][A-Za-z' -]*?`, `job <A> worked as an? <V>\.
job By trade <A> was an? <V>\.
job For most of (?:his|her) life <A> earned (?:his|her) bread as an? <V>\.
job <A> was known up and down the valley as an? <V>\.
birth <A> was born in <V>\.
birth It was in <V> that <A> was born\.
birth The birthplace of <A> was <V>\.
birth <A> first saw the light of day in <V>\.
heirloom (?:From an aunt whom s?he had hardly known )?<A> inherited an? <V>\.
heirloom When the will was read, an? <V> went to <A>\.
heirloom What <A> inherited in the end was an? <V>\.
hiding (?:Fearing thieves, |Nobody guessed that )?<A> (?:had hidden|hid) the family letters <V>\.
hiding The family letters of <A> lay hidden <V>\.
move <A> moved to <V> in <Y>\.
move In <Y> <A> moved to <V>\.
move In the <S> of <Y> <A> packed (?:his|her) trunks and moved to <V>\.
move The year <Y> came, and <A> moved to <V>\.
met (?:In the <S> of \d{4} )?<A> met <B> at the <V>\.
met It was at the <V> that <A> met <B>\.
met <A> had stopped at the <V> to dry (?:his|her) boots, and there met <B>\.
owner <A> was the owner of the <V>\.
owner The <V> belonged to <A>\.
owner The owner of the <V> was <A>\.
owner <A> owned the <V>, from cellar to chimney\.
teacher <B> taught <A> to read\.
teacher It was <B> who taught <A> to read\.
teacher <A> learned to read from <B>\.
teacher If <A> could read, s?he owed it to <B>\.`),
	rumours: patterns("", "", `no Some people said that .*, but that was not true\.
no A story went round that .*; there was not a word of truth in it\.
no One letter claims that .*, which is an error\.
no For years the neighbours believed that .*, and they were wrong\.`),
	asks: patterns("", "", `job What was the occupation of (?P<x>.+)\?
birth In which town was (?P<x>.+) born\?
heirloom What did (?P<x>.+) inherit\?
hiding Where did (?P<x>.+) hide the family letters\?
first To which town did (?P<x>.+) move first\?
last To which town did (?P<x>.+) move last\?
met At which inn did (?P<x>.+) meet (?P<y>.+)\?
owner Who was the owner of (?P<x>.+)\?
teacher Who taught (?P<x>.+) to read\?`),
	phrases: patterns("", "", `owner the owner of (?P<x>.+)
teacher the person who taught (?P<x>.+) to read
met the inn where (?P<x>.+?) met (?P<y>.+)
name the (?P<x>[A-Z].+)`),
}

var readChinese = language{
	sentence: regexp.MustCompile(`[^。？！\n　]+[。？！]”?`),
	claims: patterns(`\p{Han}{3}`, `\p{Han}+?`, `job (?:论手艺，)?<A>是一名<V>。
job <A>做了大半辈子<V>。
job <A>的职业是<V>。
birth <A>出生在<V>。
birth <A>的出生地是<V>。
birth <V>是<A>的出生地。
birth <A>是在<V>出生的。
heirloom (?:分家那年，)?<A>(?:从祖母手里)?继承了一\p{Han}<V>。
heirloom <A>继承下来的是一\p{Han}<V>。
hiding (?:兵荒马乱的年月，|谁也没有想到，)?<A>把家书藏在<V>。
hiding <A>的家书一直藏在<V>。
move <A>在<Y>年搬到了<V>。
move (?:到了)?<Y>年，<A>搬到了<V>。
move <Y>年[春夏秋冬]天，<A>举家迁到了<V>。
met (?:\d{4}年[春夏秋冬]天，)?<A>在<V>遇见了<B>。
met <A>和<B>是在<V>相遇的。
met 就是在<V>，<A>遇见了<B>。
owner <A>是<V>的老板。
owner <V>的老板是<A>。
owner <A>开着<V>。
owner 当时开<V>的人是<A>。
teacher <A>的启蒙老师是<B>。
teacher <B>是<A>的启蒙老师。
teacher <A>识字是<B>教的。
teacher <A>跟着<B>学会了认字。`),
	rumours: patterns("", "", `no 有人说.*，其实并无此事。
no 镇上曾有传言，说.*，后来证明是讹传。
no 坊间传说.*，这完全是谣言。
no 有一封信里写着.*，那是写信的人弄错了。`),
	asks: patterns("", "", `job (?P<x>.+)的职业是什么？
birth (?P<x>.+)出生在哪里？
heirloom (?P<x>.+)继承了什么？
hiding (?P<x>.+)把家书藏在哪里？
first (?P<x>.+)最先搬到了哪里？
last (?P<x>.+)最后搬到了哪里？
met (?P<x>.+)和(?P<y>.+)是在哪里相遇的？
owner (?P<x>.+)的老板是谁？
teacher (?P<x>.+)的启蒙老师是谁？`),
	phrases: patterns("", "", `owner (?P<x>.+)的老板
teacher (?P<x>.+)的启蒙老师
met (?P<x>.+)和(?P<y>.+)相遇的地方`),
}

// group is the part of s that the named group matched, m being the places of a match.
func (p pattern) group(m []string, name string) string {
	if i := p.form.SubexpIndex(name); i >= 0 {
		return m[i]
	}
	return ""
}

// read finds all that the text claims and does not deny. The second result is the sentences that say nothing of the kind, rumours included.
func (l language) read(text string) (claims []claim, rest []string) {
sentences:
	for _, s := range l.sentence.FindAllString(text, -1) {
		s = strings.TrimSpace(s)
		for _, p := range l.claims {
			if m := p.form.FindStringSubmatch(s); m != nil {
				year, _ := strconv.Atoi(p.group(m, "y"))
				claims = append(claims, claim{p.what, p.group(m, "a"), p.group(m, "b"), p.group(m, "v"), year})
				continue sentences
			}
		}
		rest = append(rest, s)
	}
	return claims, rest
}

// answers is every answer that some claims give to the question of that kind about any of xs, and any of ys.
func answers(claims []claim, what string, xs, ys []string) (out []string) {
	at := 0
	for _, c := range claims {
		has := func(who string) bool { return slices.Contains(xs, who) }
		switch {
		case (what == "first" || what == "last") && c.what == "move" && has(c.a):
			switch {
			case at == 0 || what == "first" && c.year < at || what == "last" && c.year > at:
				at, out = c.year, []string{c.v}
			case c.year == at:
				out = append(out, c.v)
			}
		case c.what != what:
		case what == "met" && (has(c.a) && slices.Contains(ys, c.b) || has(c.b) && slices.Contains(ys, c.a)):
			out = append(out, c.v)
		case what == "owner" && has(c.v):
			out = append(out, c.a)
		case what == "teacher" && has(c.a):
			out = append(out, c.b)
		case what != "met" && what != "owner" && what != "teacher" && has(c.a):
			out = append(out, c.v)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// mean is all that a phrase can mean: a name itself, or who or what the phrase describes.
func (l language) mean(claims []claim, phrase string) []string {
	for _, p := range l.phrases {
		if m := p.form.FindStringSubmatch(phrase); m != nil {
			if p.what == "name" {
				return []string{p.group(m, "x")}
			}
			return answers(claims, p.what, l.mean(claims, p.group(m, "x")), l.mean(claims, p.group(m, "y")))
		}
	}
	return []string{phrase}
}

// answer is all answers to the question, which should be one.
func (l language) answer(claims []claim, question string) string {
	for _, p := range l.asks {
		if m := p.form.FindStringSubmatch(question); m != nil {
			return strings.Join(answers(claims, p.what, l.mean(claims, p.group(m, "x")), l.mean(claims, p.group(m, "y"))), " or ")
		}
	}
	return "an unknown question"
}

// solve answers the question from claims, and chooses that answer if there are options.
func (l language) solve(context, question string) string {
	claims, _ := l.read(context)
	lines := strings.Split(question, "\n")
	got := l.answer(claims, strings.TrimPrefix(strings.TrimPrefix(lines[0], "Question: "), "问题："))
	if len(lines) > 2 && !slices.ContainsFunc(lines[1:], func(o string) bool { return len(o) > 3 && o[1:3] == ". " && o[3:] == got }) {
		return got + ", which is none of the options"
	}
	return got
}

func solveQAMini(context, question string) string {
	who := `([A-Z][a-z]+ [A-Z][a-z]+)`
	for _, form := range [][2]string{
		{`^Where did ` + who + ` put the (\w+)\?`, `\b$1 put the $2 in the (\w+)\.`}, {`^Where does ` + who + ` live\?`, `\b$1 lives in (\w+)\.`},
		{`^What is the job of ` + who + `\?`, `\b$1 works as a (\w+)\.`}, {`^What did ` + who + ` buy\?`, `\b$1 bought a (\w+)\.`},
	} {
		ask := regexp.MustCompile(form[0])
		m := ask.FindStringSubmatchIndex(question)
		if m == nil {
			continue
		}
		found := regexp.MustCompile(string(ask.ExpandString(nil, form[1], question, m))).FindAllStringSubmatch(context, -1)
		if len(found) != 1 {
			return "found " + strconv.Itoa(len(found)) + " times"
		}
		answer := found[0][1]
		for _, o := range strings.Split(question, "\n")[1:] {
			if o[3:] == answer {
				return answer + " (" + o[:1] + ")"
			}
		}
		return answer
	}
	return "an unknown question"
}
