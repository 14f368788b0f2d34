package e2e

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stuckMessages are more than a pipe holds the lines of.
const stuckMessages = 8000

// Who reads standard output may stop without going away, as a pager does. The program is stuck in a write then, and
// the first signal ends it all the same. What it could not write is not acknowledged: each message is on standard
// output or still in the queue.
func TestReaderOfStdoutStops(t *testing.T) {
	url := vhostOf(t, "stuck-reader")
	for _, command := range []string{"receive", "worker", "receive_logs --no-declare", "rpc_server"} {
		name, args, _ := strings.Cut(command, " ")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fill(t, url, name, 1, stuckMessages, "nobody")
			cmd := program(url, name, append(strings.Fields(args), "-q", name)...)
			output := stopStuck(t, cmd, 0, 1)
			left, _ := kept(t, url, name)
			t.Logf("%d bytes are written, %d messages are left", len(output), len(left))
			checkPrinted(t, output, left, stuckMessages)
		})
	}
	t.Run("send", func(t *testing.T) {
		t.Parallel()
		cmd := program(url, "send", "-q", "send", "--lines")
		var lines strings.Builder
		for i := range stuckMessages {
			lines.WriteString(strconv.Itoa(i+1) + "\n")
		}
		cmd.Stdin = strings.NewReader(lines.String())
		output := stopStuck(t, cmd, 0, 1)
		arrived := map[int]bool{}
		bodies, _ := kept(t, url, "send")
		for _, body := range bodies {
			n, _ := strconv.Atoi(body)
			arrived[n] = true
		}
		for _, n := range printedNumbers(output) {
			if !arrived[n] {
				t.Errorf("message %d is said to be sent and is not there", n)
			}
		}
	})
	t.Run("rpc_client", func(t *testing.T) {
		t.Parallel()
		server := launch(t, program(url, "rpc_server", "-q", "calls", "--quiet", "--prefetch", "64"))
		server.says("Awaiting")
		stopStuck(t, program(url, "rpc_client", "-q", "calls", "-n", "100000", "--concurrency", "16", "3"), 1)
	})
}

// stopStuck runs a program until nobody reads what it prints, stops it, and returns what it has written by its end.
func stopStuck(t *testing.T, cmd *exec.Cmd, statuses ...int) (output string) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cmd.Stdout = writer
	r := launch(t, cmd)
	awaitFull(r, writer)
	writer.Close()
	r.signal(syscall.SIGINT)
	r.endsWith(hang, statuses...)
	r.has("standard output")
	rest, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(rest)
}

// awaitFull waits until nothing more fits into a pipe, and the program has had time to notice: no event tells of that.
func awaitFull(r *running, pipe *os.File) {
	r.t.Helper()
	late := time.Now().Add(patience)
	for since := time.Now(); time.Since(since) < stall; time.Sleep(10 * time.Millisecond) {
		fits := []unix.PollFd{{Fd: int32(pipe.Fd()), Events: unix.POLLOUT}}
		n, err := unix.Poll(fits, 0)
		if err != nil && !errors.Is(err, unix.EINTR) {
			r.t.Fatal(err)
		}
		if n > 0 {
			since = time.Now()
		}
		if time.Now().After(late) {
			r.t.Fatalf("%s does not fill the pipe that it writes to:\n%s", r, r.stderr)
		}
	}
}

// checkPrinted checks that each number from 1 to last was printed or is left.
func checkPrinted(t *testing.T, output string, left []string, last int) {
	t.Helper()
	there := make([]bool, last+1)
	for _, body := range left {
		n, err := strconv.Atoi(body)
		if err != nil || n < 1 || n > last {
			t.Fatalf("nobody has published %q", body)
		}
		there[n] = true
	}
	for _, n := range printedNumbers(output) {
		if n > last {
			t.Fatalf("nobody has published %d", n)
		}
		there[n] = true
	}
	for n := 1; n <= last; n++ {
		if !there[n] {
			t.Fatalf("message %d is lost", n)
		}
	}
}

// printedNumbers returns the numbers at the ends of whole lines: "7", " [x] Received 7", " [.] fib(7)".
func printedNumbers(output string) (numbers []int) {
	output = output[:strings.LastIndexByte(output, '\n')+1] // a line without its end is none
	for line := range strings.Lines(output) {
		word := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), ")")
		word = word[strings.LastIndexAny(word, " (")+1:]
		if n, err := strconv.Atoi(word); err == nil { // "Done" is none
			numbers = append(numbers, n)
		}
	}
	return numbers
}
