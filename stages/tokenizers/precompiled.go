package tokenizers

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// precompiled is SentencePiece's table of what to write for which characters (NFKC and more), a double-array trie whose values are
// places in a list of texts.
//
// Same as the reference (the crate spm_precompiled), which differs from SentencePiece itself: it looks up whole grapheme clusters of
// less than six bytes, takes the shortest entry that such a cluster begins with for all of it, and looks up the characters of other
// clusters one by one.
type precompiled struct {
	units []uint32 // the trie
	texts string   // each ends with a zero byte
	ascii [utf8.RuneSelf]bool
}

// maxCluster is the number of bytes below which a cluster is looked up as a whole.
const maxCluster = 6

func parsePrecompiled(raw json.RawMessage, field string) (normalizer, error) {
	var c struct {
		Charsmap string `json:"precompiled_charsmap"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	data, err := base64.StdEncoding.DecodeString(c.Charsmap)
	if err != nil {
		return nil, fmt.Errorf("%s.precompiled_charsmap: %w", field, err)
	}
	if len(data) < 4 {
		return nil, fmt.Errorf("%s.precompiled_charsmap: has %d bytes; it begins with a size of four", field, len(data))
	}
	size := binary.LittleEndian.Uint32(data)
	data = data[4:]
	if uint64(size) > uint64(len(data)) || size%4 != 0 || size == 0 {
		return nil, fmt.Errorf("%s.precompiled_charsmap: its trie has %d bytes of the %d there are; it is damaged", field, size, len(data))
	}
	p := &precompiled{units: make([]uint32, size/4), texts: string(data[size:])}
	for i := range p.units {
		p.units[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	if !utf8.ValidString(p.texts) {
		return nil, fmt.Errorf("%s.precompiled_charsmap: its texts are not UTF-8; it is damaged", field)
	}
	for b := range p.ascii {
		_, p.ascii[b] = p.lookup(string(rune(b)))
	}
	return p, nil
}

// lookup returns the text for the shortest entry that s begins with.
func (p *precompiled) lookup(s string) (text string, ok bool) {
	offset := func(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }
	node := offset(p.units[0])
	for i := 0; i < len(s) && s[i] != 0; i++ {
		node ^= uint32(s[i])
		if int64(node) >= int64(len(p.units)) {
			return "", false
		}
		unit := p.units[node]
		if unit&(1<<31|0xFF) != uint32(s[i]) {
			return "", false
		}
		node ^= offset(unit)
		if unit>>8&1 == 1 {
			return p.text(node)
		}
	}
	return "", false
}

// text is the text that a leaf points to.
func (p *precompiled) text(node uint32) (string, bool) {
	if int64(node) >= int64(len(p.units)) {
		return "", false
	}
	at := int(p.units[node] & (1<<31 - 1))
	if at > len(p.texts) || at < len(p.texts) && !utf8.RuneStart(p.texts[at]) {
		return "", false // a damaged table
	}
	text, _, _ := strings.Cut(p.texts[at:], "\x00")
	return text, true
}

func (p *precompiled) normalize(s string, located bool) (string, []int32, []int32) {
	out := rewriter{located: located}
	kept := 0 // where what stays began
	try := func(lo, hi int) bool {
		text, ok := p.lookup(s[lo:hi])
		if ok {
			out.keep(s, kept, lo)
			out.replace(text, lo, hi)
			kept = hi
		}
		return ok
	}
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf && !p.ascii[s[i]] && (i+1 == len(s) || s[i+1] < utf8.RuneSelf) {
			i++
			continue
		}
		end := clusterEnd(s, i)
		if end-i < maxCluster && try(i, end) {
			i = end
		}
		for i < end {
			n := characterWidth(s[i:])
			try(i, i+n)
			i += n
		}
	}
	if kept == 0 {
		return s, nil, nil
	}
	out.keep(s, kept, len(s))
	return out.done()
}

// clusterEnd is the end of the extended grapheme cluster (Unicode standard annex 29) that begins at s[i], as far as the rules can make
// clusters of less than six bytes. The rules for Hangul, flags, emoji and conjuncts, left out, only join what is longer.
// Differs from the reference: after an emoji and a joiner, a trade mark sign or the like with an accent is a cluster of its own; marks that
// came into being after Unicode 15.0 begin a cluster.
func clusterEnd(s string, i int) int {
	next := func(i int) (rune, int) { // 0 bytes at the end
		if i == len(s) {
			return 0, 0
		}
		return utf8.DecodeRuneInString(s[i:])
	}
	r, n := next(i)
	end := i + n
	if r == '\r' && end < len(s) && s[end] == '\n' {
		return end + 1
	}
	if breaksAround(r) {
		return end
	}
	for prepends(r) {
		if r, n = next(end); n == 0 || breaksAround(r) {
			return end
		}
		end += n
	}
	for {
		if r, n = next(end); n == 0 || !extends(r) {
			return end
		}
		end += n
	}
}

// breaksAround is Grapheme_Cluster_Break=Control, CR and LF.
func breaksAround(r rune) bool {
	ignorable := r == 0x2065 || r >= 0xFFF0 && r <= 0xFFF8 || r >= 0xE0000 && r <= 0xE0FFF // some of these have no category
	return (ignorable || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)) && !extends(r) && !prepends(r)
}

// prepends is Grapheme_Cluster_Break=Prepend, of what has less than four bytes.
func prepends(r rune) bool {
	return r >= 0x600 && (unicode.Is(unicode.Prepended_Concatenation_Mark, r) || r == 0x0D4E)
}

// extends is Grapheme_Cluster_Break=Extend, ZWJ and SpacingMark.
func extends(r rune) bool {
	if r < 0x300 {
		return false
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Other_Grapheme_Extend) || r == 0x200D || r >= 0x1F3FB && r <= 0x1F3FF ||
		unicode.Is(unicode.Mc, r) && !unicode.Is(notSpacingMark, r) || r == 0x0E33 || r == 0x0EB3
}

// notSpacingMark are the characters of category Mc that the annex leaves out.
var notSpacingMark = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x102B, Hi: 0x102C, Stride: 1}, {Lo: 0x1038, Hi: 0x1038, Stride: 1}, {Lo: 0x1062, Hi: 0x1064, Stride: 1},
	{Lo: 0x1067, Hi: 0x106D, Stride: 1}, {Lo: 0x1083, Hi: 0x1083, Stride: 1}, {Lo: 0x1087, Hi: 0x108C, Stride: 1},
	{Lo: 0x108F, Hi: 0x108F, Stride: 1}, {Lo: 0x109A, Hi: 0x109C, Stride: 1}, {Lo: 0x1A61, Hi: 0x1A61, Stride: 1},
	{Lo: 0x1A63, Hi: 0x1A64, Stride: 1}, {Lo: 0xAA7B, Hi: 0xAA7D, Stride: 2},
}, R32: []unicode.Range32{{Lo: 0x11720, Hi: 0x11721, Stride: 1}}}
