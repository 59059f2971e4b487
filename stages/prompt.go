package stages

import (
	"fmt"
	"slices"
	"strings"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/stages/tokenizers"
)

// Prompter turns examples into token segments for one model.
//
// All modes and methods see the same segments. The shared context is a segment of its own, blank line included, and so is
// each question; a prompt is their concatenation. Differs from the reference: there a multi-turn prompt tokenizes context and
// first question as one text, and multi-request puts no blank line between them; and follow-ups are cut out of a partial
// rendering of the chat template by string replacement, where here the whole conversation is rendered and must begin
// with what was rendered before.
type Prompter struct {
	Tokenizer tokenizers.Tokenizer
	Chat      *tokenizers.ChatTemplate // nil: plain text
	MaxTokens int                      // longest conversation, in tokens
	Prompts   *datasets.Prompts        // another wording than the tasks' own; or nil
	Refuse    bool                     // a prompt that is too long is not asked; else it loses its middle
}

// Script is the segments of one example in one mode.
type Script struct {
	Mode  outputs.Mode
	Turns []int   // the turns that are asked, in order: all, or in single-turn mode one
	First []int32 // what is prefilled: the context, and but for multi-request mode the first question
	// Context is how many of First are before the question.
	Context int
	// Ask[i] is fed before the answer of turn i, on top of what is cached: in multi-request mode the question; in
	// multi-turn mode, with gold history, the gold answer of the turn before, its end and the question; with own
	// history, the end and the question. It is nil for a question that is in First, and for a turn that is not asked.
	Ask       [][]int32
	Dropped   int                // context tokens that truncation took out of the middle
	Evidence  []outputs.Evidence // per turn
	MaxAnswer []int              // per turn: most new tokens
	Refused   string             // why the prompt is not to be asked, or ""
}

// marks stand for the texts in a rendered conversation; they are private-use characters, which no template treats.
const (
	contextMark  = "\uE0F0"
	questionMark = "\uE0F1"
	answerMark   = "\uE0F2"
)

// texts is a conversation cut where the caches are.
type texts struct {
	context string   // up to the first question
	ask     []string // before each answer; ask[0] is the first question
	at      int      // where the context proper begins in context
}

// Check renders a conversation of three turns, so that a chat template that will not do is known before anything is computed.
func (p Prompter) Check(h outputs.History) error {
	t := datasets.Turn{Input: "question", Answers: []string{"answer"}}
	e := datasets.Example{Context: "context", Turns: []datasets.Turn{t, t, t}}
	var own *datasets.Prompts
	_, err := p.conversation(own.Word(&datasets.KV, e, datasets.Setting{}), e, []int{0, 1, 2}, h)
	return err
}

// Scripts makes the segments of an example in a mode: one script, or in single-turn mode one a turn. A chat template whose rendering
// of a longer conversation does not begin with that of a shorter one is an error.
func (p Prompter) Scripts(t *datasets.Task, e datasets.Example, mode outputs.Mode, h outputs.History) (scripts []*Script, err error) {
	if mode != outputs.SingleTurn {
		s, err := p.Script(t, e, mode, h)
		return []*Script{s}, err
	}
	for i := range e.Turns {
		s, err := p.script(t, e, mode, h, []int{i})
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, s)
	}
	return scripts, nil
}

// Script makes the segments of an example in a mode that asks all turns.
func (p Prompter) Script(t *datasets.Task, e datasets.Example, mode outputs.Mode, h outputs.History) (*Script, error) {
	all := make([]int, len(e.Turns))
	for i := range all {
		all[i] = i
	}
	return p.script(t, e, mode, h, all)
}

