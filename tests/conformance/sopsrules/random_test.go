package sopsrules

import (
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var keys = []string{
	"age1nv57t228a934762hyjr4gde8vqy5demjk7ry2xw5aft8wledfuzq223hhr",
	"age1g6ncpurpndq98xrq9g37mash9s20rwg7gtp7c026jzpjp62m8s7s3dllyx",
	"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
}

// writer makes a .sops.yaml out of the forms that people use, some of them wrong.
type writer struct {
	*rand.Rand
	anchors []string
	groups  []string
}

func (w *writer) one(choices ...string) string { return choices[w.Intn(len(choices))] }

func (w *writer) key() string { return keys[w.Intn(len(keys))] }

func (w *writer) list() string {
	items := []string{}
	for n := w.Intn(3); n >= 0; n-- {
		items = append(items, w.one(w.key(), w.key(), "'"+w.key()+", "+w.key()+"'", "'"+w.key()+",'", "''", "null", "7"))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func (w *writer) age() string {
	return w.one(w.key(), w.key(), "'"+w.key()+","+w.key()+"'", "' "+w.key()+" ,, "+w.key()+",'", w.list(), w.list(), "null", "''", "{a: b}")
}

// reference is an alias of an anchor of one kind that stands above; empty when there is none.
func (w *writer) reference(anchors []string) string {
	if len(anchors) == 0 {
		return ""
	}
	alias := "*" + anchors[w.Intn(len(anchors))]
	if w.Intn(4) == 0 {
		return "[" + alias + ", *" + anchors[w.Intn(len(anchors))] + "]"
	}
	return alias
}

// fields are the lines of a map, in any order, now and then one of them twice.
func (w *writer) fields(lines []string) []string {
	w.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	if len(lines) > 0 && w.Intn(12) == 0 {
		lines = append(lines, lines[w.Intn(len(lines))])
	}
	return lines
}

func (w *writer) group() string {
	var lines []string
	if w.Intn(6) != 0 {
		lines = append(lines, "age: "+w.one(w.list(), w.list(), w.list(), w.key(), "null"))
	}
	if w.Intn(4) == 0 {
		lines = append(lines, "pgp: [0123456789ABCDEF0123456789ABCDEF01234567]")
	}
	if w.Intn(4) == 0 {
		lines = append(lines, "merge: ["+w.one("{age: ["+w.key()+"]}", "{age: ["+w.key()+"]}, {pgp: [x]}", "null")+"]")
	}
	if alias := w.reference(w.groups); alias != "" && w.Intn(2) == 0 {
		lines = append(lines, w.one("<<", "<<", "<<", "'<<'")+": "+alias)
	}
	return "{" + strings.Join(w.fields(lines), ", ") + "}"
}

func (w *writer) rule() []string {
	var lines []string
	if w.Intn(2) == 0 {
		lines = append(lines, "path_regex: "+w.one(`'\.yaml$'`, `'^secrets/'`, "''", "null", `'railiance'`, `'('`, "12", `'^other/.*'`))
	}
	if w.Intn(3) != 0 {
		lines = append(lines, "age: "+w.age())
	}
	if w.Intn(4) == 0 {
		groups := []string{w.group()}
		if w.Intn(4) == 0 {
			groups = append(groups, w.group())
		}
		lines = append(lines, "key_groups: "+w.one("["+strings.Join(groups, ", ")+"]", "["+strings.Join(groups, ", ")+"]", "[]", "null"))
	}
	if w.Intn(5) == 0 {
		lines = append(lines, w.one("encrypted_regex: ^data$", "unencrypted_suffix: _x", "encrypted_regex: ''"))
	}
	if alias := w.reference(w.anchors); alias != "" && w.Intn(2) == 0 {
		lines = append(lines, w.one("<<", "<<", "<<", `"<<"`)+": "+alias)
	}
	return w.fields(lines)
}

func (w *writer) file() string {
	var text strings.Builder
	for i := w.Intn(3); i > 0; i-- {
		name := "r" + strconv.Itoa(i)
		fmt.Fprintf(&text, "%s: &%s {%s}\n", name, name, strings.Join(w.rule(), ", "))
		w.anchors = append(w.anchors, name)
	}
	for i := w.Intn(3); i > 0; i-- {
		name := "g" + strconv.Itoa(i)
		fmt.Fprintf(&text, "%s: &%s %s\n", name, name, w.group())
		w.groups = append(w.groups, name)
	}
	text.WriteString("creation_rules:\n")
	for i := w.Intn(4); i >= 0; i-- {
		lines := w.rule()
		if len(lines) == 0 {
			lines = []string{"age: " + w.age()}
		}
		text.WriteString("  - " + strings.Join(lines, "\n    ") + "\n")
	}
	return text.String()
}

func TestWhatWeTakeOfRandomFilesIsWhatSopsTakes(t *testing.T) {
	seed := time.Now().UnixNano()
	if given, err := strconv.ParseInt(os.Getenv("RB_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("RB_SEED=%d", seed)
	o := startOurs(t)
	random := rand.New(rand.NewSource(seed))
	equal := 0
	for i := 0; i < 5000 && !t.Failed(); i++ {
		if check(t, o, (&writer{Rand: random}).file()) {
			equal++
		}
	}
	t.Logf("%d of 5000 files gave both the same recipients", equal)
	if !t.Failed() && equal < 500 {
		t.Errorf("only %d files gave recipients: the draw tests nothing", equal)
	}
}
