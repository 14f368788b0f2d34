package cli

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// screen is what everybody's terminal has room for.
const screen = 80

// help is -h, one screen of 24 lines and 80 columns: usage, the tutorial's flags with the first clause of their
// descriptions, examples.
func (p *Program) help() string {
	var b strings.Builder
	all := p.all()
	fmt.Fprintf(&b, "%s: %s\n\nUsage: %s\n\n", p.Name, p.Summary, p.usage())
	b.WriteString(describe(p.lessonFlags(all), screen, firstClause))
	fmt.Fprintf(&b, "\nExamples:\n%s", p.examples())
	fmt.Fprintf(&b, "\n%s --help lists all flags. The broker is at AMQP_URL, or at --url.\n", p.Name)
	return b.String()
}

// fullHelp is --help, which docs/manual.md repeats for every program: all flags by subject, those of the tutorial first,
// what leads to the broker last.
func (p *Program) fullHelp(columns int) string {
	var b strings.Builder
	all := p.all()
	fmt.Fprintf(&b, "%s: %s\n\nUsage:\n  %s\n", p.Name, p.Summary, p.usage())
	for paragraph := range strings.SplitSeq(strings.TrimSpace(p.About), "\n\n") {
		b.WriteString("\n" + wrapped(paragraph, columns))
	}
	section := func(title string, flags []*pflag.Flag) {
		if len(flags) > 0 {
			fmt.Fprintf(&b, "\n%s:\n%s", title, describe(flags, columns, wholly))
		}
	}
	section("Flags of the tutorial", p.lessonFlags(all))
	for _, g := range p.groups {
		if !g.last {
			section(g.title, p.rest(g.flags))
		}
	}
	section("For experiments and measuring", named(all, p.experimental()))
	for _, g := range p.groups {
		if g.last {
			section(g.title, p.rest(g.flags))
		}
	}
	b.WriteString("\nExamples:\n" + p.examples())
	return b.String()
}

func (p *Program) usage() string { return strings.TrimSpace(p.Name + " [FLAG...] " + p.Arguments) }

func (p *Program) examples() string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(p.Examples)) {
		b.WriteString("  " + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}

func (p *Program) lessonFlags(all *pflag.FlagSet) []*pflag.Flag {
	return named(all, append(slices.Clone(p.Lesson), "verbose"))
}

// experimental are the names of the flags for experiments that are not the tutorial's own.
func (p *Program) experimental() []string {
	return slices.DeleteFunc(slices.Clone(p.experiments), func(name string) bool { return slices.Contains(p.Lesson, name) })
}

// rest are the flags of a group that are not shown elsewhere.
func (p *Program) rest(group *pflag.FlagSet) (flags []*pflag.Flag) {
	group.VisitAll(func(f *pflag.Flag) {
		if f.Name != "verbose" && !slices.Contains(p.Lesson, f.Name) && !slices.Contains(p.experiments, f.Name) {
			flags = append(flags, f)
		}
	})
	return flags
}

func named(all *pflag.FlagSet, names []string) (flags []*pflag.Flag) {
	for _, name := range names {
		if f := all.Lookup(name); f != nil {
			flags = append(flags, f)
		}
	}
	return flags
}

// describe lists flags. How much of each description is shown is up to part.
func describe(flags []*pflag.Flag, columns int, part func(first, rest string) string) string {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	for _, f := range flags {
		shown := *f
		first, rest, _ := strings.Cut(f.Usage, "; ")
		if c, ok := f.Value.(chooser); ok {
			first += ": " + orList(c.Choices())
		}
		shown.Usage = part(first, rest)
		if shown.Usage == first && f.DefValue == "true" {
			shown.DefValue = "false" // its default says no more than that the tutorial wants it so
		}
		if f.Value.Type() == "count" { // it takes no value, which pflag would name
			shown.Value, shown.NoOptDefVal, shown.DefValue = repeatable{f.Value}, "true", "false"
		}
		set.AddFlag(&shown)
	}
	return set.FlagUsagesWrapped(columns)
}

func firstClause(first, _ string) string { return first }

func wholly(first, rest string) string {
	if rest == "" {
		return first
	}
	return first + "; " + rest
}

// repeatable is a flag that counts how often it is given.
type repeatable struct{ pflag.Value }

// Type makes pflag describe it as a flag without a value.
func (repeatable) Type() string { return "bool" }

// wrapped breaks a paragraph into lines.
func wrapped(paragraph string, columns int) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(paragraph) {
		switch {
		case column > 0 && column+1+len(word) > columns:
			b.WriteString("\n")
			column = 0
		case column > 0:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String() + "\n"
}

// columns is how wide --help may be: as COLUMNS says, else as wide as the terminal, but not wider than reads well.
func columns() int {
	const narrowest, widest = 40, 100
	n, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil {
		n, _, err = term.GetSize(int(os.Stdout.Fd()))
	}
	if err != nil {
		return screen
	}
	return min(max(n, narrowest), widest)
}
