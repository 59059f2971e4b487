package tokenizers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// sentencePieceModel is what SentencePiece's tokenizer.model, a protocol buffer, says.
type sentencePieceModel struct {
	parts       Parts
	bos, eos    int32
	bpe         bool
	dummyPrefix bool
	collapses   bool // runs of spaces are one
	charsmap    bool
}

// parseSentencePiece reads a tokenizer.model; fields that no tokenizer depends on are passed over.
func parseSentencePiece(data []byte) (m sentencePieceModel, err error) {
	m = sentencePieceModel{parts: Parts{Kind: SentencePiece}, bos: 1, eos: 2, dummyPrefix: true, collapses: true}
	err = eachField(data, func(f protoField) error {
		switch f.number {
		case 1:
			return m.piece(f.bytes)
		case 2:
			return eachField(f.bytes, m.trainer)
		case 3:
			return eachField(f.bytes, m.normalizer)
		}
		return nil
	})
	if err == nil && len(m.parts.Tokens) == 0 {
		err = errors.New("has no tokens")
	}
	return m, err
}

// piece reads one token with its score and type.
func (m *sentencePieceModel) piece(data []byte) error {
	text, score, typ := "", float32(0), Normal
	err := eachField(data, func(f protoField) error {
		switch f.number {
		case 1:
			text = string(f.bytes)
		case 2:
			score = math.Float32frombits(uint32(f.value))
		case 3:
			typ = TokenType(f.value)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("token %d: %w", len(m.parts.Tokens), err)
	}
	m.parts.Tokens = append(m.parts.Tokens, text)
	m.parts.Scores = append(m.parts.Scores, float64(score))
	m.parts.Types = append(m.parts.Types, typ)
	return nil
}

// trainer reads a field of the trainer_spec.
func (m *sentencePieceModel) trainer(f protoField) error {
	switch f.number {
	case 3:
		m.bpe = f.value == 2
	case 41:
		m.bos = int32(f.value)
	case 42:
		m.eos = int32(f.value)
	}
	return nil
}

// normalizer reads a field of the normalizer_spec.
func (m *sentencePieceModel) normalizer(f protoField) error {
	switch f.number {
	case 2:
		m.charsmap = len(f.bytes) > 0
	case 3:
		m.dummyPrefix = f.value != 0
	case 4:
		m.collapses = f.value != 0
	}
	return nil
}

// protoField is one field of a protocol buffer: a number, or bytes.
type protoField struct {
	number uint64
	value  uint64
	bytes  []byte
}

var errProto = errors.New("is not a SentencePiece model, or damaged: its protocol buffer ends within a field")

// eachField visits the fields of a message in order.
func eachField(data []byte, visit func(protoField) error) error {
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		if n <= 0 {
			return errProto
		}
		data = data[n:]
		f, width := protoField{number: key >> 3}, 0
		switch key & 7 {
		case 0:
			f.value, width = binary.Uvarint(data)
		case 1:
			if width = 8; len(data) >= width {
				f.value = binary.LittleEndian.Uint64(data)
			}
		case 5:
			if width = 4; len(data) >= width {
				f.value = uint64(binary.LittleEndian.Uint32(data))
			}
		case 2:
			size, n := binary.Uvarint(data)
			if n <= 0 || size > uint64(len(data)-n) {
				return errProto
			}
			width = n + int(size)
			f.bytes = data[n:width]
		default:
			return errProto
		}
		if width <= 0 || width > len(data) {
			return errProto
		}
		data = data[width:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}
