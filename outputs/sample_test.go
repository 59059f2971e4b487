package outputs

import (
	"encoding/json"
	"fmt"
	"testing"
)

const (
	full      = "full"
	snapkv    = "snapkv:budget=256,window=32,kernel=5"
	streaming = "streamingllm:init=16,local=240"
	quest     = "quest:budget=256,page=16"
)

func ptr[T any](x T) *T { return &x }

// sampleScore makes full attention steady, and methods that drop the cache for the first question weak on later ones.
func sampleScore(task int, method string, mode Mode, turn int32, example int) float64 {
	level := map[string]float64{full: 0.95, snapkv: 0.9, streaming: 0.2, quest: 0.85}[method]
	if method == snapkv && (turn > 1 || mode == MultiRequest) {
		level = 0.1
	}
	if method == streaming && turn > 1 {
		level = 0.05
	}
	const examples = 20
	if float64((example*7+task*3+int(turn))%examples)/examples < level {
		return 1
	}
	return 0
}

// sampleRows are complete rows of a small sweep, in the order of samplePlan.
func sampleRows(tasks []string, examples int, turns int32) []Row {
	var rows []Row
	for ti, task := range tasks {
		for e := range examples {
			for _, mode := range []Mode{MultiTurn, MultiRequest} {
				for _, method := range []string{full, snapkv, streaming, quest} {
					for turn := int32(1); turn <= turns; turn++ {
						rows = append(rows, sampleRow(ti, task, e, mode, method, turn))
					}
				}
			}
		}
	}
	return rows
}

func sampleRow(ti int, task string, e int, mode Mode, method string, turn int32) Row {
	k := Key{Run: "sample", Task: task, Example: fmt.Sprintf("%s-%06d", task, e), Turn: turn, Mode: mode, History: GoldHistory, Method: method}
	if mode == MultiRequest {
		k.History = NoHistory
	}
	score := sampleScore(ti, method, mode, turn, e)
	r := Result{
		Key: k, Question: turn, Skill: []string{"string retrieval", "global information"}[ti%2], Profile: "mini", Seed: -7,
		Model: "reference", EvidenceDepth: ptr(float64(turn) / 16), ContextDeflated: ptr(0.5),
		DataHash: "d", PromptHash: HashTokens([]int32{1, 2, int32(e), turn}), TokenizerHash: "t", WeightsHash: "w", MethodHash: "m",
		ScorerVersion: "1", SchemaVersion: SchemaVersion, Build: "test", KernelTier: "go", Precision: "f32",
		Prediction: fmt.Sprintf("answer %d\nof %s", turn, task), PredictionRaw: "answer</s>", Answers: []string{"a", "ä\x00€"},
		ScoreStrict: ptr(score), ScoreFixed: ptr(score), Status: OK, Finish: Stopped, Evidence: EvidenceKept,
		PromptTokens: 2000 + 50*turn, CachedTokens: 2000, ComputedTokens: 50 * turn, NewTokens: 9,
		KeptMin: 2000, KeptMean: 2000.5, KeptMax: 2001, KVBytesLogical: 4 << 20, KVBytesResident: 4 << 20, KVBytesShared: 1 << 20,
		ReadBytesPerToken: 1.5e6, PrefillCells: 1 << 20, PrefillCellsDense: 1 << 20, DecodeCells: 100, DecodeCellsDense: 100,
	}
	if method != full {
		r.BudgetTokens, r.KeptMin, r.KeptMean, r.KeptMax = ptr(int32(256)), 256, 256, 256
		r.KVBytesResident, r.KVBytesShared, r.DecodeCells = 1<<19, 0, 12
		if turn == 1 {
			r.KeptHeads, r.KeptPlaces = []int32{256, 255}, make([]int32, 2*KeptParts)
			r.KeptPlaces[0], r.KeptPlaces[2*KeptParts-1] = 256, 255
		}
		r.FirstDivergingToken, r.Top1Agreement, r.KLFull = ptr(int32(0)), ptr(0.25), ptr(1.0/3)
	}
	started := int64(1_700_000_000_000_000) + int64(turn)
	return Row{r, Timing{
		Key: k, TTFT: 0.1, Prefill: 1.0 / 3, Chunks: 0.25, Question: 0.02, Decode: 0.5, TokensPerSecond: 18, Cache: 0.001,
		Token: []float64{0.05, 0.1}, PeakRSS: 1 << 30, Started: started, Finished: started + 600_000,
	}}
}

func results(rows []Row) []Result {
	var out []Result
	for _, r := range rows {
		out = append(out, r.Result)
	}
	return out
}

func samplePlan(tasks []string, planned int) Manifest {
	return Manifest{
		Run: "sample", Build: "test", Config: json.RawMessage(`{"seed": -7, "html": "<b>", "methods": ["full"]}`),
		Hashes: map[string]string{"weights": "w", "data": "d"}, Versions: map[string]string{"scorer": "1"},
		Order: Order{Tasks: tasks, Modes: []Mode{MultiTurn, MultiRequest}, Histories: []History{GoldHistory, OwnHistory, NoHistory},
			Methods: []string{full, snapkv, streaming, quest}},
		Counts: Counts{Planned: planned},
	}
}

func TestSampleRowsAreValid(t *testing.T) {
	for _, row := range sampleRows([]string{"kv"}, 2, 3) {
		if err := prepare("sample", &row.Result, &row.Timing); err != nil {
			t.Fatal(err)
		}
	}
}
