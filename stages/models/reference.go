package models

import (
	"embed"
	"io/fs"
)

//go:embed reference/*
var embedded embed.FS

// Reference returns the folder of the checkpoint that is built into the binary, so that a first result needs no
// download: config.json, model.safetensors and the tokenizer's files. Its bytes lie in the executable and are copied
// once for every ReadFile.
func Reference() fs.FS {
	folder, err := fs.Sub(embedded, "reference")
	if err != nil {
		panic(err) // the name is a constant
	}
	return folder
}
