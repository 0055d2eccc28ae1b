# Run "make" for the list of targets.
BIN ?= bin/tenantsync
FUZZTIME ?= 10s

.DEFAULT_GOAL := help
.PHONY: help build test race lint fmt fuzz bench cover demo ci clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## static, stripped binary at bin/tenantsync
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o $(BIN) ./cmd/tenantsync

test: ## every test, as CI runs them first
	go test ./...

race: ## every test under the race detector, in random order (needs a C compiler)
	go test -race -shuffle=on ./...

bin/golangci-lint: tools/go.mod tools/go.sum
	go -C tools build -o $(CURDIR)/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: bin/golangci-lint ## linter with the import rules of docs/design.md; the first run builds it, which takes minutes
	bin/golangci-lint run ./...

fmt: ## gofmt over the tree
	gofmt -w $$(git ls-files '*.go')

fuzz: ## every fuzz target for FUZZTIME (10s)
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ {n[++c]=$$1} /^ok/ {for (i=1;i<=c;i++) print $$2, n[i]; c=0}' | \
	while read -r pkg name; do go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) $$pkg || exit 1; done

bench: ## benchmarks; docs/performance.md says what they measure
	go test -run='^$$' -bench=. -benchmem ./...

cover: ## coverage of the whole tree, by function
	go test -coverpkg=./... -coverprofile=coverage.out ./... && go tool cover -func=coverage.out

demo: ## two simulated tenants come into sync
	go run ./cmd/tenantsync demo

ci: ## what has to hold before a change lands
	.ci/run

clean: ## remove what make built
	rm -rf bin coverage.out
