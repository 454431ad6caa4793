// The configuration file: config.yaml and config.yaml.d/*.yaml become
// arguments `--key=value`, put before those of the command line.
package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v2"
)

const defaultConfigFile = "/etc/rancher/k3s/config.yaml"

// mergeConfig gives the command line with the file's values inserted after the
// subcommand. known are the flags of that subcommand; others are dropped with a
// warning for each value, which names config.yaml whatever the file is called.
// insertAt is the number of arguments that stay in front.
func mergeConfig(args []string, insertAt int, known []cli.Flag) ([]string, error) {
	if len(args) < insertAt {
		return args, nil
	}
	path, explicit := configPath(args)
	values, err := readConfig(path)
	if os.IsNotExist(err) && !explicit {
		return args, nil
	}
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, flag := range known {
		for _, name := range flag.Names() {
			names[name] = true
		}
	}
	out := append([]string{}, args[:insertAt]...)
	for _, v := range values {
		for _, value := range v.values {
			if !names[v.key] {
				logrus.Warnf("Unknown flag --%s found in config.yaml, skipping\n", v.key)
				continue
			}
			out = append(out, "--"+v.key+"="+value)
		}
	}
	return append(out, args[insertAt:]...), nil
}

// configPath finds the file in the environment or the arguments: the variable
// goes before the flag, as in k3s.
func configPath(args []string) (path string, explicit bool) {
	if env := os.Getenv("K3S_CONFIG_FILE"); env != "" {
		return env, true
	}
	for i, arg := range args {
		for _, name := range []string{"--config", "-c", "-config"} {
			if value, ok := strings.CutPrefix(arg, name+"="); ok {
				return value, true
			}
			if arg == name && i+1 < len(args) {
				return args[i+1], true
			}
		}
	}
	return defaultConfigFile, false
}

type configValue struct {
	key    string
	values []string
}

// readConfig reads the file and then its .d directory in name order: later
// values replace earlier ones, `key+` appends. Keys keep the order of the files.
func readConfig(path string) ([]configValue, error) {
	var out []configValue
	files := []string{path}
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		more, err := filepath.Glob(filepath.Join(path+".d", pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	sort.Strings(files[1:])
	found := false
	for _, file := range files {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = true
		content := yaml.MapSlice{}
		if err := yaml.Unmarshal(text, &content); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = overlay(out, content)
	}
	if !found {
		return nil, os.ErrNotExist
	}
	return out, nil
}

func overlay(out []configValue, content yaml.MapSlice) []configValue {
	for _, item := range content {
		name, appends := strings.CutSuffix(fmt.Sprint(item.Key), "+")
		values := textValues(item.Value)
		at := -1
		for i := range out {
			if out[i].key == name {
				at = i
			}
		}
		switch {
		case at < 0:
			out = append(out, configValue{name, values})
		case appends:
			out[at].values = append(out[at].values, values...)
		default:
			out[at].values = values
		}
	}
	return out
}

func textValues(value any) []string {
	list, ok := value.([]any)
	if !ok {
		return []string{textValue(value)}
	}
	out := make([]string, 0, len(list))
	for _, item := range list {
		out = append(out, textValue(item))
	}
	return out
}

// textValue prints whole numbers without an exponent, and nothing for `key:`.
func textValue(value any) string {
	if value == nil {
		return ""
	}
	if number, ok := value.(float64); ok && number == math.Trunc(number) {
		return strconv.FormatFloat(number, 'f', 0, 64)
	}
	return fmt.Sprint(value)
}
