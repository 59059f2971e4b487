package datasets

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The stories of the reference model, formats qa and mc of its README. Their words are in words.go.

// miniFact is a sentence of such a story, the question that it answers, and from where wrong answers come.
type miniFact struct {
	text, question, answer string
	kind                   []string
}

// miniFactOf draws a fact about somebody, of one of the four kinds that the model was trained on.
func miniFactOf(r *rand.Rand, who string) miniFact {
	switch r.IntN(4) {
	case 0:
		thing, place := pick(r, things), pick(r, places)
		return miniFact{fmt.Sprintf("%s put the %s in the %s.", who, thing, place), fmt.Sprintf("Where did %s put the %s?", who, thing), place, places}
	case 1:
		city := pick(r, cities)
		return miniFact{fmt.Sprintf("%s lives in %s.", who, city), fmt.Sprintf("Where does %s live?", who), city, cities}
	case 2:
		job := pick(r, jobs)
		return miniFact{fmt.Sprintf("%s works as a %s.", who, job), fmt.Sprintf("What is the job of %s?", who), job, jobs}
	}
	thing := pick(r, nouns)
	return miniFact{fmt.Sprintf("%s bought a %s.", who, thing), fmt.Sprintf("What did %s buy?", who), thing, nouns}
}

// miniStory makes a session on a story of filler with facts in it, as many as in training: from one for each turn to one for every dozen
// tokens, few as often as many. Each question is about one fact; finish completes a turn.
func miniStory(r *rand.Rand, s Size, task string, published int, finish func(*Turn, miniFact)) (Example, error) {
	const intro = "Read the story and answer the questions.\n\n"
	turns := s.turns(published)
	most := max(turns, min(1500, s.Tokens/12))
	facts := int(math.Round(float64(turns) * math.Pow(float64(most)/float64(max(1, turns)), r.Float64())))
	return s.grow(0, 0, func(fillers int) (Example, error) {
		people, err := unique(r, facts, func(r *rand.Rand) string { return pick(r, givenNames) + " " + pick(r, surnames) })
		if err != nil {
			return Example{}, err
		}
		all, texts := make([]miniFact, facts), make([]string, facts)
		for i, who := range people {
			all[i] = miniFactOf(r, who)
			texts[i] = all[i].text
		}
		e := Example{Task: task, Profile: MiniProfile}
		var at []Span
		e.Context, at = scatter(r, intro, texts, fillers)
		for _, i := range sample(r, facts, turns) {
			t := Turn{Input: all[i].question, Answers: []string{all[i].answer}, Evidence: []Span{at[i]}}
			finish(&t, all[i])
			e.Turns = append(e.Turns, t)
		}
		return e, nil
	})
}

func miniQA(r *rand.Rand, s Size) (Example, error) {
	return miniStory(r, s, "qaeng", 5, func(*Turn, miniFact) {})
}

func miniChoice(r *rand.Rand, s Size) (Example, error) {
	return miniStory(r, s, "choiceeng", 4, func(t *Turn, f miniFact) {
		var wrong []string
		for _, o := range f.kind {
			if o != f.answer {
				wrong = append(wrong, o)
			}
		}
		t.Options = optionsOf(r, f.answer, wrong)
		t.Input += optionLines(t.Options)
	})
}
