package tokenizers

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// tiktokenLine is what the lines of tiktoken's files look like: a token's bytes in base64 and its rank, which is its id.
var tiktokenLine = regexp.MustCompile(`^[A-Za-z0-9+/]+=* [0-9]+\r?\n`)

// parseTiktoken reads a file of tiktoken's. Its tokens are made by rank, and a word that is a token is that token.
func parseTiktoken(data []byte) (Parts, error) {
	p := Parts{Kind: ByteBPE, IgnoreMerges: true}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		word, rank, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
		if word == "" && rank == "" {
			continue
		}
		token, err := base64.StdEncoding.DecodeString(word)
		if err != nil {
			return p, fmt.Errorf("line %d: %w", line, err)
		}
		id, err := strconv.ParseUint(rank, 10, 31)
		if err != nil || id > uint64(len(data)) {
			return p, fmt.Errorf("line %d: %q is no rank of a token in a file of %d bytes", line, rank, len(data))
		}
		for uint64(len(p.Tokens)) <= id {
			p.Tokens = append(p.Tokens, "")
		}
		p.Tokens[id] = spell(token)
	}
	return p, nil
}

// spell writes bytes in the alphabet of byte-level files.
func spell(token []byte) string {
	var b strings.Builder
	for _, c := range token {
		b.WriteRune(byteToRune[c])
	}
	return b.String()
}
