package outputs

import (
	"io"
	"reflect"
)

// DriftFile is what an analysis of attention drift leaves in a folder.
const DriftFile = "drift.parquet"

// DriftFull is the method of the rows that describe full attention.
const DriftFull = "full"

// Drift is one row of a drift file: what one head attends to when one token of a long answer is generated.
//
// The rows of method full describe the attention itself: p, over all tokens so far, against prefill, the mean over the last rows of the
// prompt. Position -1 is those rows themselves, each measured as a generated token is, on average: what there was of change
// before anything was generated. The rows of another method say how much of p that method's query read at the same token; the columns
// that describe p are NULL in them, so that a mean over the column is one over tokens.
type Drift struct {
	Task     string `parquet:"task,dict" doc:"task of the prompt"`
	Example  string `parquet:"example,dict" doc:"id of the example"`
	Turn     int32  `parquet:"turn" doc:"its question, from 1"`
	Method   string `parquet:"method,dict" doc:"full: the row describes full attention; else the method whose choice is laid against it"`
	Layer    int32  `parquet:"layer" doc:"attention layer, from 0"`
	Head     int32  `parquet:"head" doc:"query head, from 0"`
	Position int32  `parquet:"position" doc:"generated token, from 0; -1: the last rows of the prompt"`
	Prompt   int32  `parquet:"prompt_tokens" doc:"tokens of the prompt"`
	Token    int32  `parquet:"token" doc:"id of the generated token, which is full attention's greedy choice; -1 at position -1"`
	Ended    int32  `parquet:"ended" doc:"1: the answer had ended before this token or with it, and generation was made to go on; else 0"`

	Overlap       *float64 `parquet:"overlap" doc:"share of the top keys of prefill that are top keys of p, among the prompt's"`
	TopMass       *float64 `parquet:"top_mass" doc:"share of p on the top keys of prefill"`
	GeneratedMass *float64 `parquet:"generated_mass" doc:"share of p on tokens generated before, the token's own included"`
	Entropy       *float64 `parquet:"entropy" doc:"entropy of p in nats"`
	Divergence    *float64 `parquet:"divergence" doc:"Jensen-Shannon divergence in nats, from 0 to ln 2, of prefill and p as it is within the prompt"`
	// DistanceMass is a profile: entry 0 for the token itself, entry i for tokens 2^(i-1) to 2^i-1 before it.
	DistanceMass []float64 `parquet:"distance_mass,list" doc:"share of p by distance: entry 0 the token itself, entry i tokens 2^(i-1) to 2^i-1 before it; empty unless the method is full"`

	KeysRead   *float64 `parquet:"keys_read" doc:"tokens that the method's query read; NULL for full"`
	ReadMass   *float64 `parquet:"read_mass" doc:"share of p on the tokens that the method's query read; NULL for full"`
	PromptMass *float64 `parquet:"prompt_mass" doc:"of what p has on the prompt, the share that the method's query read; NULL for full"`
	ReadTop    *float64 `parquet:"read_top" doc:"share of the top keys of p, generated tokens included, that the method's query read; NULL for full"`
}

// DriftColumns documents the columns of a drift file.
func DriftColumns() []Column { return columnsOf("drift", reflect.TypeFor[Drift](), nil) }

// DriftWriter streams rows to a drift file; the same rows give the same bytes.
type DriftWriter struct{ rows *rowWriter[Drift] }

// NewDriftWriter begins a file on w.
func NewDriftWriter(w io.Writer) DriftWriter { return DriftWriter{newRowWriter[Drift](w)} }

// Describe stores a property of the analysis with the file: what its rows depend on.
func (d DriftWriter) Describe(key, value string) { d.rows.w.SetKeyValueMetadata(key, value) }

// Write adds a row.
func (d DriftWriter) Write(row Drift) error { return d.rows.write(row) }

// Close ends the file, which is none without.
func (d DriftWriter) Close() error { return d.rows.close() }

// EachDrift calls visit with the rows of a drift file, in order, as EachResult does.
func EachDrift(path string, visit func(*Drift) error) error { return each(path, visit) }
