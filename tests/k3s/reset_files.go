// Helpers of the reset that only touch files.
package main

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path/filepath"
)

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
