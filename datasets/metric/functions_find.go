package metric

import "slices"

// goFunctions finds func name[…](…) … {…}.
func goFunctions(c *code) (found []Function) {
	for i := range c.tokens {
		if c.at(i) != "func" || !c.isWord(i+1) {
			continue
		}
		at := i + 2
		if next := c.group(at, "["); next > 0 {
			at = next
		}
		if at = c.group(at, "("); at < 0 {
			continue
		}
		if body := c.goBody(at); body > 0 {
			found = append(found, c.function(i+1, i, body))
		}
	}
	return found
}

// goBody is the token that opens the body of a function whose results begin at i, or -1.
func (c *code) goBody(i int) int {
	for i < len(c.tokens) {
		switch word := c.at(i); {
		case word == "{":
			if c.match[i] < i {
				return -1
			}
			return i
		case c.newline(i):
			return -1
		case (word == "struct" || word == "interface") && c.group(i+1, "{") > 0:
			i = c.match[i+1] + 1
		case c.match[i] > i:
			i = c.match[i] + 1
		case word == ";" || word == "func" && c.isWord(i+1):
			return -1
		default:
			i++
		}
	}
	return -1
}

// rustFunctions finds pub async fn name<…>(…) -> … where … {…}.
func rustFunctions(c *code) (found []Function) {
	for i := range c.tokens {
		if c.at(i) != "fn" || !c.isWord(i+1) {
			continue
		}
		at := i + 2
		if c.at(at) == "<" {
			at = c.angles(at)
		}
		if at = c.group(max(at, 0), "("); at < 0 {
			continue
		}
		for at < len(c.tokens) && c.at(at) != "{" && c.at(at) != ";" && c.at(at) != "}" && (c.at(at) != "fn" || !c.isWord(at+1)) {
			at = max(at+1, c.match[at]+1)
		}
		if c.group(at, "{") > 0 {
			found = append(found, c.function(i+1, c.rustStart(i), at))
		}
	}
	return found
}

// rustStart walks back from fn over its modifiers.
func (c *code) rustStart(i int) int {
	for {
		switch c.at(i - 1) {
		case "async", "const", "unsafe", "extern", "default", "pub":
			i--
		case `"`: // extern "C"
			if c.at(i-2) != "extern" {
				return i
			}
			i -= 2
		case ")": // pub(crate)
			if open := c.match[i-1]; open > 0 && c.at(open-1) == "pub" {
				i = open - 1
				continue
			}
			return i
		default:
			return i
		}
	}
}

// typescriptFunctions finds function declarations: async function name<…>(…): … {…} where a statement may begin.
func typescriptFunctions(c *code) (found []Function) {
	for i := range c.tokens {
		if c.at(i) != "function" || !c.isWord(i+1) {
			continue
		}
		start := i
		if c.at(i-1) == "async" {
			start--
		}
		at := i + 2
		if c.at(at) == "<" {
			at = c.angles(at)
		}
		if at = c.group(max(at, 0), "("); at < 0 || !c.statement(start) {
			continue
		}
		if at = c.typescriptBody(at); at > 0 {
			found = append(found, c.function(i+1, start, at))
		}
	}
	return found
}

// statement reports whether a statement of TypeScript may begin at token i.
func (c *code) statement(i int) bool {
	switch c.at(i - 1) {
	case "", ";", "{", "}", "export", "default", "declare", "else", "do":
		return true
	case "=", "(", ",", ":", "?", "[", "+", "-", "*", "/", "%", "&", "|", "!", "<", "~", "^", ".", "return", "typeof", "void", "new", "await", "yield":
		return false
	case ">":
		return c.at(i-2) != "=" && c.newline(i) // an arrow's body is an expression
	}
	return c.newline(i) || c.at(i-1) == ")"
}

// typescriptBody is the token that opens the body of a function whose parameters end before i, or -1. A brace where a type must
// stand is an object type.
func (c *code) typescriptBody(i int) int {
	typed := c.at(i) == ":"
	for i < len(c.tokens) {
		word := c.at(i)
		if word == "{" {
			before := c.at(i - 1)
			object := typed && (slices.Contains([]string{":", "|", "&", "<", ",", "is", "extends"}, before) || before == ">" && c.at(i-2) == "=")
			if !object {
				if c.match[i] < i {
					return -1
				}
				return i
			}
		}
		if word == ";" || word == "}" || word == "function" || !typed {
			return -1
		}
		i = max(i+1, c.match[i]+1)
	}
	return -1
}

