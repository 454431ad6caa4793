// Faults that tests switch on: in the environment (K3S_STANDIN_FAULT), or for a
// running server in the file <data-dir>/standin-fault, read at each request.
// The content is a name and options, such as `timeout-but-complete timeout=3`.
// README.md lists them.
package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

type fault struct {
	name    string
	options map[string]string
}

func readFault(l layout) fault {
	text := os.Getenv("K3S_STANDIN_FAULT")
	if content, err := os.ReadFile(filepath.Join(l.data, "standin-fault")); err == nil {
		text = string(content)
	}
	f := fault{options: map[string]string{}}
	for i, word := range strings.Fields(text) {
		key, value, isOption := strings.Cut(word, "=")
		if isOption {
			f.options[key] = value
		} else if i == 0 {
			f.name = word
		}
	}
	return f
}

// is tells whether the fault is one of the names.
func (f fault) is(names ...string) bool {
	for _, name := range names {
		if f.name == name {
			return true
		}
	}
	return false
}

// seconds gives an option's duration, or the default.
func (f fault) seconds(key string, fallback time.Duration) time.Duration {
	if n, err := strconv.ParseFloat(f.options[key], 64); err == nil {
		return time.Duration(n * float64(time.Second))
	}
	return fallback
}
