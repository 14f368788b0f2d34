# amqp-tutorials: `make demo` shows all seven tutorials, `make test` checks everything.
# Both need Go, make, bash and a package manager; RabbitMQ is installed if no broker is there.

PROGRAMS := send receive new_task worker emit_log receive_logs emit_log_direct emit_log_topic rpc_server rpc_client
SCRIPTS  := $(wildcard demos/*.sh scripts/*) bench/peers/install

.PHONY: all build install broker demo test quick lint format manual bench bench-peers clean

all: build

# Static, stripped binaries: without cgo they start faster and run on any Linux of the same architecture.
build:
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/ $(PROGRAMS:%=./cmd/%)

# Into $GOBIN, or ~/go/bin.
install:
	CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' $(PROGRAMS:%=./cmd/%)

# A broker in the foreground: the one at $AMQP_URL if it answers, else a private one.
broker:
	scripts/broker

# On a private broker, or with AMQP_URL in a vhost of its own there. `make demo N=2` shows one, STEP=1 waits for Enter.
demo: build
	@demos/all.sh $(N)

# Results are not taken from the cache (-count=1): it does not see that the programs have changed which the tests run.
test:
	scripts/install-rabbitmq
	scripts/install-test-tools
	go test -count=1 -timeout 40m ./...

# The tests that need no broker, in seconds. A test elsewhere that does need one skips itself under -short, and says so.
quick:
	go test -short -timeout 60s $$(go list ./... | grep -Ev '/(e2e|bench|internal/broker(/launch)?)$$')

lint:
	scripts/install-test-tools
	@files=$$(go tool gofumpt -l .); if [ -n "$$files" ]; then echo "not formatted (make format):"; echo "$$files"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff
	shellcheck $(SCRIPTS) .ci/run

format:
	go tool gofumpt -w .

# docs/manual.md from the programs' own --help; a test compares the two.
manual: build
	scripts/manual > docs/manual.md

# The programs beside their peers and the limits: some 18 minutes, with QUICK=1 two and no new charts.
# BENCHFLAGS='-case scaling' measures one case, '-scale 7' goes up to ten million lines; `go run ./bench -h` tells more.
bench:
	scripts/install-rabbitmq
	go run ./bench $(if $(QUICK),-quick,-charts docs) $(BENCHFLAGS)

# The other clients that `make bench` measures, from the distribution and npm; what there is not is skipped by name.
bench-peers:
	bench/peers/install

clean:
	rm -rf bin
