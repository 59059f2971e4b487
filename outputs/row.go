package outputs

// SchemaVersion numbers the columns of both files. It changes when a column is added, removed or changes its meaning. Files
// of version oldestSchema and later are read; columns that they lack are empty or NULL.
const SchemaVersion = 3

const oldestSchema = 2

// KeptParts is the number of equal parts of a prompt that the column kept_places counts in.
const KeptParts = 32

// Mode is how the turns of an example share their context.
type Mode string

// The two shared-context modes, and the baseline that shares nothing.
const (
	MultiTurn    Mode = "multi-turn"    // each turn extends the conversation
	MultiRequest Mode = "multi-request" // each turn forks from the bare context
	SingleTurn   Mode = "single-turn"   // each question has a prompt of its own, together with the context
)

// Modes lists all modes.
var Modes = []Mode{MultiTurn, MultiRequest, SingleTurn}

// History is what stands for the earlier answers in the prompt of a later turn.
type History string

// The three histories; only multi-turn has one.
const (
	GoldHistory History = "gold" // the gold answers
	OwnHistory  History = "own"  // the model's own answers
	NoHistory   History = "none"
)

// Status says what became of a query.
type Status string

// All statuses. Refused, Failed and TimedOut are failures: they carry score 0 and stay in every denominator.
const (
	OK        Status = "ok"
	Truncated Status = "truncated" // answered, from a context that was cut
	Empty     Status = "empty"     // answered with nothing but special tokens
	Refused   Status = "refused"   // not run: it would not fit the limits
	Failed    Status = "failed"
	TimedOut  Status = "timed_out"
)

// Failure reports whether a query with this status has no answer that could be judged.
func (s Status) Failure() bool { return s == Refused || s == Failed || s == TimedOut }

// Finish says why decoding ended.
type Finish string

// The reasons; NotDecoded stands where no token was decoded.
const (
	Stopped    Finish = "stop"   // an end token or a stop rule
	Length     Finish = "length" // the most new tokens the task allows
	NotDecoded Finish = ""
)

// Evidence says whether what the answer rests on was still in the prompt.
type Evidence string

// What can be known of the evidence.
const (
	EvidenceKept    Evidence = "kept"
	EvidenceCut     Evidence = "cut"
	EvidenceUnknown Evidence = "unknown" // the builder of the example did not record where it stands
)

// Key names one query of one run. It is the same in both files, and joins them.
type Key struct {
	Run     string  `parquet:"run,dict" doc:"run id: a hash of the resolved configuration, the data and the weights"`
	Task    string  `parquet:"task,dict" doc:"task name, as in datasets.All"`
	Example string  `parquet:"example,dict" doc:"example id, unique within its task"`
	Turn    int32   `parquet:"turn" doc:"turn within the example, from 1"`
	Mode    Mode    `parquet:"mode,dict" doc:"multi-turn, multi-request or single-turn"`
	History History `parquet:"history,dict" doc:"earlier answers in the prompt: gold, own, or none (multi-request, single-turn)"`
	Method  string  `parquet:"method,dict" doc:"resolved method spec, such as snapkv:budget=256,window=32,kernel=5"`
}

