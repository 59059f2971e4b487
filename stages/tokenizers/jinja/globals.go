package jinja

import (
	"fmt"
	"strings"
	"time"
)

// globals are the functions that Hugging Face gives to templates.
func globals(now time.Time) map[string]any {
	vars := map[string]any{}
	for _, f := range []*function{
		{"range", rangeOf},
		{"dict", func(r *run, a args) any {
			r.bind("dict", args{placed: a.placed})
			d := NewDict()
			for i, name := range a.names {
				d.set(name, a.named[i])
			}
			return d
		}},
		{"namespace", func(r *run, a args) any {
			d := NewDict()
			if len(a.placed) == 1 {
				from, ok := a.placed[0].(*Dict)
				if !ok {
					r.fail("namespace takes a dict, not a %s", typeName(a.placed[0]))
				}
				for i, k := range from.keys {
					d.set(k, from.values[i])
				}
			}
			for i, name := range a.names {
				d.set(name, a.named[i])
			}
			return &namespace{d}
		}},
		{"raise_exception", func(r *run, a args) any {
			panic(failure{&Raised{r.str(or(r.bind("raise_exception", a, "message")[0], ""))}})
		}},
		{"strftime_now", func(r *run, a args) any {
			return r.strftime(now, r.text("a time format", r.bind("strftime_now", a, "format")[0]))
		}},
	} {
		vars[f.name] = f
	}
	return vars
}

func rangeOf(r *run, a args) any {
	b := r.bind("range", a, "start", "stop", "step")
	start, stop, step := int64(0), r.integer("a bound of range", b[0]), int64(1)
	if _, one := b[1].(absent); !one {
		start, stop = stop, r.integer("a bound of range", b[1])
	}
	if _, none := b[2].(absent); !none {
		step = r.integer("the step of range", b[2])
	}
	if step == 0 {
		r.fail("the step of range is zero")
	}
	out := &List{kind: ranged}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		r.items(1)
		out.items = append(out.items, i)
		if next := i + step; (next > i) != (step > 0) {
			break // beyond 64 bits
		}
	}
	return out
}

// strftime formats a time as C does, for the directives that templates use.
func (r *run) strftime(now time.Time, format string) string {
	layouts := map[byte]string{
		'd': "02", 'm': "01", 'Y': "2006", 'y': "06", 'b': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday",
		'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'j': "002", 'e': "_2", 'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06",
	}
	r.make(8 * len(format))
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		i++
		unpadded := i < len(format) && format[i] == '-'
		if unpadded {
			i++
		}
		if i < len(format) && format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		layout := ""
		if i < len(format) {
			layout = layouts[format[i]]
		}
		if layout == "" {
			panic(failure{fmt.Errorf("strftime_now: format %q is not supported", format)})
		}
		s := now.Format(layout)
		if unpadded {
			s = strings.TrimLeft(s, "0 ")
			if s == "" {
				s = "0"
			}
		}
		b.WriteString(s)
	}
	return b.String()
}
