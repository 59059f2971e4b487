package outputs

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// prepare makes a row fit to be stored: it fills what is derived, replaces bytes that are not UTF-8, and refuses what
// no honest query can have measured. The error names the query and the column.
func prepare(run string, r *Result, t *Timing) error {
	r.Run = run
	r.SchemaVersion = SchemaVersion
	r.AttentionShare = nil
	if dense := r.PrefillCellsDense + r.DecodeCellsDense; dense > 0 {
		share := float64(r.PrefillCells+r.DecodeCells) / float64(dense)
		r.AttentionShare = &share
	}
	tidy(reflect.ValueOf(r).Elem())
	t.Key = r.Key
	tidy(reflect.ValueOf(t).Elem())
	for _, err := range []error{checkValues(reflect.ValueOf(r).Elem()), checkValues(reflect.ValueOf(t).Elem()), checkResult(r)} {
		if err != nil {
			return fmt.Errorf("outputs: row %s: %w", r.label(), err)
		}
	}
	return nil
}

// label shows the key in one line, for messages.
func (k Key) label() string {
	return fmt.Sprintf("%s/%s turn %d (%s, %s history, %s)", k.Task, k.Example, k.Turn, k.Mode, k.History, k.Method)
}

// tidy makes every string valid UTF-8, as Parquet requires, and every list non-nil, as it reads back.
// It never writes through a pointer or a slice that the caller still holds.
func tidy(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			tidy(v.Field(i))
		}
	case reflect.String:
		v.SetString(strings.ToValidUTF8(v.String(), "\uFFFD"))
	case reflect.Slice:
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
		for i := range c.Len() {
			tidy(c.Index(i))
		}
		v.Set(c)
	case reflect.Pointer:
		if !v.IsNil() {
			p := reflect.New(v.Type().Elem())
			p.Elem().Set(v.Elem())
			tidy(p.Elem())
			v.Set(p)
		}
	}
}

// checkValues refuses numbers that are not finite and counts below zero; only a seed may be negative.
func checkValues(v reflect.Value) error {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if f.Kind() == reflect.Pointer {
			if f.IsNil() {
				continue
			}
			f = f.Elem()
		}
		switch {
		case f.CanFloat() && !finite(f.Float()), f.CanInt() && f.Int() < 0 && name != "Seed":
			column, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("parquet"), ",")
			return fmt.Errorf("column %s holds %v; every measure is finite and not negative", column, f.Interface())
		case f.Type() == reflect.TypeFor[[]float64]():
			if i := slices.IndexFunc(f.Interface().([]float64), func(x float64) bool { return !finite(x) }); i >= 0 {
				return fmt.Errorf("token_s[%d] is not finite", i)
			}
		case f.Type() == reflect.TypeFor[[]int32]():
			if i := slices.IndexFunc(f.Interface().([]int32), func(n int32) bool { return n < 0 }); i >= 0 {
				column, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("parquet"), ",")
				return fmt.Errorf("%s[%d] is below 0", column, i)
			}
		}
	}
	return nil
}

// finite also refuses numbers below zero: no measure of ours has them.
func finite(x float64) bool { return x >= 0 && !math.IsInf(x, 1) }

// rounding is what a mean of token counts may lie outside their range by, in tokens.
const rounding = 1e-6

// checkResult refuses rows that contradict themselves.
func checkResult(r *Result) error {
	switch {
	case r.Task == "" || r.Example == "" || r.Method == "":
		return fmt.Errorf("the key lacks a task, an example or a method")
	case r.Turn < 1:
		return fmt.Errorf("turns count from 1, not from %d", r.Turn)
	case r.Question < 1:
		return fmt.Errorf("questions count from 1, not from %d", r.Question)
	case !slices.Contains(Modes, r.Mode):
		return fmt.Errorf("unknown mode %q", r.Mode)
	case !slices.Contains([]History{GoldHistory, OwnHistory, NoHistory}, r.History):
		return fmt.Errorf("unknown history %q", r.History)
	case !slices.Contains([]Finish{Stopped, Length, NotDecoded}, r.Finish):
		return fmt.Errorf("unknown finish %q", r.Finish)
	case !slices.Contains([]Evidence{EvidenceKept, EvidenceCut, EvidenceUnknown}, r.Evidence):
		return fmt.Errorf("unknown evidence %q", r.Evidence)
	case !slices.Contains([]Status{OK, Truncated, Empty, Refused, Failed, TimedOut}, r.Status):
		return fmt.Errorf("unknown status %q", r.Status)
	case r.CachedTokens > r.PromptTokens:
		return fmt.Errorf("cached_tokens %d exceeds prompt_tokens %d", r.CachedTokens, r.PromptTokens)
	case len(r.KeptHeads) == 0 && len(r.KeptPlaces) > 0 || len(r.KeptPlaces)%KeptParts != 0:
		return fmt.Errorf("kept_places has %d numbers beside %d kept_heads; want %d for each layer", len(r.KeptPlaces), len(r.KeptHeads), KeptParts)
	case r.EvidenceDepth != nil && *r.EvidenceDepth > 1:
		return fmt.Errorf("evidence_depth %g is not in [0, 1]", *r.EvidenceDepth)
	case r.KVBytesShared > r.KVBytesResident:
		return fmt.Errorf("kv_bytes_shared %d exceeds kv_bytes_resident %d", r.KVBytesShared, r.KVBytesResident)
	case r.KeptMean < float64(r.KeptMin)-rounding || r.KeptMean > float64(r.KeptMax)+rounding:
		return fmt.Errorf("kept_min %d, kept_mean %g, kept_max %d are not in order", r.KeptMin, r.KeptMean, r.KeptMax)
	}
	for _, score := range []*float64{r.ScoreStrict, r.ScoreFixed} {
		switch {
		case score != nil && *score > 1:
			return fmt.Errorf("score %g is not in [0, 1]", *score)
		case r.Status.Failure() && (score == nil || *score != 0):
			return fmt.Errorf("status %s must carry score 0, so that it stays in the denominator", r.Status)
		}
	}
	return nil
}
