package stages

import (
	"fmt"
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
}

// Script is the segments of one example in one mode.
type Script struct {
	Mode  outputs.Mode
	First []int32 // what is prefilled: the context, and in multi-turn mode the first question
	// Context is how many of First are before the question.
	Context int
	// Ask[i] is fed before the answer of turn i, on top of what is cached: in multi-request mode the question; in
	// multi-turn mode, with gold history, the gold answer of the turn before, its end and the question; with own
	// history, the end and the question. Ask[0] of multi-turn mode is not fed: it is in First.
	Ask       [][]int32
	Dropped   int                // context tokens that truncation took out of the middle
	Evidence  []outputs.Evidence // per turn
	MaxAnswer []int              // per turn: most new tokens
}

// marks stand for the texts in a rendered conversation; they are private-use characters, which no template treats.
const (
	contextMark  = "\uE0F0"
	questionMark = "\uE0F1"
	answerMark   = "\uE0F2"
)

// separator stands between context and question.
const separator = "\n\n"

// texts is a conversation cut where the caches are.
type texts struct {
	context string   // up to the first question
	ask     []string // before each answer; ask[0] is the first question
	at      int      // where the context proper begins in context
}

// Check renders a conversation of three turns, so that a chat template that will not do is known before anything is computed.
func (p Prompter) Check(h outputs.History) error {
	t := datasets.Turn{Input: "question", Answers: []string{"answer"}}
	_, err := p.conversation(&datasets.KV, datasets.Example{Context: "context", Turns: []datasets.Turn{t, t, t}}, h)
	return err
}

// Script makes the segments of an example. A chat template whose rendering of a longer conversation does not begin with
// that of a shorter one is an error.
func (p Prompter) Script(t *datasets.Task, e datasets.Example, mode outputs.Mode, h outputs.History) (*Script, error) {
	var tx texts
	var err error
	switch {
	case mode == outputs.MultiRequest:
		tx, err = p.requests(t, e)
	default:
		tx, err = p.conversation(t, e, h)
	}
	if err != nil {
		return nil, err
	}
	s := &Script{Mode: mode, Ask: make([][]int32, len(e.Turns)), MaxAnswer: make([]int, len(e.Turns))}
	ctx, offsets, err := p.context(tx.context)
	if err != nil {
		return nil, err
	}
	for i, text := range tx.ask {
		if s.Ask[i], err = p.Tokenizer.Encode(text, false); err != nil {
			return nil, fmt.Errorf("turn %d: %w", i+1, err)
		}
		if len(s.Ask[i]) == 0 {
			return nil, fmt.Errorf("turn %d: the question is empty", i+1)
		}
		s.MaxAnswer[i] = t.MaxTokens(e.Turns[i])
	}
	s.First, s.Context = ctx, len(ctx)
	if mode == outputs.MultiTurn {
		s.First = append(s.First, s.Ask[0]...)
		s.Ask[0] = nil
	}
	room := p.room(s, mode)
	if room < leastRoom {
		return nil, fmt.Errorf("a conversation of at most %d tokens leaves %d for the prompt in mode %s, where answers may take %d a turn; raise --max-tokens",
			p.MaxTokens, max(room, 0), mode, s.MaxAnswer[0])
	}
	s.truncate(room, offsets, tx, e)
	return s, nil
}

// leastRoom is the fewest tokens of a prompt that are worth a question.
const leastRoom = 64

// context tokenizes the first segment, with the token that begins every text exactly once.
func (p Prompter) context(text string) (ids []int32, offsets []int, err error) {
	ids, spans, err := p.Tokenizer.EncodeOffsets(text, false)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range spans {
		offsets = append(offsets, s.Lo)
	}
	bos, err := p.Tokenizer.Encode("", true)
	if err == nil && len(bos) == 1 && (len(ids) == 0 || ids[0] != bos[0]) {
		ids, offsets = append(bos, ids...), append([]int{0}, offsets...)
	}
	return ids, offsets, err
}

// room is the most tokens that First may have: the published rule, with the turns of this example.
func (p Prompter) room(s *Script, mode outputs.Mode) int {
	sum := 0
	for _, n := range s.MaxAnswer {
		sum += n
	}
	room := p.MaxTokens - sum
	if mode == outputs.MultiRequest {
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
func (p Prompter) requests(t *datasets.Task, e datasets.Example) (texts, error) {
	var tx texts
	for i := range e.Turns {
		one, err := p.opening(t, e, i)
		if err != nil {
			return texts{}, err
		}
		tx.context, tx.at = one.context, one.at
		tx.ask = append(tx.ask, one.ask...)
	}
	return tx, nil
}

// opening is a conversation of one turn.
func (p Prompter) opening(t *datasets.Task, e datasets.Example, turn int) (texts, error) {
	rendered, err := p.render([]string{contextMark + separator + questionMark}, nil)
	if err != nil {
		return texts{}, err
	}
	before, after, ok1 := strings.Cut(rendered, questionMark)
	head, rest, ok2 := strings.Cut(before, contextMark)
	if !ok1 || !ok2 || strings.ContainsAny(head+rest+after, contextMark+questionMark) {
		return texts{}, fmt.Errorf("chat template does not render the user's message once and as it is; run with --no-chat")
	}
	ctx := t.Context(e)
	tx := texts{context: head + ctx + rest, ask: []string{t.Query(e, turn) + after}}
	if i := strings.Index(tx.context, e.Context); i >= 0 {
		tx.at = i
	}
	return tx, nil
}

// conversation cuts the conversation of the multi-turn mode. It renders marks in the place of all texts, so that every text stands in
// the prompt as it is, whatever the template does to the ends of messages.
func (p Prompter) conversation(t *datasets.Task, e datasets.Example, h outputs.History) (texts, error) {
	tx, err := p.opening(t, e, 0)
	if err != nil {
		return texts{}, err
	}
	user, bot := []string{contextMark}, []string(nil)
	before, err := p.render(user, bot)
	if err != nil {
		return texts{}, err
	}
	for i := 1; i < len(e.Turns); i++ {
		user, bot = append(user, questionMark), append(bot, answerMark)
		now, err := p.render(user, bot)
		if err != nil {
			return texts{}, err
		}
		next, ok := strings.CutPrefix(now, before)
		lead, next, ok1 := strings.Cut(next, answerMark)
		end, after, ok2 := strings.Cut(next, questionMark)
		if !ok || !ok1 || !ok2 || lead != "" && h == outputs.OwnHistory || strings.ContainsAny(lead+end+after, answerMark+questionMark) {
			return texts{}, fmt.Errorf("chat template rewrites earlier turns, so that a cache of them is of no use; run with --no-chat")
		}
		ask := end + t.Query(e, i) + after
		if h != outputs.OwnHistory {
			ask = lead + t.Gold(e.Turns[i-1]) + ask
		}
		tx.ask = append(tx.ask, ask)
		before = now
	}
	return tx, nil
}

// render writes a conversation up to where the model answers the last of the user's messages.
func (p Prompter) render(user, bot []string) (string, error) {
	if p.Chat == nil {
		var b strings.Builder
		for i, u := range user {
			if i > 0 {
				b.WriteString(bot[i-1] + separator)
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