// notTypes are words that stand before a name and its parameters where neither type nor name is meant.
var notTypes = []string{"new", "return", "else", "throw", "record", "class", "interface", "enum", "case", "do", "package", "import", "instanceof", "assert",
	"yield", "goto", "delete", "operator", "using", "typedef", "co_return", "co_await", "co_yield"}

// notNames are words before parentheses that are no function's name.
var notNames = []string{"if", "for", "while", "switch", "catch", "synchronized", "try", "super", "this", "return", "new", "throw", "else", "do", "when", "assert",
	"sizeof", "decltype", "alignas", "alignof", "noexcept", "throws", "defined", "constexpr", "requires", "static_assert", "operator"}

// javaFunctions finds methods: modifiers type name(…) throws … {…}.
func javaFunctions(c *code) (found []Function) {
	for i := range c.tokens {
		at := c.group(i+1, "(")
		if at < 0 || !c.isWord(i) || slices.Contains(notNames, c.at(i)) || !c.typeBefore(i) {
			continue
		}
		for c.at(at) == "[" {
			next := c.group(at, "[")
			if next < 0 {
				break
			}
			at = next
		}
		if c.at(at) == "throws" {
			for at < len(c.tokens) && c.at(at) != "{" && c.at(at) != "(" && c.at(at) != ";" && c.at(at) != "}" {
				at++
			}
		}
		if c.group(at, "{") > 0 {
			found = append(found, c.function(i, c.start(i), at))
		}
	}
	return found
}

// typeBefore reports whether what stands before token i can be the end of a type.
func (c *code) typeBefore(i int) bool {
	switch before := c.at(i - 1); before {
	case ">":
		return c.at(i-2) != "-"
	case "]":
		return true
	default:
		return c.isWord(i-1) && !slices.Contains(notTypes, before) && !slices.Contains(notNames, before) && !('0' <= before[0] && before[0] <= '9')
	}
}

// start walks back from token i to the first behind the last statement or block, over the arguments of annotations.
func (c *code) start(i int) int {
	for i > 0 {
		switch before := c.at(i - 1); before {
		case ";", "{", "}":
			return i
		case ")", "]":
			if open := c.match[i-1]; open >= 0 {
				i = open
				continue
			}
			return i
		case "(", "[":
			return i
		}
		i--
	}
	return 0
}

// cppFunctions finds type name(…) … {…} outside classes and other functions.
func cppFunctions(c *code) (found []Function) {
	start, space := 0, false // of the declaration that is being read; whether it opens a namespace
	for i := 0; i < len(c.tokens); i++ {
		switch word := c.at(i); word {
		case "template":
			if next := c.angles(i + 1); next > 0 {
				i = next - 1
				start = next
			}
		case "namespace", "extern":
			space = true
		case ";", "}":
			start, space = i+1, false
		case "{":
			if !space && c.match[i] > i { // a class, an initial value, or what is not understood
				i = c.match[i]
			}
			start, space = i+1, false
		case "(":
			if c.match[i] < i {
				continue
			}
			name := i - 1
			body := c.cppBody(c.match[i] + 1)
			i = c.match[i]
			if body < 0 {
				continue
			}
			if name > start && c.isWord(name) && !slices.Contains(notNames, c.at(name)) && c.typeBefore(name) {
				found = append(found, c.function(name, start, body))
			}
			i = c.match[body]
			start, space = i+1, false
		}
	}
	return found
}

// cppBody is the token that opens the body of a function whose parameters end before i, or -1. Between them may stand some groups: noexcept(…),
// requires (…), decltype(…).
func (c *code) cppBody(i int) int {
	for groups := 0; i < len(c.tokens); {
		switch c.at(i) {
		case "{":
			if c.match[i] < i {
				return -1
			}
			return i
		case ";", "}", "=", ",", ")":
			return -1
		case "(":
			before := c.at(i - 1)
			if groups++; groups > 4 || c.match[i] < i || before != "noexcept" && before != "requires" && before != "decltype" {
				return -1
			}
			i = c.match[i] + 1
		default:
			i++
		}
	}
	return -1
}
