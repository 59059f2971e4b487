package datasets

import (
	"strings"
	"testing"
)

// FuzzImport reads any bytes as JSON lines of any task. What is accepted has to be whole, and the same when it is read back.
func FuzzImport(f *testing.F) {
	for which, line := range map[byte]string{
		0:  `{"id": 1, "context": "c", "multi_turns": [{"input": "q", "answer": "a"}]}` + "\r\n\n",
		2:  `{"index": 0, "input": "c", "length": 3, "multi_turns": [{"input": "q", "answer": ["ABCDE", "FGHIJ"]}]}`,
		3:  `{"context": "c", "lang": "go", "repo": "r", "multi_turns": [{"input": "q", "name": "f", "answer": "func f() {}"}]}`,
		6:  `{"context": "c", "multi_turns": [{"input": "q", "options": ["a", "b", "c", "d"], "answer": "d"}]}`,
		7:  `{"context": [3, -1, 2], "multi_turns": [{"input": "The largest number of the list is", "answer": 3}]}`,
		10: `{"context": "c", "multi_turns": [{"input": "q", "task": "scbench_passkey", "answer": 12}, {"input": "q", "task": "scbench_summary", "answer": "s"}]}`,
		11: `{"context": "c", "lang": "go", "repo": "r", "multi_turns": [{"input": "q", "task": "scbench_repoqa", "answer": "func f() {}"}, {"input": "q", "task": "scbench_kv", "answer": "v"}]}`,
		13: `{"context": "\u0000\ud800", "multi_turns": [{"input": "", "task": "level-2", "answer": "a"}], "\u001b[2J": 1}`,
	} {
		f.Add(which, line)
	}
	f.Fuzz(func(t *testing.T, which byte, text string) {
		kind := publishedTasks[int(which)%len(publishedTasks)]
		rows, imported, err := importText(t, kind.name, "rows.jsonl", text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x1b\u202e") {
				t.Errorf("the message steers the terminal: %q", err)
			}
			return
		}
		turns := 0
		for i, r := range rows {
			if turns += len(r.Example.Turns); r.Index != i || r.Example.Context == "" || len(r.Example.Turns) == 0 {
				t.Errorf("row %d: %+v", i, r)
			}
			for _, turn := range r.Example.Turns {
				if len(turn.Answers) == 0 || turn.Answers[0] == "" || kind.options && len(turn.Options) < 2 || kind.parts != nil && turn.Part == "" {
					t.Errorf("row %d: %+v", i, turn)
				}
			}
		}
		if len(rows) == 0 || len(rows) != imported.Rows || turns != imported.Turns {
			t.Errorf("%d rows and %d turns, reported %d and %d", len(rows), turns, imported.Rows, imported.Turns)
		}
	})
}

// TestFieldNamesAreEscaped gives fields names that steer a terminal.
func TestFieldNamesAreEscaped(t *testing.T) {
	_, imported, err := importText(t, "kv", "kv.jsonl", "{\"context\": \"c\", \"\\u001b[2J\": 1, \"multi_turns\": [{\"input\": \"q\", \"answer\": \"a\", \"\u202e\": 2}]}\n")
	if err != nil || len(imported.Unused) != 2 || imported.Unused[0].Path != `\u001b[2J` || imported.Unused[1].Path != `multi_turns[].\u202e` {
		t.Errorf("%v, %v", imported.Unused, err)
	}
	_, err = leavesOf([]schemaElement{{name: "root", typ: -1, repetition: 2, children: 1}, {name: "\x1b[2J", typ: 8}})
	if err == nil || !strings.Contains(err.Error(), `column \u001b[2J: type 8`) {
		t.Error(err)
	}
}
