// The process title of `k3s server`. k3s hides its arguments: about two seconds
// after the start it rewrites them, and for a moment the list is empty or has
// only the program's name. /proc/<pid>/comm and /proc/<pid>/environ stay.
package main

import (
	"os"
	"strings"
	"time"
	"unsafe"
)

const (
	titleDelay = 2 * time.Second
	titlePause = 85 * time.Millisecond // twice: nothing at all, then the program alone
)

// argumentArea is the memory that the kernel shows as /proc/<pid>/cmdline. The
// arguments are copied out of it, so that rewriting it changes no option.
var argumentArea = func() []byte {
	size := 0
	for _, arg := range os.Args {
		size += len(arg) + 1
	}
	shown, err := os.ReadFile("/proc/self/cmdline")
	if err != nil || len(shown) != size || len(os.Args[0]) == 0 {
		return nil
	}
	area := unsafe.Slice(unsafe.StringData(os.Args[0]), size)
	for i, arg := range os.Args {
		os.Args[i] = strings.Clone(arg)
	}
	return area
}()

// programPath is the first argument as it was given.
var programPath = os.Args[0]

// takeServerTitle names the process k3s-server, as k3s's second program is
// called, and rewrites its arguments in the background.
func takeServerTitle() {
	_ = os.WriteFile("/proc/self/comm", []byte("k3s-server"), 0)
	if argumentArea == nil {
		return
	}
	go func() {
		time.Sleep(titleDelay)
		showTitle(argumentArea, "")
		time.Sleep(titlePause)
		showTitle(argumentArea, programPath)
		time.Sleep(titlePause)
		showTitle(argumentArea, programPath+" server")
	}()
}

// showTitle fills the area with a text, cut where it is too long, and zeroes.
// The last byte stays zero: the kernel would read on behind it.
func showTitle(area []byte, text string) {
	clear(area)
	copy(area[:len(area)-1], text)
}
