package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func argsOf(settings map[string]string) Args {
	return Args{method: "m", value: settings, err: new(error)}
}

func TestNumber(t *testing.T) {
	a := argsOf(map[string]string{"x": "0.90", "y": "1.5"})
	if got := a.Number("x", 0, 1); got != 0.9 || a.value["x"] != "0.9" || a.Err() != nil {
		t.Errorf("0.90 is %g, spelled %s, error %v", got, a.value["x"], a.Err())
	}
	a.Number("y", 0, 1)
	if err := a.Err(); err == nil || !strings.Contains(err.Error(), "y=1.5: want a number from 0 to 1") {
		t.Errorf("1.5 of [0, 1]: %v", err)
	}
	for _, bad := range []string{"", "x", "NaN", "-Inf"} {
		a := argsOf(map[string]string{"x": bad})
		if a.Number("x", 0, 1); a.Err() == nil {
			t.Errorf("%q was taken for a number", bad)
		}
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a@b.json")
	if err := os.WriteFile(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := argsOf(map[string]string{"f": path, "none": ""})
	if file, data := a.File("f"); file != path || string(data) != "one" || a.Err() != nil {
		t.Fatalf("read %q of %q, error %v", data, file, a.Err())
	}
	named := a.value["f"]
	if !strings.HasPrefix(named, path+"@") {
		t.Errorf("the setting became %s", named)
	}
	if _, data := a.File("none"); data != nil || a.Err() != nil {
		t.Errorf("no file is %q, error %v", data, a.Err())
	}
	a = argsOf(map[string]string{"f": named})
	if _, data := a.File("f"); string(data) != "one" || a.value["f"] != named {
		t.Errorf("%s read back is %q, named %s, error %v", named, data, a.value["f"], a.Err())
	}
	if err := os.WriteFile(path, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	a = argsOf(map[string]string{"f": named})
	if a.File("f"); a.Err() == nil || !strings.Contains(a.Err().Error(), "f=") {
		t.Errorf("a file that changed: %v", a.Err())
	}
}
