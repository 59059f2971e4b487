package datasets

// publishedCounts are the numbers of sessions and of turns in the published files (microsoft/SCBench of December 2024), in the order of
// publishedTasks: 922 and 5,143. The paper's table 2 has other numbers in three places.
var publishedCounts = []struct {
	task            string
	examples, turns int
}{
	{"kv", 100, 500},
	{"prefixsuffix", 100, 500},
	{"vt", 90, 450},
	{"repoqa", 88, 440},
	{"qaeng", 69, 351},
	{"qachn", 35, 189},
	{"choiceeng", 58, 229},
	{"mf", 100, 600},
	{"manyshot", 54, 270},
	{"summary", 70, 350},
	{"summarywithneedles", 70, 560},
	{"repoqaandkv", 88, 704},
}

// PublishedCounts says how many examples and turns the published files of a task have; zeros if there are none.
func PublishedCounts(task string) (examples, turns int) {
	for _, c := range publishedCounts {
		if c.task == task {
			return c.examples, c.turns
		}
	}
	return 0, 0
}