// Result is a row of results.parquet: all about one query that is a function of the inputs. A nil pointer is NULL.
// Append fills Run, SchemaVersion and AttentionShare. A column that is newer than oldestSchema says since when it is there, and is
// left out of JSON where it is empty, so that the checksums of older files hold.
type Result struct {
	Key
	Question int32  `parquet:"question" json:",omitzero" since:"3" doc:"place of the question in the data, from 1; other than turn where --shuffle or --repeat asks in another order"`
	Part     string `parquet:"part,dict" doc:"subtask of a mixed task, else empty"`
	Skill    string `parquet:"skill,dict" doc:"the skill that the task probes"`
	Profile  string `parquet:"profile,dict" doc:"named profile of data set and limits that the run was made with"`
	Seed     int64  `parquet:"seed" doc:"seed that the data were built with"`

	Model            string `parquet:"model,dict" json:",omitzero" since:"3" doc:"the model: reference, or the name of its folder; empty where answers were imported"`
	DataHash         string `parquet:"data_hash,dict" doc:"BLAKE3 of the task's data"`
	PromptHash       string `parquet:"prompt_hash" doc:"BLAKE3 of the token ids of the whole prompt, as little-endian int32"`
	TokenizerHash    string `parquet:"tokenizer_hash,dict" doc:"BLAKE3 of the tokenizer's file"`
	WeightsHash      string `parquet:"weights_hash,dict" doc:"BLAKE3 of the model's weights"`
	ChatTemplateHash string `parquet:"chat_template_hash,dict" doc:"BLAKE3 of the chat template, empty without one"`
	MethodHash       string `parquet:"method_hash,dict" doc:"BLAKE3 of the method's resolved settings"`
	ScorerVersion    string `parquet:"scorer_version,dict" doc:"version of the scoring functions"`
	SchemaVersion    int32  `parquet:"schema_version" doc:"version of these columns"`
	Build            string `parquet:"build,dict" doc:"version of the scbench binary"`
	KernelTier       string `parquet:"kernel_tier,dict" doc:"instruction set tier of the kernels; rows are byte-identical within a tier"`
	Precision        string `parquet:"precision,dict" doc:"number format of weights and cache"`

	Prediction    string   `parquet:"prediction" doc:"the answer, special tokens stripped; bytes that are not UTF-8 read U+FFFD"`
	PredictionRaw string   `parquet:"prediction_raw" doc:"the answer with its special tokens"`
	Answers       []string `parquet:"answers,list" doc:"gold answers"`
	ScoreStrict   *float64 `parquet:"score_strict,optional" doc:"score as published, bug for bug, in [0, 1]; 0 for failures; NULL where it does not apply"`
	ScoreFixed    *float64 `parquet:"score_fixed,optional" doc:"score as it should be, in [0, 1]; 0 for failures; NULL where it does not apply"`
	Status        Status   `parquet:"status,dict" doc:"ok, truncated, empty, or a failure: refused, failed, timed_out"`
	Error         *string  `parquet:"error,optional" doc:"why the query failed; NULL where it did not"`
	Finish        Finish   `parquet:"finish,dict" doc:"why decoding ended: stop or length; empty where nothing was decoded"`

	TruncatedTokens int32    `parquet:"truncated_tokens" doc:"context tokens dropped to fit the model"`
	Evidence        Evidence `parquet:"evidence,dict" doc:"whether what the answer rests on survived truncation: kept, cut, unknown"`
	EvidenceDepth   *float64 `parquet:"evidence_depth,optional" json:",omitzero" since:"3" doc:"where in the context that evidence stands, from 0 (its beginning) to 1: the mean of the middles of its spans; NULL where evidence is unknown"`
	ContextDeflated *float64 `parquet:"context_deflated,optional" json:",omitzero" since:"3" doc:"bytes of the context after DEFLATE over those before: the lower, the more it repeats itself; NULL where the context was not at hand"`
	PromptTokens    int32    `parquet:"prompt_tokens" doc:"tokens of the whole logical prompt, up to the answer"`
	CachedTokens    int32    `parquet:"cached_tokens" doc:"of the prompt's tokens, those that earlier turns had put into the cache; 0 at turn 1 and in single-turn mode"`
	ComputedTokens  int32    `parquet:"computed_tokens" doc:"prompt tokens that were computed for this query; turn 1, and every turn of single-turn mode, counts its first prompt, although others may share it"`
	NewTokens       int32    `parquet:"new_tokens" doc:"tokens decoded"`

	BudgetTokens      *int32  `parquet:"budget_tokens,optional" doc:"nominal budget of the method, in tokens; NULL where it has none"`
	KeptMin           int32   `parquet:"kept_min" doc:"tokens kept when the answer starts: least over layers and heads"`
	KeptMean          float64 `parquet:"kept_mean" doc:"tokens kept when the answer starts: mean over layers and heads"`
	KeptMax           int32   `parquet:"kept_max" doc:"tokens kept when the answer starts: most over layers and heads"`
	KeptHeads         []int32 `parquet:"kept_heads,list" json:",omitempty" since:"3" doc:"tokens kept when the answer starts by each KV head of each attention layer, layer by layer; only of the first question to a cache that lacks tokens, else empty"`
	KeptPlaces        []int32 `parquet:"kept_places,list" json:",omitempty" since:"3" doc:"tokens kept when the answer starts in each of 32 equal parts of the prompt, by all heads of a layer, layer by layer; empty where kept_heads is"`
	KVBytesLogical    int64   `parquet:"kv_bytes_logical" doc:"bytes a dense cache of the whole prompt would take"`
	KVBytesResident   int64   `parquet:"kv_bytes_resident" doc:"bytes this branch stores, shared ones included"`
	KVBytesShared     int64   `parquet:"kv_bytes_shared" doc:"of the resident bytes, those of the prefilled prompt itself, which all branches of that prompt hold together; 0 where a method made its own copy"`
	ReadBytesPerToken float64 `parquet:"read_bytes_per_token" doc:"bytes of keys, values and index that attention read per decoded token, mean; 0 where the answer is one token"`

	PrefillCells      int64    `parquet:"prefill_cells" doc:"attention cells (query, key, head, layer) computed for computed_tokens; where those are a first prompt, also those that its method computed to decide, by observing the prompt or running the model again, so that there may be more than dense ones"`
	PrefillCellsDense int64    `parquet:"prefill_cells_dense" doc:"attention cells dense causal attention would compute for them"`
	RecomputedShare   *float64 `parquet:"recomputed_share,optional" doc:"of the first prompt's tokens, the share computed in all layers; keys and values of the others are those of chunks computed apart, whose cells count in prefill_cells; NULL where a query computed no first prompt, and where no context is put together from chunks"`
	DecodeCells       int64    `parquet:"decode_cells" doc:"attention cells computed in decoding"`
	DecodeCellsDense  int64    `parquet:"decode_cells_dense" doc:"attention cells dense causal attention would compute in decoding"`
	AttentionShare    *float64 `parquet:"attention_share,optional" doc:"computed over dense cells, prefill and decoding together; NULL without attention"`

	FirstDivergingToken *int32   `parquet:"first_diverging_token,optional" doc:"first decoded token, from 0, that differs from full attention; NULL if none or not compared"`
	Top1Agreement       *float64 `parquet:"top1_agreement,optional" doc:"share of decoded tokens whose top choice is that of full attention; NULL if not compared"`
	KLFull              *float64 `parquet:"kl_full,optional" doc:"mean KL divergence (nats) of the next-token distribution from full attention's; NULL if not compared"`
}

