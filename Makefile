# A thin front door: everything of substance is in meson.build and tools/.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=

# No value that a user types reaches make's expansion or a shell's: each is taken
# as it is, and handed over in the environment.
override I := $(value I)
override O := $(value O)
override GPG := $(value GPG)
override SRC := $(value SRC)
override DST := $(value DST)
override FILE := $(value FILE)
override NAME := $(value NAME)
override PROJECT := $(value PROJECT)
# Relative paths are the caller's, also with make -C.
override CALLER := $(value PWD)
override BINARY := $(CURDIR)/$(BUILD)/src/anklume

.PHONY: all deps install uninstall check demo bench lint clean \
	file-copy backup restore-backup

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@tools/deps build
	@meson setup $(BUILD) --prefix=$(PREFIX) -Dtests=false \
		--buildtype=release >/dev/null

# For those who only want to use it: built once, not looked at again.
$(BUILD)/src/anklume: | $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet >&2

# What building, testing and the rest need, from the machine's package manager.
deps:
	@tools/deps build check

install: all
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD)

uninstall:
	@tools/uninstall $(BUILD)

check:
	@tools/check

demo:
	@tools/demo

bench: all
	@tools/bench

lint:
	@tools/lint

clean:
	@rm -rf $(BUILD) build-check build-clang build-zlib

file-copy backup restore-backup: export I := $(I)
file-copy backup restore-backup: export O := $(O)
file-copy backup restore-backup: export GPG := $(GPG)
file-copy backup restore-backup: export SRC := $(SRC)
file-copy backup restore-backup: export DST := $(DST)
file-copy backup restore-backup: export FILE := $(FILE)
file-copy backup restore-backup: export NAME := $(NAME)
file-copy backup restore-backup: export PROJECT := $(PROJECT)
file-copy backup restore-backup: export CALLER := $(CALLER)
file-copy backup restore-backup: export BINARY := $(BINARY)

# make file-copy SRC=[PROJECT/]INSTANCE:/PATH DST=[PROJECT/]INSTANCE:/PATH
file-copy: | $(BUILD)/src/anklume
	@cd "$$CALLER" && exec "$$BINARY" portal copy -- "$$SRC" "$$DST"

# make backup I=INSTANCE [GPG=RECIPIENT] [O=DIRECTORY]
backup: | $(BUILD)/src/anklume
	@cd "$$CALLER" && exec "$$BINARY" backup create \
		$${GPG:+"--gpg=$$GPG"} $${O:+"--output=$$O"} -- "$$I"

# make restore-backup FILE=ARCHIVE [NAME=NAME] [PROJECT=PROJECT]
restore-backup: | $(BUILD)/src/anklume
	@cd "$$CALLER" && exec "$$BINARY" backup restore "--file=$$FILE" \
		$${NAME:+"--name=$$NAME"} $${PROJECT:+"--project=$$PROJECT"}
