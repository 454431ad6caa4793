package helmvalues

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"

	yaml3 "go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"
)

// helmPrints gives what `helm get values -o yaml` prints of a config: decoded by encoding/json,
// encoded by sigs.k8s.io/yaml (pkg/cmd/get_values.go, pkg/cli/output).
func helmPrints(config string) (string, error) {
	var values map[string]any
	if err := json.Unmarshal([]byte(config), &values); err != nil {
		return "", err
	}
	text, err := sigsyaml.Marshal(values)
	return string(text), err
}

// helmReads gives what Helm makes of a values file (YAML 1.1, by way of JSON and float64).
func helmReads(text string) (any, error) {
	var values any
	err := sigsyaml.Unmarshal([]byte(text), &values)
	return values, err
}

// yaml3Reads gives what a parser of YAML 1.2 makes of it.
func yaml3Reads(text string) (any, error) {
	var values any
	if err := yaml3.Unmarshal([]byte(text), &values); err != nil {
		return nil, err
	}
	return normalized(values), nil
}

// normalized turns numbers into float64 and keys into strings, as Helm has them.
func normalized(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		for key, member := range typed {
			typed[key] = normalized(member)
		}
	case map[any]any:
		return fmt.Errorf("a key that is not a string: %v", typed)
	case []any:
		for i, item := range typed {
			typed[i] = normalized(item)
		}
	case int:
		return float64(typed)
	case int64:
		return float64(typed)
	case uint64:
		return float64(typed)
	case float64:
		if math.IsInf(typed, 0) || math.IsNaN(typed) {
			return fmt.Errorf("not a number: %v", typed)
		}
	}
	return value
}

// pyYAML is PyYAML's safe loader (YAML 1.1, without Helm's way through JSON) in a process; for long
// texts its twin on libyaml, which is faster.
type pyYAML struct {
	in  io.WriteCloser
	out *bufio.Reader
}

const pyProgram = `
import json, sys
import yaml
def strict(value):
    if isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise ValueError("a key that is not a string: %r" % (key,))
            strict(member)
    elif isinstance(value, list):
        for item in value:
            strict(item)
    elif not (value is None or isinstance(value, (str, bool, int, float))):
        raise ValueError("neither of JSON's types: %r" % (value,))
    return value
for line in sys.stdin:
    try:
        loader = yaml.SafeLoader if len(line) < 50000 else yaml.CSafeLoader
        print(json.dumps(strict(yaml.load(json.loads(line), Loader=loader))), flush=True)
    except Exception as error:
        print("!" + repr(error).replace("\n", " "), flush=True)
`

func startPyYAML() (*pyYAML, error) {
	command := exec.Command("/usr/bin/python3", "-c", pyProgram)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &pyYAML{in: in, out: bufio.NewReaderSize(out, 1<<20)}, command.Start()
}

func (p *pyYAML) reads(text string) (any, error) {
	if _, err := io.WriteString(p.in, quoteJSON(text)+"\n"); err != nil {
		return nil, err
	}
	answer, err := p.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("PyYAML ended (is python3-yaml installed?): %w", err)
	}
	if answer[0] == '!' {
		return nil, errors.New(answer[1:])
	}
	var values any
	return values, json.Unmarshal([]byte(answer), &values)
}
