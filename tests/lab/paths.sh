# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the files beside this one
# Where the lab keeps things, and the small words every other file uses.

CACHE=${ANKLUME_LAB_CACHE:-/var/cache/anklume-lab}
STATE=${ANKLUME_LAB_STATE:-/var/lib/anklume-lab}
MARK=$STATE/.anklume-lab

say() { printf 'lab: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command that talks too much: it is heard only when it fails.
quietly() {
    local out
    out=$("$@" 2>&1) || die "$out"
}

# What a command is about: 6, 7 or both.
versions() {
    case ${1:-all} in
        6 | 7) echo "$1" ;;
        all) echo 6 7 ;;
        *) die "no daemon '$1': say 6, 7 or all" ;;
    esac
}

# Points everything at one daemon.
version() {
    [[ ${1:-} == [67] ]] || die "which daemon? say 6 or 7"
    VERSION=$1
    HOME_DIR=$STATE/$VERSION
    INCUS_DIR=$HOME_DIR/incus
    CONF_DIR=$HOME_DIR/conf
    SHARED=$STATE/shared
    ROOT=$CACHE/root-$VERSION
    PIDFILE=$HOME_DIR/init.pid
    LOG=$HOME_DIR/daemon.log
}

# The paths end up in overlay options, in unix socket addresses and in rm -rf:
# plain absolute ones only, and short enough for sun_path.
check_paths() {
    local path plain='^/[A-Za-z0-9._+/-]+$'
    for path in "$CACHE" "$STATE"; do
        [[ $path =~ $plain && $path != *..* ]] ||
            die "unusable path '$path': absolute, letters, digits and ._+- only"
    done
    ((${#STATE} <= 70)) || die "path too long for a unix socket: $STATE"
}

# The state directory is removed later, so it must be the lab's own.
claim_state() {
    until mkdir -p "$STATE" && lock_state; do :; done
    if [[ ! -e $MARK ]]; then
        [[ -z $(ls -A "$STATE") ]] || die "$STATE holds files that are not the lab's"
        : >"$MARK"
    fi
    mkdir -p "$STATE/shared"
}

# One command at a time makes or unmakes a state. The lock is the directory
# itself: it leaves nothing behind. Whoever waited may find it gone.
lock_state() {
    local lock
    { exec {lock}<"$STATE"; } 2>/dev/null || return 1
    flock "$lock"
    [[ /proc/self/fd/$lock -ef $STATE ]] && return
    exec {lock}<&-
    return 1
}

# The last daemon that goes takes the rest with it.
remove_state() {
    [[ -e $MARK && ! -d $STATE/6 && ! -d $STATE/7 ]] || return 0
    rm -rf --one-file-system "$STATE/shared"
    rm -f "$MARK"
    rmdir "$STATE"
}
