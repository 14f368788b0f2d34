package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// parse reads the command line and turns pflag's complaints into this suite's.
func (p *Program) parse(arguments []string) (args []string, err error) {
	all := pflag.NewFlagSet(p.Name, pflag.ContinueOnError)
	all.SortFlags = false
	for _, g := range p.groups {
		all.AddFlagSet(g.flags)
	}
	all.VisitAll(func(flag *pflag.Flag) {
		switch flag.Value.Type() {
		case "int", "uint8", "uint16":
			flag.Value = decimal{flag.Value}
		}
	})
	if err := oneDash(all, arguments); err != nil {
		return nil, err
	}
	if err := all.Parse(arguments); err != nil {
		return nil, p.flagError(all, err)
	}
	return all.Args(), p.checkExclusive(all)
}

// decimal is a whole number as people write it: 010 is ten, and not eight, as Go would have it.
type decimal struct{ pflag.Value }

// Set reads the number.
func (d decimal) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return err
	}
	return d.Value.Set(strconv.FormatInt(n, 10))
}

func (p *Program) checkExclusive(all *pflag.FlagSet) error {
	for _, names := range p.exclusive {
		var given []string
		for _, name := range names {
			if flag := all.Lookup(name); flag != nil && flag.Changed && flag.Value.String() != "false" {
				given = append(given, "--"+name)
			}
		}
		if len(given) > 1 {
			return Usage("", "%s exclude each other", strings.Join(given, " and "))
		}
	}
	return nil
}

// help is the whole of --help, which docs/manual.md repeats for every program.
func (p *Program) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nUsage:\n  %s\n", p.Name, p.Summary, strings.TrimSpace(p.Name+" [FLAG...] "+p.Arguments))
	if p.About != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(p.About))
	}
	for _, g := range p.groups {
		fmt.Fprintf(&b, "\n%s:\n%s", g.title, g.flags.FlagUsagesWrapped(100))
	}
	b.WriteString("\nExamples:\n")
	for line := range strings.Lines(strings.TrimSpace(p.Examples)) {
		b.WriteString("  " + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}

// NoArguments is the usage error for arguments where a program takes none.
func NoArguments(args []string, hint string) error {
	if len(args) == 0 {
		return nil
	}
	return Usage(hint, "superfluous argument %s", Quote(args[0]))
}
