package metric

import "strings"

// CharF1 is the F1 of the answer's characters with those of gold, as multisets, once all is lower case and punctuation, ASCII and
// Chinese, and white space are deleted.
//
// Strict takes each character of gold for a gold of its own and keeps the best, so that a perfect answer of n characters scores 2/(n+1).
// Fixed compares with the whole gold.
//
// Source: InfiniteBench's qa_f1_zh, the scorer of Zh.QA.
// Same as the reference in Strict. Fixed has its set of punctuation, in which 《 is missing.
func CharF1(answer, gold string) Scores {
	text, strict := hanChars(answer), 0.0
	for _, c := range gold {
		strict = max(strict, multisetF1(text, hanChars(string(c))))
	}
	return Scores{strict, multisetF1(text, hanChars(gold))}
}

const hanPunctuation = "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏."

func hanChars(s string) []rune {
	return []rune(strings.Join(fields(without(lower(s), asciiPunctuation+hanPunctuation)), ""))
}
