package kernels

import "fmt"

// Precision is how matrix products are computed: what the operands are rounded to. Sums are always float32.
type Precision uint8

const (
	PrecisionF32  Precision = iota // activations float32, weights as they are stored
	PrecisionBF16                  // both rounded to bf16, to nearest even, as they enter the product
)

var precisionNames = [...]string{PrecisionF32: "f32", PrecisionBF16: "bf16"}

// String is "f32" or "bf16".
func (p Precision) String() string {
	if int(p) < len(precisionNames) {
		return precisionNames[p]
	}
	return fmt.Sprintf("Precision(%d)", uint8(p))
}

// ParsePrecision is the inverse of String; anything else is an error.
func ParsePrecision(name string) (Precision, error) {
	for p, known := range precisionNames {
		if name == known {
			return Precision(p), nil
		}
	}
	return 0, fmt.Errorf("kernels: unknown precision %q; choose f32 or bf16", name)
}

// Precisions lists what the active tier is made for: f32 on every tier, bf16 on "amx" and, slowly and for tests,
// on "go". The kernels of bf16 run on the other tiers too, as on "go".
func Precisions() []Precision {
	if active == tierAMX || active == tierGo {
		return []Precision{PrecisionF32, PrecisionBF16}
	}
	return []Precision{PrecisionF32}
}
