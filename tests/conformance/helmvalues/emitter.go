package helmvalues

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func quoteJSON(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

// emitter is our values_yaml() in a program of its own (RB_HELM_VALUES).
type emitter struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func startEmitter() (*emitter, error) {
	path := os.Getenv("RB_HELM_VALUES")
	if path == "" {
		return nil, errors.New("RB_HELM_VALUES is not set: run this through CTest")
	}
	command := exec.Command(path)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &emitter{in: in, out: bufio.NewReaderSize(out, 1<<20)}, command.Start()
}

// yaml gives what values_yaml() makes of a release's config.
func (e *emitter) yaml(config string) (string, error) {
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(config)); err != nil {
		return "", err
	}
	line.WriteByte('\n')
	if _, err := e.in.Write(line.Bytes()); err != nil {
		return "", err
	}
	answer, err := e.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the emitter ended: %w", err)
	}
	if answer[0] == '!' {
		return "", errors.New(answer[1:])
	}
	var text string
	return text, json.Unmarshal([]byte(answer), &text)
}
