package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// parse reads the command line and turns pflag's complaints into this suite's.
func (p *Program) parse(arguments []string) (args []string, err error) {
	all := p.all()
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

// all are the flags of all groups.
func (p *Program) all() *pflag.FlagSet {
	all := pflag.NewFlagSet(p.Name, pflag.ContinueOnError)
	all.SortFlags = false
	for _, g := range p.groups {
		all.AddFlagSet(g.flags)
	}
	return all
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

// NoArguments is the usage error for arguments where a program takes none.
func NoArguments(args []string, hint string) error {
	if len(args) == 0 {
		return nil
	}
	return Usage(hint, "superfluous argument %s", Quote(args[0]))
}
