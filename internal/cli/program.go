// Package cli is what the ten programs share as command-line tools: flags in groups, help, version, signals, errors
// and exit statuses. It knows nothing of AMQP.
//
// What goes where:
//   - Standard output gets results, one line each, and nothing else, so that it can be a file or somebody's input.
//   - Standard error gets everything else. What the program itself says begins with its name: notes, warnings, errors (Say).
//     The tutorials' banners and the summary do not (Banner).
//   - An error is one line, what failed and why, and at most one more that begins with "hint:" (Error).
//   - A progress bar is shown on a terminal only, where no lines move, and gone when anything else is written (Progress).
//   - Text from a broker is escaped, and no password is ever written.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	_ "amqp-tutorials/internal/cli/oneprocessor" // before anything else is initialised
	"amqp-tutorials/internal/show"
)

// Program is one of the ten: what --help says of it, and its flags.
type Program struct {
	Name      string
	Arguments string // the arguments in usage notation, "[MESSAGE...]"
	Summary   string // one line
	About     string // a paragraph or two, in lines of any length
	Examples  string // command lines that can be pasted, with comments, of at most 78 columns
	// Lesson names the flags that belong to the tutorial, besides --verbose: -h shows these alone, --help shows them first.
	Lesson []string

	groups      []group
	exclusive   [][]string
	experiments []string
}

type group struct {
	title string
	flags *pflag.FlagSet
	last  bool
}

// A Part is one subject of a program's command line, for example the queue or the connection. Check is called once
// the flags are parsed and returns a usage error if they don't go together.
type Part interface {
	Flags(p *Program)
	Check() error
}

// Instead is a Part that may take the place of the whole run, once all parts are checked.
type Instead interface {
	Instead(ctx context.Context) (done bool, err error)
}

// Group returns a set for the flags of one subject, which --help prints under title. Groups appear in the order in
// which they were first asked for; asking again for one adds to it.
func (p *Program) Group(title string) *pflag.FlagSet {
	for _, g := range p.groups {
		if g.title == title {
			return g.flags
		}
	}
	flags := pflag.NewFlagSet(title, pflag.ContinueOnError)
	flags.SortFlags = false
	p.groups = append(p.groups, group{title: title, flags: flags})
	return flags
}

// LastGroup is Group for a subject that --help prints after the others.
func (p *Program) LastGroup(title string) *pflag.FlagSet {
	flags := p.Group(title)
	p.groups[len(p.groups)-1].last = true
	return flags
}

// Experiments says which flags are for experiments and measuring. --help gathers them from their groups.
func (p *Program) Experiments(names ...string) { p.experiments = append(p.experiments, names...) }

// Exclusive says that no two of these flags may be given together.
func (p *Program) Exclusive(names ...string) { p.exclusive = append(p.exclusive, names) }

// Run is the whole life of a program: it parses the command line, calls run with the arguments that are left, and
// exits with the status that run's error asks for. The first SIGINT, SIGTERM or SIGHUP cancels run's context; the second
// ends the process at once, with 128 and its number.
//
// A program uses one processor, unless it asks for all (AllProcessors) or the environment variable GOMAXPROCS says
// otherwise. Passing messages on is one goroutine's work, with a little beside it in others; on several processors Go's
// runtime hands that little back and forth between threads, once for each message, which costs half as much again as the
// work itself and is not faster.
func (p *Program) Run(run func(ctx context.Context, args []string) error, parts ...Part) {
	err := p.run(run, parts)
	var failure *Error
	switch {
	case err == nil, errors.Is(err, show.ErrClosedPipe):
		os.Exit(OK)
	case errors.As(err, &failure):
		Say("%s", failure)
		if failure.Hint != "" {
			fmt.Fprintln(os.Stderr, "hint: "+show.Escape(failure.Hint))
		}
		os.Exit(failure.Status)
	default:
		Say("%s", err)
		os.Exit(Failed)
	}
}

func (p *Program) run(run func(ctx context.Context, args []string) error, parts []Part) error {
	other := p.LastGroup("Other")
	help := other.BoolP("help", "h", false, "-h prints the tutorial's flags on one screen, --help all flags")
	version := other.Bool("version", false, "print the version")
	for _, part := range parts {
		part.Flags(p)
	}
	args, err := p.parse(os.Args[1:])
	switch {
	case err != nil:
		return err
	case *help && slices.Contains(os.Args[1:], "--help"):
		_, err := fmt.Print(p.fullHelp(columns()))
		return err
	case *help:
		_, err := fmt.Print(p.help())
		return err
	case *version:
		_, err := fmt.Println(p.version())
		return err
	}
	for _, part := range parts {
		if err := part.Check(); err != nil {
			return err
		}
	}
	ended := make(chan struct{})
	ctx := stopOnSignal(ended)
	done, err := instead(ctx, parts)
	if !done {
		err = run(ctx, args)
	}
	close(ended)
	if Hurry(ctx).Err() != nil {
		select {} // the second signal is about to end the process
	}
	return err
}

// instead asks those parts that may take the run's place.
func instead(ctx context.Context, parts []Part) (done bool, err error) {
	for _, part := range parts {
		if first, ok := part.(Instead); ok && !done {
			done, err = first.Instead(ctx)
		}
	}
	return done, err
}

// AllProcessors lets a program that computes, or starts others that do, use every processor.
func AllProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.SetDefaultGOMAXPROCS()
	}
}

// version is taken from what the Go toolchain wrote into the binary.
func (p *Program) version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return p.Name + " (unknown version)"
	}
	parts := []string{p.Name, info.Main.Version}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			parts = append(parts, setting.Value)
		}
	}
	for _, dep := range info.Deps {
		if strings.HasSuffix(dep.Path, "amqp091-go") {
			parts = append(parts, "amqp091-go "+dep.Version)
		}
	}
	return strings.Join(append(parts, info.GoVersion), " ")
}

// Say writes one line to standard error, after the program's name: a note, a warning or an error. Text from a
// broker may be part of it.
func Say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s%s: %s\n", lineStart(), filepath.Base(os.Args[0]), show.Escape(fmt.Sprintf(format, args...)))
}

// SayStyled is Say for a text that is escaped already, and may have colours and several lines.
func SayStyled(text string) {
	fmt.Fprintf(os.Stderr, "%s%s: %s\n", lineStart(), filepath.Base(os.Args[0]), text)
}

// Banner writes one of the tutorials' own lines, such as " [*] Waiting for messages", to standard error.
func Banner(text string) {
	fmt.Fprintln(os.Stderr, lineStart()+text)
}