func (p Prompter) script(t *datasets.Task, e datasets.Example, mode outputs.Mode, h outputs.History, turns []int) (*Script, error) {
	w := p.Prompts.Word(t, e, datasets.Setting{
		Mode: string(mode), Plain: p.Chat == nil, Own: mode == outputs.MultiTurn && h == outputs.OwnHistory, First: turns[0],
	})
	var tx texts
	var err error
	if mode == outputs.MultiRequest {
		tx, err = p.requests(w, e)
	} else {
		tx, err = p.conversation(w, e, turns, h)
	}
	if err != nil {
		return nil, err
	}
	s := &Script{Mode: mode, Turns: turns, Ask: make([][]int32, len(e.Turns)), MaxAnswer: make([]int, len(e.Turns))}
	ctx, offsets, err := p.context(tx.context)
	if err != nil {
		return nil, err
	}
	for k, i := range turns {
		if s.Ask[i], err = p.Tokenizer.Encode(tx.ask[k], false); err != nil {
			return nil, fmt.Errorf("turn %d: %w", i+1, err)
		}
		if len(s.Ask[i]) == 0 {
			return nil, fmt.Errorf("turn %d: the question is empty", i+1)
		}
		s.MaxAnswer[i] = t.MaxTokens(e.Turns[i])
	}
	s.First, s.Context = ctx, len(ctx)
	if mode != outputs.MultiRequest {
		s.First = append(s.First, s.Ask[turns[0]]...)
		s.Ask[turns[0]] = nil
	}
	return s, p.fit(s, offsets, tx, e)
}

// fit makes First as short as it has to be, or refuses it.
func (p Prompter) fit(s *Script, offsets []int, tx texts, e datasets.Example) error {
	room := p.room(s, e)
	switch n := len(s.First); {
	case room < leastRoom:
		return fmt.Errorf("a conversation of at most %d tokens leaves %d for the prompt in mode %s, where answers may take %d a turn; raise --max-tokens",
			p.MaxTokens, max(room, 0), s.Mode, s.MaxAnswer[s.Turns[0]])
	case n > room && p.Refuse:
		s.Refused = fmt.Sprintf("its prompt of %d tokens is longer than the %d that --max-tokens %d leaves; give more, or cut it with --truncate middle", n, room, p.MaxTokens)
		room = n
	}
	s.truncate(room, offsets, tx, e)
	return nil
}

// leastRoom is the fewest tokens of a prompt that are worth a question.
const leastRoom = 64

// context tokenizes the first segment, with the tokens that begin every text exactly once, whether the chat template prints them or not.
func (p Prompter) context(text string) (ids []int32, offsets []int, err error) {
	ids, spans, err := p.Tokenizer.EncodeOffsets(text, false)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range spans {
		offsets = append(offsets, s.Lo)
	}
	if begin := p.Tokenizer.Prefix(); !slices.Equal(ids[:min(len(begin), len(ids))], begin) {
		ids, offsets = append(begin, ids...), append(make([]int, len(begin)), offsets...)
	}
	return ids, offsets, nil
}

// room is the most tokens that First may have, by the published rule with the turns of this example: the limit less the most tokens of all
// answers, where in a mixed task every turn counts with the mean of the parts'. Questions and gold answers have no room reserved.
func (p Prompter) room(s *Script, e datasets.Example) int {
	var parts []string
	all, each := 0, 0
	for _, i := range s.Turns {
		all += s.MaxAnswer[i]
		if part := e.Turns[i].Part; !slices.Contains(parts, part) {
			parts, each = append(parts, part), each+s.MaxAnswer[i]
		}
	}
	if len(parts) > 1 {
		all = each * len(s.Turns) / len(parts)
	}
	room := p.MaxTokens - all
	if s.Mode == outputs.MultiRequest {
		room -= 1000
	}
	return room
}

// truncate takes the middle out of First if it is longer than room, and says which turns lost their evidence.
func (s *Script) truncate(room int, offsets []int, tx texts, e datasets.Example) {
	n := len(s.First)
	cutLo, cutHi := n, n
	if n > room {
		half := room / 2
		cutLo, cutHi = half, n-half
		s.Dropped = cutHi - cutLo
		s.First = append(s.First[:half:half], s.First[n-half:]...)
		s.Context = max(half, s.Context-s.Dropped)
	}
	at := func(token int) int { // where a token begins in the first segment's text
		if token >= len(offsets) {
			return len(tx.context)
		}
		return offsets[token]
	}
	lo, hi := at(cutLo)-tx.at, at(cutHi)-tx.at
	for _, turn := range e.Turns {
		found := outputs.EvidenceUnknown
		for _, span := range turn.Evidence {
			if span.Lo < hi && span.Hi > lo {
				found = outputs.EvidenceCut
				break
			}
			found = outputs.EvidenceKept
		}
		s.Evidence = append(s.Evidence, found)
	}
}

