// Helpers of the reset that only touch files.
package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// differs tells whether a bootstrap file of the datastore isn't on the disk as it is there.
func differs(l layout, files map[string]bootstrapFile) bool {
	paths := bootstrapPaths(l)
	for name, file := range files {
		path, known := paths[name]
		if !known {
			continue
		}
		if content, err := os.ReadFile(path); err != nil || !bytes.Equal(content, file.Content) {
			return true
		}
	}
	return false
}

// unzipSnapshot unpacks the one entry into the working directory, <data-dir>/server.
func unzipSnapshot(path string) (string, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return "", err
	}
	defer archive.Close()
	if len(archive.File) != 1 {
		return "", errors.New("etcd: snapshot archive must have one entry")
	}
	in, err := archive.File[0].Open()
	if err != nil {
		return "", err
	}
	defer in.Close()
	target := filepath.Base(archive.File[0].Name)
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	defer out.Close()
	_, err = io.Copy(out, in)
	return target, err
}
