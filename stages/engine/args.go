package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// Number reads a number in [least, most].
func (a Args) Number(name string, least, most float64) float64 {
	v, err := strconv.ParseFloat(a.value[name], 64)
	if err != nil || !(v >= least && v <= most) || math.IsInf(v, 0) {
		a.fail(name, fmt.Sprintf("a number from %g to %g", least, most))
		return least
	}
	a.value[name] = strconv.FormatFloat(v, 'g', -1, 64) // one spelling, so that equal settings have equal names
	return v
}

// fileMark separates the name of a file from the beginning of the SHA-256 of its content.
const fileMark = "@"

// File reads the file that a setting names, and returns its name and content; nil, if the setting is empty. The content's hash becomes
// part of the setting, NAME@HASH, so that a policy's name tells one content from another; a setting that already has a hash is
// refused if the content is different.
func (a Args) File(name string) (file string, data []byte) {
	value := a.value[name]
	if value == "" {
		return "", nil
	}
	data, err := os.ReadFile(value)
	file, hash := value, ""
	if i := strings.LastIndex(value, fileMark); err != nil && i >= 0 {
		file, hash = value[:i], value[i+1:]
		data, err = os.ReadFile(file)
	}
	if err != nil {
		a.fail(name, fmt.Sprintf("a file that can be read: %v", err))
		return file, nil
	}
	sum := sha256.Sum256(data)
	is := hex.EncodeToString(sum[:8])
	if hash != "" && hash != is {
		a.fail(name, fmt.Sprintf("the file as it was; its content now has the hash %s", is))
		return file, nil
	}
	a.value[name] = file + fileMark + is
	if data == nil {
		data = []byte{}
	}
	return file, data
}

// Text is the value as it was written.
func (a Args) Text(name string) string { return a.value[name] }

// Folder calls open with the folder that a setting names, which open answers with the hash of what is in it. As with File the hash
// becomes part of the setting, and one that the setting already has must be the same. An error of open is reported with want, which says
// what the folder is to be.
func (a Args) Folder(name, want string, open func(dir string) (hash string, err error)) {
	dir, hash := a.value[name], ""
	if i := strings.LastIndex(dir, fileMark); i >= 0 {
		if _, err := os.Stat(dir); err != nil {
			dir, hash = dir[:i], dir[i+1:]
		}
	}
	if dir == "" {
		a.fail(name, want)
		return
	}
	is, err := open(dir)
	switch {
	case err != nil:
		a.fail(name, fmt.Sprintf("%s: %v", want, err))
	case hash != "" && hash != is:
		a.fail(name, fmt.Sprintf("the folder as it was; its content now has the hash %s", is))
	default:
		a.value[name] = dir + fileMark + is
	}
}
