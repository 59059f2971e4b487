package datasets

import "fmt"

// The parts that most tasks are worded with.

// instructed is a Task.Context: the instruction and then the context. A mini example brings its own introduction.
func instructed(instruction string) func(Example) string {
	return func(e Example) string {
		if e.Profile == MiniProfile {
			return e.Context
		}
		return instruction + e.Context
	}
}

// verbatim is a Task.Query: the input of turn i as it stands in the data.
func verbatim(e Example, i int) string { return e.Turns[i].Input }

// firstAnswer is a Task.Gold for turns with one right answer.
func firstAnswer(t Turn) string { return t.Answers[0] }

// atMost is a Task.MaxTokens: n for every turn.
func atMost(n int) func(Turn) int { return func(Turn) int { return n } }

// questionForm is a Task.Query: the form with the input of turn i in it. A mini example asks its input word for word.
func questionForm(form string) func(Example, int) string {
	return func(e Example, i int) string {
		if e.Profile == MiniProfile {
			return e.Turns[i].Input
		}
		return fmt.Sprintf(form, e.Turns[i].Input)
	}
}
