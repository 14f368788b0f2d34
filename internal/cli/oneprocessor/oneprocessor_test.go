package oneprocessor

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("PRINT_PROCESSORS") != "" {
		os.Stdout.WriteString(strconv.Itoa(runtime.GOMAXPROCS(0)))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestEnvironment(t *testing.T) {
	for value, want := range map[string]string{"": "1", "3": "3"} {
		program := exec.Command(os.Args[0])
		program.Env = append(os.Environ(), "PRINT_PROCESSORS=1", "GOMAXPROCS="+value)
		if got, err := program.Output(); err != nil || string(got) != want {
			t.Errorf("with GOMAXPROCS=%s the program uses %s processors, %v; want %s", value, got, err, want)
		}
	}
}
