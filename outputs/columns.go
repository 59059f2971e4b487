package outputs

import (
	"reflect"
	"strconv"
	"strings"
)

// Column documents one column of one of the files.
type Column struct {
	File     string `json:"file"`     // results, timings or drift
	Name     string `json:"name"`     // as in the file
	Type     string `json:"type"`     // string, int32, int64, float64, timestamp[us], list<string>, list<int32>, list<float64>
	DuckDB   string `json:"duckdb"`   // the type that DuckDB gives it
	Nullable bool   `json:"nullable"` // whether it may hold NULL
	Since    int    `json:"since"`    // the schema version that brought it; those of the oldest that is read have that
	Doc      string `json:"doc"`
}

// Columns lists the columns of results, then those of timings, in the files' order. It is read from the struct tags of
// Result and Timing, the one place where columns are defined.
func Columns() []Column {
	cols := columnsOf("results", reflect.TypeFor[Result](), nil)
	return columnsOf("timings", reflect.TypeFor[Timing](), cols)
}

func columnsOf(file string, t reflect.Type, cols []Column) []Column {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			cols = columnsOf(file, f.Type, cols)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		c := Column{File: file, Name: name, Doc: f.Tag.Get("doc"), Nullable: f.Type.Kind() == reflect.Pointer, Since: since(f)}
		c.Type, c.DuckDB = typeNames(f.Type, options)
		cols = append(cols, c)
	}
	return cols
}

// since is the schema version that brought a field.
func since(f reflect.StructField) int {
	tag := f.Tag.Get("since")
	if tag == "" {
		return oldestSchema
	}
	n, err := strconv.Atoi(tag)
	if err != nil {
		panic("outputs: since of " + f.Name + ": " + err.Error())
	}
	return n
}

// narrowed is the struct type of t's columns, embedded ones included, that keep wants.
func narrowed(t reflect.Type, keep func(reflect.StructField) bool) reflect.Type {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if !f.Anonymous && keep(f) {
			f.Index, f.Offset = nil, 0
			fields = append(fields, f)
		}
	}
	return reflect.StructOf(fields)
}

// typeNames gives our name and DuckDB's for a Go type; a type that no column may have is a bug, and panics.
func typeNames(t reflect.Type, options string) (ours, duckdb string) {
	if strings.Contains(options, "timestamp") {
		return "timestamp[us]", "TIMESTAMP WITH TIME ZONE"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeNames(t.Elem(), options)
	case reflect.Slice:
		ours, duckdb = typeNames(t.Elem(), "")
		return "list<" + ours + ">", duckdb + "[]"
	case reflect.String:
		return "string", "VARCHAR"
	case reflect.Int32:
		return "int32", "INTEGER"
	case reflect.Int64:
		return "int64", "BIGINT"
	case reflect.Float64:
		return "float64", "DOUBLE"
	}
	panic("outputs: no column may have the type " + t.String())
}
