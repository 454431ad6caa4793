package helmvalues

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

type bench struct {
	*testing.T
	emitter *emitter
	python  *pyYAML
}

func newBench(t *testing.T) *bench {
	emitter, err := startEmitter()
	if err != nil {
		t.Fatal(err)
	}
	python, err := startPyYAML()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { emitter.in.Close(); python.in.Close() })
	return &bench{t, emitter, python}
}

// check holds that every parser reads our file as the values that Helm has.
func (b *bench) check(config string) {
	b.Helper()
	ours, err := b.emitter.yaml(config)
	if err != nil {
		b.Fatalf("%.2000s\nis not written: %v", config, err)
	}
	var want any
	if err := json.Unmarshal([]byte(config), &want); err != nil {
		b.Fatal(err)
	}
	readers := map[string]func(string) (any, error){
		"sigs.k8s.io/yaml": helmReads, "yaml/v3": yaml3Reads,
	}
	if !strings.Contains(config, strings.Repeat("[", 80)) { // Python's recursion has a limit
		readers["PyYAML"] = b.python.reads
	}
	for name, reads := range readers {
		got, err := reads(ours)
		if err != nil {
			b.Errorf("%s does not read\n%.2000s\nmade of\n%.2000s\n%v", name, ours, config, err)
		} else if !reflect.DeepEqual(got, want) {
			b.Errorf("%s reads\n%.2000s\nas\n%.2000v\nwant\n%.2000s", name, ours, got, config)
		}
	}
	// Helm's own output has gaps: sigs.k8s.io/yaml parses the JSON as YAML 1.1 on its way (keys "<<",
	// long keys, U+007F and others). They are logged, not held against us.
	printed, err := helmPrints(config)
	if err != nil {
		b.Logf("helm get values fails on %.100s: %v", config, err)
		return
	}
	if helms, err := helmReads(printed); err != nil || !reflect.DeepEqual(helms, want) {
		b.Logf("Helm does not read back what it prints of %.100s", config)
	}
}

func TestEveryNastyStringIsItselfAsValueKeyAndItem(t *testing.T) {
	b := newBench(t)
	for _, text := range nastyStrings {
		quoted := quoteJSON(text)
		b.check(fmt.Sprintf(`{%s:%s,"list":[%s,[%s],{%s:1}],"map":{%s:%s}}`, quoted, quoted, quoted, quoted, quoted, quoted, quoted))
	}
}

func TestEveryNumberIsItself(t *testing.T) {
	b := newBench(t)
	for _, number := range nastyNumbers {
		b.check(fmt.Sprintf(`{"n":%s,"list":[%s,[%s]],"s":"%s"}`, number, number, number, number))
	}
}

func TestEveryCharacterBelowSurrogatesAndSomeBeyond(t *testing.T) {
	b := newBench(t)
	for first := 0; first < 0x3100; first += 64 {
		var parts []string
		for c := first; c < first+64; c++ {
			character := string(rune(c))
			parts = append(parts, quoteJSON(character), quoteJSON("a"+character+"b"), quoteJSON("a"+character+"\nb"),
				quoteJSON("a\n"+character), "{"+quoteJSON(character)+":1}")
		}
		b.check(`{"all":[` + strings.Join(parts, ",") + `]}`)
	}
}

func TestLoneSurrogatesBecomeWhatGoMakesOfThem(t *testing.T) {
	b := newBench(t)
	for _, text := range []string{`\ud800`, `a\udc00b`, `\ud800\ud800`, `\ud83d\ude00`, `\ud800\u0041`, `\udc00\ud800`} {
		b.check(`{"` + text + `":"` + text + `"}`)
	}
}

func TestAKeyGivenTwiceIsTheLastOne(t *testing.T) {
	newBench(t).check(`{"b":1,"a":{"x":1},"b":{"y":2},"a":"last"}`)
}

func TestWhatIsEmpty(t *testing.T) {
	b := newBench(t)
	for config, want := range map[string]string{"null": "null\n", "{}": "{}\n"} {
		ours, err := b.emitter.yaml(config)
		printed, _ := helmPrints(config)
		if err != nil || ours != want || printed != want {
			t.Errorf("%s: ours %q, Helm's %q, %v", config, ours, printed, err)
		}
	}
	b.check(`{"a":{},"b":[],"c":"","d":null,"e":[{}],"f":[[]],"g":[null],"h":{"i":{}},"":""}`)
}

func TestDeepNesting(t *testing.T) {
	b := newBench(t)
	for _, depth := range []int{30, 39, 40, 41, 42, 43, 60, 200, 398} {
		b.check(`{"l":` + strings.Repeat(`[`, depth) + `"a: b"` + strings.Repeat(`]`, depth) + `}`)
		if depth < 100 {
			b.check(`{"m":` + strings.Repeat(`{"k":`, depth) + `"a\nb\n"` + strings.Repeat(`}`, depth) + `}`)
			b.check(`{"x":` + strings.Repeat(`[{"k":`, depth/2) + `{"a":1,"b":"c\nd"}` + strings.Repeat(`}]`, depth/2) + `}`)
		}
	}
}

func TestLongStringsAndLongKeys(t *testing.T) {
	b := newBench(t)
	for _, size := range []int{100, 128, 129, 1000, 1024, 1025, 5000, 400_000} {
		for _, unit := range []string{"x", "\u0001", "x y\n", "\u00e9", "\"", " "} {
			text := quoteJSON(strings.Repeat(unit, size/len(unit)))
			b.check(fmt.Sprintf(`{"v":%s,"l":[%s,{"k":%s}]}`, text, text, text))
			if size <= 5000 {
				b.check(fmt.Sprintf(`{%s:1,"m":{%s:{"x":[1]}},"l":[{%s:[2],"z":1}],"n":[{%s:{"q":"a\nb"}}]}`, text, text, text, text))
				b.check(`{"deep":` + strings.Repeat("[", 45) + "{" + text + ":" + text + "}" + strings.Repeat("]", 45) + "}")
			}
		}
	}
}

func TestRandomValues(t *testing.T) {
	b := newBench(t)
	seed := time.Now().UnixNano()
	if given := os.Getenv("RB_SEED"); given != "" {
		seed, _ = strconv.ParseInt(given, 10, 64)
	}
	t.Logf("RB_SEED=%d", seed)
	rounds := 3000
	if given := os.Getenv("RB_ROUNDS"); given != "" {
		rounds, _ = strconv.Atoi(given)
	}
	random := rand.New(rand.NewSource(seed))
	for round := 0; round < rounds && !t.Failed(); round++ {
		made := generator{random: random, left: 150}
		b.check(made.object(0))
	}
}
