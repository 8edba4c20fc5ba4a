# shellcheck shell=bash
# One Incus daemon: its world, its life, its end.

# The fields of /proc/PID/stat from the state on: 0 state, 1 parent, 6 flags,
# 19 start time.
stat_of() {
    local line
    { line=$(<"/proc/$1/stat"); } 2>/dev/null && read -ra STAT <<<"${line##*) }"
}

# The pid of the init of the daemon's world, if that very process lives and is
# not exiting (flag 4): it does so slowly, waiting for all the others.
init_pid() {
    local pid start
    [[ -r $PIDFILE ]] && read -r pid start <"$PIDFILE" && stat_of "$pid" || return 1
    [[ ${STAT[19]} == "$start" ]] && ((!(STAT[6] & 4))) && echo "$pid"
}

# The pid of incusd: the child of init that carries its arguments. Monitors and
# helpers run the same binary with others.
incusd_pid() {
    local init pid
    init=$(init_pid) || return 1
    while read -r pid; do
        if stat_of "$pid" && [[ ${STAT[1]} == "$init" ]] &&
            grep -qzx -e --group "/proc/$pid/cmdline" 2>/dev/null; then
            echo "$pid"
            return
        fi
    done <"$(cgroup_dir)/init.scope/cgroup.procs"
    return 1
}

# Runs a command of the root, in the daemon's world, in place of this process.
# It joins the cgroup so that it does not outlive the lab. nsenter has to stay
# as its parent out here; whoever kills nsenter means the command.
exec_inside() {
    local init dir=/
    init=$(init_pid) || die "Incus $VERSION is not up"
    [[ $PWD/ != "$SHARED"/* ]] || dir=$PWD
    cgroup_join
    exec nsenter --target "$init" --mount --pid -- \
        env -i -C "$dir" HOME=/root LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin INCUS_DIR="$INCUS_DIR" INCUS_CONF="$CONF_DIR" \
        ${INCUS_PROJECT:+INCUS_PROJECT="$INCUS_PROJECT"} \
        ${INCUS_REMOTE:+INCUS_REMOTE="$INCUS_REMOTE"} \
        setpriv --pdeathsig TERM -- "$@"
}

# The same for the lab's own use, as a child.
incus() { (exec_inside incus "$@"); }

daemon_up() {
    start_incusd || start_world
    wait_ready
    estate
}

# The remains of a world that crashed go first.
start_world() {
    local i pid
    need_root
    cgroup_kill
    detach_loops
    cgroup_make
    mkdir -p "$INCUS_DIR" "$CONF_DIR"
    rm -f "$PIDFILE"
    setsid "$LAB/init" "$ROOT" "$HOME_DIR" "$SHARED" "$(cgroup_dir)" \
        </dev/null >>"$LOG" 2>&1 &
    pid=$!
    for ((i = 0; i < 500; i++)); do
        init_pid >/dev/null && return
        [[ -d /proc/$pid ]] || break
        sleep 0.02
    done
    die "Incus $VERSION does not start: $(tail -n 1 "$LOG")"
}

# Fails if there is no world to start it in.
start_incusd() {
    local init
    init=$(init_pid) || return 1
    incusd_pid >/dev/null || kill -USR1 "$init" 2>/dev/null
}

# Its init starts it when it gets to it, on a busy machine after a while: one
# that has not been seen yet has not died.
wait_incusd() {
    local i
    for ((i = 0; i < 1500; i++)); do
        incusd_pid >/dev/null && return
        init_pid >/dev/null || return 1
        sleep 0.02
    done
    return 1
}

wait_ready() {
    local i
    wait_incusd || die "Incus $VERSION does not start: $(tail -n 1 "$LOG")"
    for ((i = 0; i < 120; i++)); do
        incus admin waitready --timeout 1 >/dev/null 2>&1 && return
        incusd_pid >/dev/null || break
    done
    die "Incus $VERSION does not get ready: $(tail -n 1 "$LOG")"
}

daemon_kill() {
    local pid
    pid=$(incusd_pid) || die "incusd $VERSION is not running"
    kill -9 "$pid"
    while [[ -d /proc/$pid ]]; do sleep 0.01; done
}

daemon_restart() {
    ! incusd_pid >/dev/null || daemon_kill
    start_incusd || die "Incus $VERSION is not up"
    wait_ready
}

# Works from whatever is left, for it has to after any crash.
daemon_down() {
    cgroup_kill
    cgroup_remove
    [[ -e $MARK && -d $HOME_DIR ]] || return 0
    detach_loops
    rm -rf --one-file-system "$HOME_DIR"
}

# The kernel frees a pool's loop device with its last mount, a moment after the
# last process. What it does not free is detached here: only devices whose
# backing file lies in the state, told by inode since the path of a mount that
# is gone says nothing.
detach_loops() {
    local i loop
    for ((i = 0; i < 40; i++)); do
        [[ -n $(our_loops) ]] || return 0
        sleep 0.05
    done
    for loop in $(our_loops); do losetup --detach "$loop"; done
}

our_loops() {
    local loop ino dev here
    [[ -d $HOME_DIR ]] || return 0
    here=$(stat -c %Hd:%Ld "$HOME_DIR")
    losetup --list --noheadings --output NAME,BACK-INO,BACK-MAJ:MIN |
        while read -r loop ino dev; do
            [[ $dev == "$here" ]] || continue
            [[ -z $(find "$HOME_DIR" -xdev -inum "$ino" -print -quit) ]] || echo "$loop"
        done
}
