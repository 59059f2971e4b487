// Package plain makes text that a model or a data set wrote harmless where it is shown: on a terminal, on a page, and in the
// formats that tables and pictures have.
package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line makes text that a model or a data set wrote safe to show on a terminal: one line, valid UTF-8, no escape
// sequences, no control characters (C0, DEL, C1), no invisible or direction-changing characters. White space of any kind
// becomes one space per character; sequences are dropped with their parameters and payload. Line(Line(s)) == Line(s).
func Line(s string) string {
	if printable(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		if n := escape(s); n > 0 {
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s) // RuneError for a byte that is not UTF-8
		s = s[n:]
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case !hidden(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Visible makes text that a model or a data set wrote safe to show where lines and tabs may stay, such as a page: every other
// character that Line drops is named instead, U+202E as ⟨U+202E⟩. It is cut after most characters, with a note of how many follow.
func Visible(s string, most int) string {
	var b strings.Builder
	n := 0
	for i, r := range s { // U+FFFD for a byte that is not UTF-8
		if n == most {
			fmt.Fprintf(&b, "… (%d more characters)", utf8.RuneCountInString(s[i:]))
			break
		}
		n++
		switch {
		case r == '\n' || r == '\t' || !hidden(r) && r != '\u2028' && r != '\u2029':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		}
	}
	return b.String()
}

// printable reports whether s is printable ASCII, the common case.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// hidden reports whether r has no glyph of its own and may change what others look like, or carry text nobody sees.
func hidden(r rune) bool {
	switch {
	case unicode.IsControl(r), // C0, DEL, C1
		r == 0x00AD, r == 0x034F, r == 0x061C, r == 0x180E, // soft hyphen, joiners, an Arabic mark
		r >= 0x200B && r <= 0x200F, // zero width, left-to-right and right-to-left marks
		r >= 0x202A && r <= 0x202E, // embeddings and overrides of direction
		r >= 0x2060 && r <= 0x206F, // word joiner, isolates, deprecated formats
		r == 0xFEFF, r >= 0xFFF9 && r <= 0xFFFB,
		r >= 0xE0000 && r <= 0xE0FFF: // tags, supplementary variation selectors
		return true
	}
	return false
}

// escape returns the length of the escape sequence that s begins with, or 0. ESC and the C1 controls open the same kinds:
// a CSI ends with a byte in @…~, a string (DCS, SOS, OSC, PM, APC) with BEL or ST; neither goes past a line end.
func escape(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	if r == 0x1B && len(s) > 1 && s[1] >= '@' && s[1] <= '_' {
		r, n = rune(s[1])+0x40, 2 // ESC [ is U+009B, and so on
	}
	switch r {
	case 0x1B:
		return n + designation(s[n:])
	case 0x9B:
		return n + controlSequence(s[n:])
	case 0x90, 0x98, 0x9D, 0x9E, 0x9F:
		return n + controlString(s[n:])
	}
	if r >= 0x80 && r <= 0x9F {
		return n
	}
	return 0
}

// designation is what follows ESC in a sequence such as ESC ( B: intermediate bytes and one final.
func designation(s string) int {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] <= '/' {
		i++
	}
	if i < len(s) && s[i] >= '0' && s[i] <= '~' {
		i++
	}
	return i
}

func controlSequence(s string) int {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] <= '?' {
		i++
	}
	if i < len(s) && s[i] >= '@' && s[i] <= '~' {
		i++
	}
	return i
}

func controlString(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\n' || r == '\r':
			return i
		case r == 0x07 || r == 0x9C:
			return i + n
		case strings.HasPrefix(s[i:], "\x1b\\"):
			return i + 2
		}
		i += n
	}
	return len(s)
}
