package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// This file is about command lines that can't be read: what is wrong with them, and what was meant.

// flagError says what is wrong with a flag. Of what follows a letter only pflag's own part is repeated: -pSECRET is a
// password to whoever knows it as mysql's.
func (p *Program) flagError(all *pflag.FlagSet, err error) *Error {
	var (
		wrong   *pflag.InvalidValueError
		missing *pflag.ValueRequiredError
		unknown *pflag.NotExistError
	)
	switch {
	case errors.As(err, &wrong):
		return valueError(wrong)
	case errors.As(err, &missing):
		return Usage("", "flag needs an argument: --%s", missing.GetFlag().Name)
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return p.unknownLetter(all, unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown):
		return p.unknownFlag(all, unknown.GetSpecifiedName())
	}
	return Usage(p.everyFlag(), "a flag has a name after its dashes")
}

func (p *Program) everyFlag() string {
	return p.Name + " --help lists every flag; what follows -- is never taken for one"
}

func (p *Program) unknownFlag(all *pflag.FlagSet, name string) *Error {
	hint := didYouMean("--", name, names(all))
	if hint == "" {
		hint = p.everyFlag()
	}
	switch {
	case strings.HasPrefix(name, "password"):
		return Usage("did you mean --password or --password-file?", "unknown flag that begins with --password")
	case secret(name):
		return Usage(hint, "unknown flag %s", Quote(name))
	}
	return Usage(hint, "unknown flag: --%s", name)
}

func (p *Program) unknownLetter(all *pflag.FlagSet, letter, word string) *Error {
	hint := didYouMean("--", before(word, "="), names(all))
	switch {
	case strings.Trim(word, "0123456789.") == "":
		hint = fmt.Sprintf("what begins with - is taken for a flag, a negative number too, unless -- stands before it: %s -- -%s", p.Name, word)
	case hint == "" || len(word) < 3:
		hint = p.everyFlag()
	}
	return Usage(hint, "unknown flag: -%s", letter)
}

func valueError(wrong *pflag.InvalidValueError) *Error {
	flag, value := wrong.GetFlag(), wrong.GetValue()
	if choice, ok := flag.Value.(chooser); ok {
		var e *Error
		errors.As(OneOf("--"+flag.Name, value, choice.Choices()...), &e)
		return e
	}
	kind, known := map[string]string{
		"int":      "a whole number",
		"count":    "a whole number",
		"uint8":    "a whole number from 0 to 255",
		"uint16":   "a whole number from 0 to 65535",
		"float64":  "a number",
		"bool":     "true or false",
		"duration": "a duration such as 500ms, 10s or 2m",
	}[flag.Value.Type()]
	var cured interface{ Hint() string }
	switch {
	case flag.Value.Type() == "int" && errors.Is(wrong, strconv.ErrRange):
		return Usage("", "--%s: %s is too large a number", flag.Name, Quote(value))
	case known:
		return Usage("", "--%s: %s is not %s", flag.Name, Quote(value), kind)
	case errors.As(wrong, &cured):
		return Usage(cured.Hint(), "--%s: %s", flag.Name, wrong.Unwrap())
	case secret(value):
		return Usage("", "--%s: %s is not a %s", flag.Name, Quote(value), flag.Value.Type())
	}
	return Usage("", "--%s: %s", flag.Name, wrong.Unwrap())
}

// names are those of all flags.
func names(all *pflag.FlagSet) []string {
	var names []string
	all.VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	return names
}

func before(text, separator string) string {
	text, _, _ = strings.Cut(text, separator)
	return text
}

// oneDash is the usage error for a long flag that has one dash only, -verbose, which pflag would take for -v -e rbose.
func oneDash(all *pflag.FlagSet, arguments []string) error {
	for i := 0; i < len(arguments) && arguments[i] != "--"; i++ {
		word, dashed := strings.CutPrefix(arguments[i], "-")
		if name, long := strings.CutPrefix(word, "-"); dashed && long {
			if flag := all.Lookup(name); flag != nil && flag.NoOptDefVal == "" {
				i++ // its value
			}
			continue
		}
		if name := before(word, "="); dashed && len(name) > 1 && all.Lookup(name) != nil {
			return Usage("two dashes: --"+name, "-%s: a flag of more than one letter has two dashes", name)
		}
		if dashed && wantsMore(all, word) {
			i++
		}
	}
	return nil
}

// wantsMore says whether the last of these one-letter flags has its value in the next argument.
func wantsMore(all *pflag.FlagSet, letters string) bool {
	for i := range len(letters) {
		flag := all.ShorthandLookup(letters[i : i+1])
		if flag == nil {
			return false
		}
		if flag.NoOptDefVal == "" {
			return i == len(letters)-1
		}
	}
	return false
}
