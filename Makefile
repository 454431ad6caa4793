# What an operator and a developer do here. Each target is a thin name for a script or a preset.
# Nothing is written into the source tree but dist/ (make release): builds and caches are below $RAILIANCE_CACHE.
SHELL := /bin/sh
# Where this file is. make's own functions would take a path with a blank for two.
HERE := $(shell file=$$(printf %s '$(subst ','\'',$(MAKEFILE_LIST))' | sed 's/^ //'); \
  [ -e "$$file" ] || file='$(subst ','\'',$(lastword $(MAKEFILE_LIST)))'; cd "$$(dirname "$$file")" && pwd)/
HOME ?= /root
RAILIANCE_CACHE ?= $(HOME)/.cache/railiance-backup
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX ?= /usr/local
# Options for `railiance-backup create`, for example ARGS="--keep-last 14".
ARGS ?=
# For which architecture: amd64 or arm64; empty: this machine's.
ARCH ?=
# The file with the age recipients that `make install` puts into the cluster.
SOPS ?= .sops.yaml
export RAILIANCE_CACHE JOBS PREFIX
# Alpine has none by itself, and its sh would say that the script is not found.
NEEDS_BASH = command -v bash >/dev/null || { echo "bash is not on this host: apk add bash; or install without it: railiance-backup install (README.md)" >&2; exit 1; };

.PHONY: help
help:
	@echo "railiance-backup: encrypted, verified backups of a k3s cluster"
	@echo
	@echo "  make backup            back up the cluster now, wait, print the result (ARGS=...)"
	@echo "  make list              list the backups: what the cluster knows, and the sets on this disk"
	@echo
	@echo "  sudo make restore      list the sets, and how one comes back (ARGS=\"latest --execute\" does it)"
	@echo "  sudo make drill        prove that the newest set opens and is what it claims (ARGS=...)"
	@echo "  sudo make drill-timer  every night (systemd): where the key is, the drill (ARGS=\"--key FILE\");"
	@echo "                         on the server, verify, without a key"
	@echo
	@echo "  sudo make install      programs to $(PREFIX)/bin, chart into the cluster (SOPS=.sops.yaml)"
	@echo "  sudo make uninstall    take both away again; backup sets and CRDs stay"
	@echo
	@echo "  sudo make demo         set up everything on a fresh Debian 12 or 13 and run the main job"
	@echo "  sudo make test         set up everything and run all tests"
	@echo "  sudo make deps         install what the build and the tests need"
	@echo "  sudo make build        compile what is shipped: programs with all that they need, for any Linux"
	@echo "  sudo make image        the same as a container image"
	@echo "  sudo make tarball      that, the image and the manifests as a tarball (ARCH=arm64, here as for build and image: for that architecture)"
	@echo "  sudo make release      everything that people install from, into dist/ (RELEASE_KEY=FILE signs it; docs/release.md)"
	@echo "  sudo make release-check  the release made twice in different directories: the same digests (40 minutes)"
	@echo "  sudo make root-test    the unit tests in the build root: Debian 13, its g++ and OpenSSL"
	@echo "  sudo make arm64-test   the tests of lib/, cross-compiled for arm64 and run by qemu"
	@echo "  sudo make e2e          only the end-to-end tests in pods"
	@echo "  make cases             what is made of the inputs that other people's clusters brought"
	@echo "  sudo make fault        every fault that can be made here, with counts (40 minutes)"
	@echo "  make fuzz              fuzz every parser, 10 minutes each (ARGS=\"60 fuzz_age_header\")"
	@echo "  sudo make mutants      seed bugs into a copy: each must make a test fail (40 minutes)"
	@echo "  sudo make bench        compare with age, rage and shell scripts: a table and JSON"
	@echo "  make lint format       clang-tidy, clang-format, shellcheck; format the sources"
	@echo "  make chart             bring what is made from crds/ and the chart up to date"

# GNU make ends with 2 whatever a recipe ended with, so the code is printed, too.
.PHONY: backup
backup:
	@"$(HERE)scripts/command.sh" railiance-backup create --wait $(ARGS) || { code=$$?; \
	  echo "make backup: railiance-backup ended with exit code $$code" >&2; exit $$code; }

.PHONY: list
list:
	@"$(HERE)scripts/list.sh"

.PHONY: restore
restore:
	@"$(HERE)scripts/command.sh" railiance-restore restore $(ARGS) || { code=$$?; \
	  echo "make restore: railiance-restore ended with exit code $$code" >&2; exit $$code; }

.PHONY: drill
drill:
	@"$(HERE)scripts/command.sh" railiance-restore drill $(ARGS) || { code=$$?; \
	  echo "make drill: railiance-restore ended with exit code $$code" >&2; exit $$code; }

.PHONY: drill-timer
drill-timer:
	@"$(HERE)scripts/drill-timer.sh" $(ARGS)

.PHONY: deps
deps:
	@"$(HERE)scripts/deps.sh"

.PHONY: build
build:
	@"$(HERE)scripts/bundle.sh" $(ARCH)

.PHONY: image
image:
	@"$(HERE)scripts/image.sh" $(ARCH)

.PHONY: tarball
tarball:
	@"$(HERE)scripts/tarball.sh" $(ARCH)

.PHONY: release
release: deps
	@"$(HERE)scripts/release.sh" $(ARGS)

.PHONY: release-check
release-check: deps
	@"$(HERE)scripts/release-check.sh"

.PHONY: root-test
root-test: deps
	@"$(HERE)tests/root/run.sh" all

.PHONY: arm64-test
arm64-test: deps
	@"$(HERE)tests/arm64/run.sh" all

.PHONY: install
install:
	@$(NEEDS_BASH) "$(HERE)scripts/install.sh" "$(SOPS)"

.PHONY: uninstall
uninstall:
	@$(NEEDS_BASH) "$(HERE)scripts/uninstall.sh"

.PHONY: demo
demo: deps
	@"$(HERE)scripts/demo.sh"

.PHONY: test
test: deps
	@"$(HERE)scripts/test.sh"

.PHONY: e2e
e2e: deps
	@"$(HERE)scripts/test.sh" e2e

.PHONY: cases
cases:
	@"$(HERE)scripts/cases.sh" $(ARGS)

.PHONY: fault
fault: deps
	@"$(HERE)scripts/fault.sh" $(ARGS)

.PHONY: fuzz
fuzz:
	@"$(HERE)scripts/fuzz.sh" $(ARGS)

.PHONY: mutants
mutants: deps
	@"$(HERE)scripts/mutants.sh" $(ARGS)

.PHONY: bench
bench: deps
	@"$(HERE)scripts/bench.sh" $(ARGS)

.PHONY: lint
lint:
	@"$(HERE)scripts/lint.sh"

.PHONY: format
format:
	@"$(HERE)scripts/lint.sh" --fix

.PHONY: chart deploy-manifests
chart deploy-manifests:
	@"$(HERE)scripts/render.sh"

.PHONY: clean
clean:
	@rm -rf "$(RAILIANCE_CACHE)/build" "$(HERE)dist" "$(HERE)dist.part"
