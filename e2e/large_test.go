package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// large is near the broker's limit, 128 MiB.
const large = 100 << 20

// A message of 100 MiB goes in and comes out as it is, as bytes, as JSON and into a command, and there is one copy of
// it in a publisher; in a consumer, where the library gathers it, there are three or four. The programs are those that
// users have: the race detector takes as much memory again, and its time.
func TestLargeMessage(t *testing.T) {
	l := &largeMessage{t: t, dir: t.TempDir(), url: vhostOf(t, "large")}
	build := exec.Command("go", "build", "-trimpath", "-o", l.dir+"/", "../cmd/send", "../cmd/receive", "../cmd/worker")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	sent := sha256.New()
	file, err := os.Create(l.path("sent"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.CopyN(io.MultiWriter(file, sent), rand.NewChaCha8([32]byte{}), large); err != nil {
		t.Fatal(err)
	}
	l.sum = sent.Sum(nil)

	l.run(200, "send", "--stdin", "--quiet")
	l.run(600, "receive", "--requeue", "--count", "1", "--format", "raw")
	l.same("raw", "out", "\n")
	l.run(600, "receive", "--requeue", "--count", "1", "--format", "json")
	l.sameJSON()
	l.run(600, "worker", "--queue", "hello", "--count", "1", "--quiet", "--exec", "cat >"+l.path("copy"))
	l.same("--exec", "copy", "")
}

type largeMessage struct {
	t        *testing.T
	dir, url string
	sum      []byte
}

func (l *largeMessage) path(name string) string { return filepath.Join(l.dir, name) }

// run runs a program with the message as its input, and with its output in a file. It may need so many MiB.
func (l *largeMessage) run(limit int, name string, args ...string) {
	l.t.Helper()
	in, err := os.Open(l.path("sent"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(l.path("out"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer out.Close()
	cmd := program(l.url, name, args...)
	cmd.Path = l.path(name)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &stderr
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	peak := make(chan int)
	go func() { peak <- peakMemory(cmd.Process.Pid) }()
	if err := cmd.Wait(); err != nil {
		l.t.Fatalf("%s: %v\n%s", name, err, &stderr)
	}
	needed := <-peak
	l.t.Logf("%s: %d MiB", cmd, needed)
	if needed > limit {
		l.t.Errorf("%s: it needs %d MiB, more than %d", cmd, needed, limit)
	}
}

// peakMemory returns the most resident memory, in MiB, that a process has had until it ends, or 0 where there is no
// /proc. It looks there because the peak that the kernel reports at the end may be that of the process which started it.
func peakMemory(pid int) (peak int) {
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, rest, found := strings.Cut(string(status), "VmHWM:")
		if err != nil || !found { // a process that has ended has no memory
			return peak
		}
		kib, _ := strconv.Atoi(strings.Fields(rest)[0])
		peak = kib >> 10
		time.Sleep(time.Millisecond)
	}
}

// same checks that a file holds the message and this end.
func (l *largeMessage) same(what, name, end string) {
	l.t.Helper()
	file, err := os.Open(l.path(name))
	if err != nil {
		l.t.Fatal(err)
	}
	defer file.Close()
	l.compare(what, io.LimitReader(file, large))
	if rest, err := io.ReadAll(file); err != nil || string(rest) != end {
		l.t.Errorf("%s: behind the message: %q, %v", what, rest, err)
	}
}

func (l *largeMessage) compare(what string, r io.Reader) {
	l.t.Helper()
	got := sha256.New()
	if n, err := io.Copy(got, r); err != nil || n != large || !bytes.Equal(got.Sum(nil), l.sum) {
		l.t.Errorf("%s: another message of %d bytes, %v", what, n, err)
	}
}

// sameJSON checks the output as JSON: the body comes first, in base64, and is read without keeping it in memory.
func (l *largeMessage) sameJSON() {
	l.t.Helper()
	file, err := os.Open(l.path("out"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer file.Close()
	const begin = `{"body_base64":"`
	head := make([]byte, len(begin))
	if _, err := io.ReadFull(file, head); err != nil || string(head) != begin {
		l.t.Fatalf("json: it begins with %q, %v", head, err)
	}
	body := io.LimitReader(file, int64(base64.StdEncoding.EncodedLen(large)))
	l.compare("json", base64.NewDecoder(base64.StdEncoding, body))
	rest, err := io.ReadAll(file)
	if err != nil || !json.Valid(append([]byte(begin), rest...)) {
		l.t.Errorf("json: behind the body: %q, %v", rest, err)
	}
}
