package metric

// pythonFunctions finds def and async def, from that word to the end of the last statement that is indented further.
func pythonFunctions(c *code) (found []Function) {
	type open struct{ function, indent int }
	var stack []open
	end := 0 // of the last logical line
	closeTo := func(indent int) {
		for len(stack) > 0 && stack[len(stack)-1].indent >= indent {
			found[stack[len(stack)-1].function].Hi = end
			stack = stack[:len(stack)-1]
		}
	}
	for i := 0; i < len(c.tokens); {
		next := c.logicalLine(i)
		indent := c.indent(i)
		closeTo(indent)
		def := i
		if c.at(i) == "async" {
			def++
		}
		if c.at(def) == "def" && c.isWord(def+1) && (c.at(def+2) == "(" || c.at(def+2) == "[") && next > def+2 {
			found = append(found, Function{Name: c.at(def + 1), Lo: c.tokens[i].lo})
			stack = append(stack, open{len(found) - 1, indent})
		}
		end = c.tokens[next-1].hi
		i = next
	}
	closeTo(-1)
	return found
}

// logicalLine is the token behind the line that begins at i: the first on a new line outside brackets, with no backslash before it.
func (c *code) logicalLine(i int) int {
	for next := i; ; {
		if c.match[next] > next {
			next = c.match[next]
		}
		next++
		if next >= len(c.tokens) || c.newline(next) && c.at(next-1) != `\` {
			return min(next, len(c.tokens))
		}
	}
}

// indent is the column of token i, which is the first of its line; a tab goes to the next multiple of eight.
func (c *code) indent(i int) int {
	lo := c.tokens[i].lo
	from := lo
	for from > 0 && (c.text[from-1] == ' ' || c.text[from-1] == '\t') {
		from--
	}
	column := 0
	for _, b := range []byte(c.text[from:lo]) {
		if column++; b == '\t' {
			column = (column + 7) &^ 7
		}
	}
	return column
}