// requests cuts the conversations of the multi-request mode: one context, each question on its own.
func (p Prompter) requests(w datasets.Worded, e datasets.Example) (texts, error) {
	var tx texts
	for i := range e.Turns {
		one, err := p.opening(w, e, i)
		if err != nil {
			return texts{}, err
		}
		tx.context, tx.at = one.context, one.at
		tx.ask = append(tx.ask, one.ask...)
	}
	return tx, nil
}

// opening is a conversation of one turn.
func (p Prompter) opening(w datasets.Worded, e datasets.Example, turn int) (texts, error) {
	rendered, err := p.render([]string{contextMark + w.Separator() + questionMark}, nil, "")
	if err != nil {
		return texts{}, err
	}
	before, after, ok1 := strings.Cut(rendered, questionMark)
	head, rest, ok2 := strings.Cut(before, contextMark)
	if !ok1 || !ok2 || strings.ContainsAny(head+rest+after, contextMark+questionMark) {
		return texts{}, fmt.Errorf("chat template does not render the user's message once and as it is; run with --no-chat")
	}
	ctx, err := w.Context()
	if err != nil {
		return texts{}, err
	}
	question, start, err := w.Ask(turn, false)
	if err != nil {
		return texts{}, err
	}
	tx := texts{context: head + ctx + rest, ask: []string{question + after + start}}
	if i := strings.Index(tx.context, e.Context); i >= 0 {
		tx.at = i
	}
	return tx, nil
}

// conversation cuts the conversation of the multi-turn mode. It renders marks in the place of all texts, so that every text stands in
// the prompt as it is, whatever the template does to the ends of messages.
func (p Prompter) conversation(w datasets.Worded, e datasets.Example, turns []int, h outputs.History) (texts, error) {
	tx, err := p.opening(w, e, turns[0])
	if err != nil {
		return texts{}, err
	}
	user, bot := []string{contextMark}, []string(nil)
	before, err := p.render(user, bot, w.Between())
	if err != nil {
		return texts{}, err
	}
	for k, i := range turns[1:] {
		user, bot = append(user, questionMark), append(bot, answerMark)
		now, err := p.render(user, bot, w.Between())
		if err != nil {
			return texts{}, err
		}
		next, ok := strings.CutPrefix(now, before)
		lead, next, ok1 := strings.Cut(next, answerMark)
		end, after, ok2 := strings.Cut(next, questionMark)
		if !ok || !ok1 || !ok2 || lead != "" && h == outputs.OwnHistory || strings.ContainsAny(lead+end+after, answerMark+questionMark) {
			return texts{}, fmt.Errorf("chat template rewrites earlier turns, so that a cache of them is of no use; run with --no-chat")
		}
		question, start, err := w.Ask(i, true)
		if err != nil {
			return texts{}, err
		}
		ask := end + question + after + start
		if h != outputs.OwnHistory {
			gold, err := w.Gold(turns[k]) // of the turn before
			if err != nil {
				return texts{}, err
			}
			ask = lead + gold + ask
		}
		tx.ask = append(tx.ask, ask)
		before = now
	}
	return tx, nil
}

// render writes a conversation up to where the model answers the last of the user's messages. between stands after answers in plain text.
func (p Prompter) render(user, bot []string, between string) (string, error) {
	if p.Chat == nil {
		var b strings.Builder
		for i, u := range user {
			if i > 0 {
				b.WriteString(bot[i-1] + between)
			}
			b.WriteString(u)
		}
		return b.String(), nil
	}
	var msgs []tokenizers.Message
	for i, u := range user {
		if i > 0 {
			msgs = append(msgs, tokenizers.Message{Role: "assistant", Content: bot[i-1]})
		}
		msgs = append(msgs, tokenizers.Message{Role: "user", Content: u})
	}
	return p.Chat.Render(msgs, true)
}
