package jinja

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonWriter writes values as Python's json.dumps does, without sorting or escaping for HTML.
type jsonWriter struct {
	r           *run
	b           strings.Builder
	indent      string // one level; used if pretty
	pretty      bool
	ascii       bool
	sorted      bool
	comma, lead string // after an item, and after a key
}

func (w *jsonWriter) put(s string) {
	w.r.make(len(s))
	w.b.WriteString(s)
}

func (w *jsonWriter) value(v any, level int) {
	w.r.enter()
	defer w.r.leave()
	switch v := v.(type) {
	case nil:
		w.put("null")
	case bool:
		w.put(strconv.FormatBool(v))
	case int64:
		w.put(strconv.FormatInt(v, 10))
	case float64:
		w.put(jsonFloat(v))
	case string:
		w.str(v)
	case *List:
		if v.kind > tuple {
			w.r.fail("a %s has no JSON form; make a list of it with |list", typeName(v))
		}
		w.all("[", "]", len(v.items), level, func(i int) { w.value(v.items[i], level+1) })
	case *Dict:
		order := w.order(v)
		w.all("{", "}", len(v.keys), level, func(i int) {
			w.str(jsonKey(w.r, v.keys[order[i]]))
			w.put(w.lead)
			w.value(v.values[order[i]], level+1)
		})
	default:
		w.r.fail("a %s has no JSON form", typeName(v))
	}
}

func (w *jsonWriter) all(open, end string, n, level int, one func(i int)) {
	if n == 0 {
		w.put(open + end)
		return
	}
	line := func(level int) {
		if w.pretty {
			w.put("\n")
			w.put(w.r.repeat(w.indent, int64(level)))
		}
	}
	w.put(open)
	for i := range n {
		if i > 0 {
			w.put(w.comma)
		}
		line(level + 1)
		one(i)
	}
	line(level)
	w.put(end)
}

func (w *jsonWriter) order(d *Dict) []int {
	order := make([]int, len(d.keys))
	for i := range order {
		order[i] = i
	}
	if w.sorted {
		w.r.sort(order, func(a, b int) int { return w.r.compare(d.keys[a], d.keys[b]) })
	}
	return order
}

func jsonKey(r *run, key any) string {
	switch k := key.(type) {
	case string:
		return k
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(k)
	case float64:
		return jsonFloat(k)
	}
	return r.str(key)
}

func jsonFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	}
	return formatFloat(f)
}

var jsonEscapes = map[byte]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`}

func (w *jsonWriter) str(s string) {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); {
		c := s[i]
		switch escape, ok := jsonEscapes[c]; {
		case ok:
			b.WriteString(escape)
			i++
		case c < ' ':
			b.WriteString(`\u00` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
			i++
		case c < utf8.RuneSelf || !w.ascii:
			b.WriteByte(c)
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r >= 0x10000 {
				r -= 0x10000
				b.WriteString(escapeRune(0xD800+r>>10) + escapeRune(0xDC00+r&0x3FF))
			} else {
				hex := strconv.FormatInt(int64(r), 16)
				b.WriteString(`\u` + strings.Repeat("0", 4-len(hex)) + hex)
			}
			i += n
		}
	}
	b.WriteByte('"')
	w.put(b.String())
}

// tojson is Hugging Face's filter of that name.
func tojson(r *run, v any, a args) any {
	b := r.bind("tojson", a, "ensure_ascii", "indent", "separators", "sort_keys")
	w := &jsonWriter{r: r, comma: ", ", lead: ": ", ascii: truth(or(b[0], false)), sorted: truth(or(b[3], false))}
	if indent := or(b[1], nil); indent != nil {
		w.pretty, w.comma = true, ","
		if s, ok := indent.(string); ok {
			w.indent = s
		} else {
			w.indent = r.repeat(" ", r.integer("indent", indent))
		}
	}
	if pair, ok := or(b[2], nil).(*List); ok && len(pair.items) == 2 {
		w.comma, w.lead = r.text("a separator", pair.items[0]), r.text("a separator", pair.items[1])
	}
	w.value(v, 0)
	return w.b.String()
}
