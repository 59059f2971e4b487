package metric

import "testing"

func TestSubstring(t *testing.T) {
	check(t, Substring, []vector{
		{"The value is 939d412c.", "939d412c", 1, 1},
		{"939d412c", "939d412c", 1, 1},
		{"939D412C", "939d412c", 0, 0},
		{"939d412", "939d412c", 0, 0},
		{" 939d 412c", "939d412c", 0, 0},
		{"", "939d412c", 0, 0},
		{"x[\\]^_`y", "[\\]^_`", 1, 1},
		{"anything", "", 1, 1},
	})
}
