package kernels

import (
	"slices"
	"testing"
)

func TestSelect(t *testing.T) {
	before := Tier()
	defer selectTier(t, before)
	if names := Tiers(); names[0] != "go" || !slices.Contains(names, before) {
		t.Errorf("tiers %v, in use %s", names, before)
	}
	for _, name := range tierNames {
		err := Select(name)
		if ok := slices.Contains(Tiers(), name); ok != (err == nil) || ok && Tier() != name {
			t.Errorf("Select(%q): %v, tier %s, available %v", name, err, Tier(), ok)
		}
	}
	selectTier(t, "go")
	if err := Select("mmx"); err == nil || Tier() != "go" {
		t.Errorf("Select of an unknown tier: %v, tier %s", err, Tier())
	}
	t.Setenv(tierEnv, "mmx")
	if err := Select(""); err == nil || Tier() != "go" {
		t.Errorf("Select of an unknown tier by environment: %v, tier %s", err, Tier())
	}
	t.Setenv(tierEnv, "")
	if err := Select(""); err != nil || Tier() != Tiers()[len(Tiers())-1] {
		t.Errorf("default: %v, tier %s of %v", err, Tier(), Tiers())
	}
}
