// The archives in <data-dir>/agent/images: imported at the start, and those that
// come or change later by a watch, as k3s does since v1.32.1 and its siblings of
// January 2025.
package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sirupsen/logrus"
)

const imageWatchInterval = 2 * time.Second

// importImages takes in what is there, and returns what it saw.
func (s *server) importImages() (map[string]fs.FileInfo, error) {
	seen, err := s.imageFiles()
	for path := range seen {
		if err := importImage(path); err != nil {
			return nil, err
		}
	}
	return seen, err
}

func (s *server) imageFiles() (map[string]fs.FileInfo, error) {
	archives, err := filepath.Glob(s.agent("images/*.tar"))
	files := map[string]fs.FileInfo{}
	for _, path := range archives {
		if info, err := os.Stat(path); err == nil {
			files[path] = info
		}
	}
	return files, err
}

func importImage(path string) error {
	if text, err := ctr("images", "import", path).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", path, err, text)
	}
	logrus.Infof("Imported images from %s", path)
	return nil
}

// watchImages imports a file that is new, or whose size changed and which is
// younger than before: one of the same size k3s passes over. The fault
// no-image-watch plays an older k3s.
func (s *server) watchImages(ctx context.Context, seen map[string]fs.FileInfo) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(imageWatchInterval):
		}
		files, err := s.imageFiles()
		if err != nil || readFault(s.layout).is("no-image-watch") {
			continue
		}
		for path, info := range files {
			before, known := seen[path]
			if known && (info.Size() == before.Size() || !info.ModTime().After(before.ModTime())) {
				continue
			}
			if err := importImage(path); err != nil {
				logrus.Errorf("Failed to import %s: %v", path, err)
			}
		}
		seen = files
	}
}