// Timing is a row of timings.parquet: what the clock and the operating system said about one query.
// Durations are wall-clock seconds. Append copies the key from the Result.
type Timing struct {
	Key
	TTFT            float64   `parquet:"ttft_s" doc:"seconds from the start of the query's own work to its first token"`
	Prefill         float64   `parquet:"prefill_s" doc:"seconds of prefill: its share of the shared prefill and its own"`
	Chunks          float64   `parquet:"chunks_s" doc:"of prefill_s, seconds of a context's chunks, which a later prompt finds cached; 0 where they were, and where there are none"`
	Question        float64   `parquet:"question_s" doc:"seconds to extend the cache by the question"`
	Decode          float64   `parquet:"decode_s" doc:"seconds of decoding"`
	TokensPerSecond float64   `parquet:"tokens_per_s" doc:"decoded tokens per second of decoding; 0 where nothing was decoded"`
	Cache           float64   `parquet:"cache_s" doc:"seconds to observe the first prompt for the method, to run the model again for it, and to compress, recode or index the cache"`
	Token           []float64 `parquet:"token_s,list" doc:"seconds of each decoded token; empty if not recorded"`
	PeakRSS         int64     `parquet:"peak_rss_bytes" doc:"peak resident memory of the process so far, in bytes"`
	Started         int64     `parquet:"started,timestamp(microsecond)" doc:"when the query's work started, in microseconds since 1970 UTC"`
	Finished        int64     `parquet:"finished,timestamp(microsecond)" doc:"when its row was complete, in microseconds since 1970 UTC"`
}

// Row is one query as the journal holds it.
type Row struct {
	Result Result
	Timing Timing
}
