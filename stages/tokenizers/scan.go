package tokenizers

// scanner is a hand-written form of a split pattern that matches at every position: it returns the end of the match that
// begins at s[i]. A test compares each with its pattern.
type scanner struct {
	pattern string
	scan    func(c *classes, s string, i int) int
}

// The split patterns that the supported models use.
const (
	gpt2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	// GPT-4's cl100k with at most three digits a word: Llama 3, GLM-4.
	llama3Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	qwen2Pattern  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// OpenAI's o200k, which cuts words where a capital follows a small letter: GPT-4o, Phi-4-mini, Llama 4.
	gpt4oPattern = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// Mistral's Tekken, the same without contractions and with single digits: Mistral-Nemo.
	tekkenPattern = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// The embedded reference model: hexadecimal text in pairs, punctuation with single spaces kept together.
	referencePattern = `-?(?:[0-9][0-9a-f]|[a-f][0-9])|[0-9]| ?[A-Za-z]+| ?[^ \t\r\nA-Za-z0-9]+(?: [^ \t\r\nA-Za-z0-9]+)*|[\r\n]+|[ \t]+`
)

var scanners = []scanner{
	{gpt2Pattern, scanGPT2},
	{llama3Pattern, func(c *classes, s string, i int) int { return scanGPT4(c, s, i, 3) }},
	{qwen2Pattern, func(c *classes, s string, i int) int { return scanGPT4(c, s, i, 1) }},
	{gpt4oPattern, casedScanner(3, true)},
	{tekkenPattern, casedScanner(1, false)},
	{referencePattern, func(_ *classes, s string, i int) int { return scanReference(s, i) }},
}

func scanGPT2(c *classes, s string, i int) int {
	if s[i] == '\'' {
		if n := contraction(s[i+1:], false); n > 0 {
			return i + 1 + n
		}
	}
	k, w := c.at(s, i)
	if s[i] == ' ' && i+1 < len(s) {
		if next, width := c.at(s, i+1); next&blank == 0 {
			k, w = next, 1+width
		}
	}
	switch k {
	case letter, number:
		return c.run(s, i+w, k)
	case 0:
		return c.runOther(s, i+w)
	}
	return c.spaces(s, i, false)
}

func scanGPT4(c *classes, s string, i, digits int) int {
	if s[i] == '\'' {
		if n := contraction(s[i+1:], true); n > 0 {
			return i + 1 + n
		}
	}
	k, w := c.at(s, i)
	if k == letter {
		return c.run(s, i+w, letter)
	}
	if k&(newline|number) == 0 && i+w < len(s) {
		if next, width := c.at(s, i+w); next == letter {
			return c.run(s, i+w+width, letter)
		}
	}
	return scanRest(c, s, i, digits, false)
}

// scanRest matches what is no word of letters: \p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+, with [\r\n/]* if
// slash is set.
func scanRest(c *classes, s string, i, digits int, slash bool) int {
	k, w := c.at(s, i)
	if k == number {
		for end, n := i, 0; ; n++ {
			if end == len(s) || n == digits {
				return end
			}
			if k, w = c.at(s, end); k != number {
				return end
			}
			end += w
		}
	}
	if s[i] == ' ' && i+1 < len(s) {
		if next, width := c.at(s, i+1); next == 0 {
			k, w = 0, 1+width
		}
	}
	if k != 0 {
		return c.spaces(s, i, true)
	}
	end := c.runOther(s, i+w)
	for end < len(s) && (s[end] == '\r' || s[end] == '\n' || slash && s[end] == '/') {
		end++
	}
	return end
}

// spaces matches \s+(?!\S)|\s+ at white space, after \s*[\r\n]+ if lines is set: up to the last line end of the run, or
// else all of the run but the last character, which goes with the word that follows.
func (c *classes) spaces(s string, i int, lines bool) int {
	last, end, line := i, i, i
	for end < len(s) {
		k, w := c.at(s, end)
		if k&blank == 0 {
			break
		}
		last, end = end, end+w
		if k == newline {
			line = end
		}
	}
	switch {
	case lines && line > i:
		return line
	case end == len(s) || last == i:
		return end
	}
	return last
}

// contraction returns the length of s, t, re, ve, m, ll or d at the start of a text, in any case if fold is set; then ſ
// is an s too.
func contraction(s string, fold bool) int {
	if len(s) == 0 {
		return 0
	}
	a, b := s[0], byte(0)
	if len(s) > 1 {
		b = s[1]
	}
	if fold {
		if a == 0xC5 && b == 0xBF { // ſ in UTF-8
			return 2
		}
		a, b = lower(a), lower(b)
	}
	switch a {
	case 's', 't', 'm', 'd':
		return 1
	case 'r', 'v':
		if b == 'e' {
			return 2
		}
	case 'l':
		if b == 'l' {
			return 2
		}
	}
	return 0
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

func scanReference(s string, i int) int {
	at := func(j int) byte {
		if j < len(s) {
			return s[j]
		}
		return ' '
	}
	j := i
	if s[j] == '-' {
		j++
	}
	if a, b := at(j), at(j+1); isDigit(a) && isHex(b) || 'a' <= a && a <= 'f' && isDigit(b) {
		return j + 2
	}
	if isDigit(s[i]) {
		return i + 1
	}
	j = i
	if s[j] == ' ' && i+1 < len(s) {
		j++
	}
	switch {
	case isASCIILetter(s[j]):
		return runBytes(s, j, isASCIILetter)
	case isSymbol(s[j]):
		end := runBytes(s, j, isSymbol)
		for at(end) == ' ' && isSymbol(at(end+1)) {
			end = runBytes(s, end+1, isSymbol)
		}
		return end
	case s[i] == '\r' || s[i] == '\n':
		return runBytes(s, i, func(b byte) bool { return b == '\r' || b == '\n' })
	}
	return runBytes(s, i, func(b byte) bool { return b == ' ' || b == '\t' })
}

func runBytes(s string, i int, in func(byte) bool) int {
	for i < len(s) && in(s[i]) {
		i++
	}
	return i
}

func isDigit(b byte) bool       { return '0' <= b && b <= '9' }
func isHex(b byte) bool         { return isDigit(b) || 'a' <= b && b <= 'f' }
func isASCIILetter(b byte) bool { return 'a' <= lower(b) && lower(b) <= 'z' }

// isSymbol is [^ \t\r\nA-Za-z0-9], byte by byte, which is the same in UTF-8.
func isSymbol(b byte) bool {
	return b != ' ' && b != '\t' && b != '\r' && b != '\n' && !isDigit(b) && !isASCIILetter(b)
}
