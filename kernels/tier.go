package kernels

import (
	"fmt"
	"os"
	"strings"
)

// tier is an instruction set; a higher one is preferred.
type tier uint8

const (
	tierGo   tier = iota
	tierNEON      // arm64
	tierAVX2      // amd64, as are those that follow
	tierAVX512
	tierAMX // AVX-512 with tiles: the float32 kernels are those of tierAVX512, bit for bit
)

var tierNames = [...]string{tierGo: "go", tierNEON: "neon", tierAVX2: "avx2", tierAVX512: "avx512", tierAMX: "amx"}

// tierEnv names the environment variable that overrides the choice, for tests and for comparing machines.
const tierEnv = "SCBENCH_KERNELS"

// active is the tier in use. A bad override is left for Select to report, which can return an error.
var active = func() tier {
	t, err := parseTier(os.Getenv(tierEnv))
	if err != nil {
		return bestTier()
	}
	return t
}()

// Tier names the instruction set in use: "go", "neon", "avx2", "avx512" or "amx". Results are byte-identical within a
// tier, so the name belongs beside every result.
func Tier() string { return tierNames[active] }

// Tiers lists the tiers this machine and this build can run, slowest first; "go" is always the first.
func Tiers() []string {
	var names []string
	for t, name := range tierNames {
		if available(tier(t)) {
			names = append(names, name)
		}
	}
	return names
}

// Select sets the tier by name. The empty name means the environment variable SCBENCH_KERNELS, and when that is
// empty too, the best tier available. An unknown or unavailable name is an error and changes nothing. Call it
// before any kernel runs, not while one does: a process should have one tier.
func Select(name string) error {
	if name == "" {
		name = os.Getenv(tierEnv)
	}
	t, err := parseTier(name)
	if err != nil {
		return err
	}
	active = t
	return nil
}

func parseTier(name string) (tier, error) {
	if name == "" {
		return bestTier(), nil
	}
	for t, known := range tierNames {
		if name != known {
			continue
		}
		if !available(tier(t)) {
			return 0, fmt.Errorf("kernels: tier %q is not available here; choose one of %s (%s or Select)",
				name, strings.Join(Tiers(), ", "), tierEnv)
		}
		return tier(t), nil
	}
	return 0, fmt.Errorf("kernels: unknown tier %q; choose one of %s (%s or Select)",
		name, strings.Join(Tiers(), ", "), tierEnv)
}

func bestTier() tier {
	for t := tier(len(tierNames) - 1); t > tierGo; t-- {
		if available(t) {
			return t
		}
	}
	return tierGo
}
