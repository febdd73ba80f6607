# Flatnet: make help lists what there is.

PREFIX  ?= /usr/local
DESTDIR ?=
GO      ?= go
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo unknown)

TOOLS    := bin/tools
# go wants the whole path; make takes no target with spaces in it.
GOBIN     = "$$(realpath -m '$(TOOLS)')"
# The tools, by exact version; they stay out of go.mod.
LINT     := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOTESTSUM := gotest.tools/gotestsum@v1.13.0
LAZYDOCKER := github.com/jesseduffield/lazydocker@v0.24.1
NFPM     := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
# Without a tag, a version that sorts before any that has one.
DEB_VERSION ?= $(or $(patsubst v%,%,$(shell git describe --tags --abbrev=0 2>/dev/null)),0.0.0~git$(shell git show -s --format=%cd.%h --date=format:%Y%m%d 2>/dev/null))

LDFLAGS  := -s -w -X main.version=$(VERSION)
# ./... leaves testdata out; these are programs and tests all the same.
STANDINS := $(addprefix ./testdata/,example golden handbook lab nettest nginx picture podman podman/lookup podman/wget podman5 program reference rules setuptest terminal windows/standin windows/windowstest)
PACKAGES := ./... $(STANDINS)

.PHONY: help build programs bin/share reference install uninstall deb run test lint bench fuzz setup clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

build: programs bin/share ## build plugin, console, manuals and completions into bin/

programs:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/flatnet ./plugin/flatnet
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/flatnet-tui ./tui/flatnet-tui

# Manuals, completions and the explained configuration, made from the code.
bin/share:
	@rm -rf $@
	$(GO) run ./testdata/reference share $@

reference: ## write the pages of docs/reference from the code
	$(GO) run ./testdata/reference docs docs

# Only what is missing is built: under sudo there may be no Go.
install: $(if $(wildcard bin/flatnet),$(if $(wildcard bin/flatnet-tui),,programs),programs) $(if $(wildcard bin/share),,bin/share) ## install plugin, console, configuration and units (PREFIX, DESTDIR)
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' core/setup/install.sh install

uninstall: ## take them away again; edited files, leases and logs only with PURGE=1
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' PURGE='$(PURGE)' core/setup/install.sh uninstall

deb: build $(TOOLS)/nfpm ## make a Debian package into dist/
	@rm -rf dist
	@PREFIX=/usr DESTDIR='$(CURDIR)/dist/root' core/setup/install.sh install
	@rm -rf dist/root/usr/share/flatnet
	ARCH=$$(dpkg --print-architecture) DEB_VERSION='$(DEB_VERSION)' $(TOOLS)/nfpm package -f core/setup/nfpm.yaml -p deb -t dist

bin/flatnet-lab: programs
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/flatnet-lab ./testdata/lab

.PHONY: bin/flatnet-lab

run: bin/flatnet-lab ## open the console on a lab of its own; needs no root
	@bin/flatnet-lab

setup: ## install what the tests need (apt; asks sudo if not root)
	@testdata/tools/setup.sh
	@[ "$$(id -u)" -ne 0 ] || testdata/podman5/tree.sh make || echo "No Debian 13 with Podman 5 could be made; its tests will say so."

test: setup bin/flatnet-lab $(TOOLS)/gotestsum $(TOOLS)/nfpm ## run every test, on real parts
	@testdata/tools/test.sh $(TOOLS)/gotestsum $(PACKAGES)

lint: $(TOOLS)/golangci-lint ## check the code
	$(TOOLS)/golangci-lint run $(PACKAGES)

# Another console is measured where it can be had.
bench: setup programs ## measure, side by side with what it is compared with
	@[ -x $(TOOLS)/lazydocker ] || GOBIN=$(GOBIN) $(GO) install $(LAZYDOCKER) || echo "lazydocker cannot be had here: it is not measured beside ours."
	$(GO) test -run '^$$' -bench . -benchtime $(or $(BENCHTIME),1s) $(PACKAGES)

fuzz: ## run every fuzz target for FUZZTIME (default 1m) each
	@testdata/tools/fuzz.sh $(or $(FUZZTIME),1m)

clean: ## remove what was built
	rm -rf bin dist

$(TOOLS)/golangci-lint:
	GOBIN=$(GOBIN) $(GO) install $(LINT)

$(TOOLS)/gotestsum:
	GOBIN=$(GOBIN) $(GO) install $(GOTESTSUM)

$(TOOLS)/nfpm:
	GOBIN=$(GOBIN) $(GO) install $(NFPM)
