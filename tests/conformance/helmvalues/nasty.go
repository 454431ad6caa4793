// Package helmvalues compares our values files with Helm and the YAML parsers of other people.
package helmvalues

import (
	"math/rand"
	"strings"
)

// nastyStrings are those that some reader of YAML has taken for something else.
var nastyStrings = []string{
	"", " ", "  ", "~", "null", "Null", "NULL", "nil", "true", "True", "TRUE", "false", "yes", "Yes", "YES", "no",
	"No", "NO", "on", "On", "ON", "off", "OFF", "y", "Y", "n", "N", "0", "1", "-1", "+1", "007", "0o7", "0x1F", "0b101",
	"1_000", "_1", "1e3", "1E3", "1.", ".5", "1.0e+21", "1e400", "-.inf", ".inf", ".Inf", ".INF", "+.inf", ".nan", ".NaN",
	"inf", "nan", "Infinity", "9007199254740993", "18446744073709551616", "12:30", "12:30:45", "190:20:30", "1:2.5",
	"2001-01-01", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "=", "<<", "<", "-", "- a", "--- a", "---",
	"...", "? a", "?", ": a", ":", "a:", "a: b", "a:b", "a :b", "a #b", "#a", "a#b", "&a", "*a", "!a", "!!str a", "|", ">",
	"|-", "%a", "@a", "`a", "'a'", "\"a\"", "'", "\"", "\\", "\\n", "{}", "{", "[]", "[a", "a, b", ",", "{a: b}", "nginx:1.25",
	"http://example.com/a?b=c#d", "/etc/x", "a b  c", " a", "a ", "\ta", "a\t", "a\tb", "x: |\n  y", "a\n", "a\nb",
	"a\nb\n", "a\n\nb\n", "a\nb\n\n", "\n", "\n\n", "\na", " a\nb", "a\n b\n", "a\n  \nb", "a \nb", "a\n\tb", "\ta\nb",
	"a\r\nb\r\n", "a\rb", "\r", "a\u0085b", "a\u2028b", "a\u2029b\nc", "\ufeffa", "a\ufeff\nb", "\u0000", "a\u0001b", "\u001b[31m",
	"\u007f", "\u0080", "\u00a0", "caf\u00e9", "\u00e9\nb\n", "\u65e5\u672c\u8a9e", "\U0001f600", "\U0001f600\nb\n", "\ufffd",
	"\ufffe", "\uffff", "\U0001ffff", "\U0010ffff", "#!/bin/sh\nset -e\nif [ \"$x\" = 'y' ]; then\n\techo \"a: b\" # c\nfi\n",
	"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "a: 1\nb:\n  - c\n", "--- \na\n", "...\na\n", "# c\na\n",
	"{{ .Values.x | quote }}", "${VAR}", "a\\", "0123456789abcdef", "1.25.0-alpine", "100m", "1Gi", "64Mi", "e1", "1e", "0x", "0xZZ",
	"_", "__", "1__0", "0.1.2", "1,000", "+", "+a", "a+b", "a@b.c", "@", "x\u200by", "a\u200db\nc",
}

// nastyNumbers are texts of JSON numbers.
var nastyNumbers = []string{
	"0", "-0", "1", "-1", "42", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993",
	"9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615", "18446744073709551616",
	"123456789012345678901234567890", "0.1", "-0.5", "1.0", "1.10", "3.141592653589793238462643383279", "1e21", "1E21",
	"1e+21", "1e-7", "1.5e300", "1.7976931348623157e308", "5e-324", "1e-400", "100000000000000000000", "1.0e0", "0e5", "0.0",
	"-1.5E-10", "1e2", "255.255", "1" + strings.Repeat("0", 300),
}

type generator struct {
	random *rand.Rand
	left   int // values that may still be made
}

func (g *generator) text() string {
	switch g.random.Intn(8) {
	case 0, 1, 2, 3:
		return nastyStrings[g.random.Intn(len(nastyStrings))]
	case 4:
		return nastyStrings[g.random.Intn(len(nastyStrings))] + nastyStrings[g.random.Intn(len(nastyStrings))]
	case 5:
		return nastyStrings[g.random.Intn(len(nastyStrings))] + "\n" + nastyStrings[g.random.Intn(len(nastyStrings))]
	default:
		return g.noise()
	}
}

// noise draws from the characters that mean something in YAML.
func (g *generator) noise() string {
	const alphabet = "aab01:#-?,[]{}&*!|>'\"%@`~=<.+_/\\ \n\t\r eEyYnN\u0085\u2028\u00e9\u65e5"
	runes := []rune(alphabet)
	length := g.random.Intn(12)
	if g.random.Intn(50) == 0 {
		length = g.random.Intn(3000)
	}
	var text strings.Builder
	for i := 0; i < length; i++ {
		if g.random.Intn(40) == 0 {
			text.WriteRune(rune(g.random.Intn(0xd800)))
			continue
		}
		text.WriteRune(runes[g.random.Intn(len(runes))])
	}
	return text.String()
}

func (g *generator) object(depth int) string {
	var members []string
	for count := g.random.Intn(6); count > 0; count-- {
		members = append(members, quoteJSON(g.text())+":"+g.value(depth+1))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g *generator) value(depth int) string {
	g.left--
	limit := 10
	if depth > 60 || g.left < 0 {
		limit = 6
	}
	switch g.random.Intn(limit) {
	case 0:
		return []string{"null", "true", "false", "{}", "[]", `""`}[g.random.Intn(6)]
	case 1:
		return nastyNumbers[g.random.Intn(len(nastyNumbers))]
	case 2, 3, 4, 5:
		return quoteJSON(g.text())
	case 6, 7:
		return g.object(depth)
	default:
		var items []string
		for count := g.random.Intn(5); count > 0; count-- {
			items = append(items, g.value(depth+1))
		}
		return "[" + strings.Join(items, ",") + "]"
	}
}
