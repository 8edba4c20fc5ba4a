# shellcheck shell=bash
# The cgroup of a daemon. All that the daemon starts is born in it, whatever the
# namespace, so it tells which processes are ours without trusting any pid.

# Where this machine has cgroup2, alone or beside version 1.
cgroup_mount() { awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts; }

# One name per state directory and daemon, so that labs do not meet.
cgroup_dir() {
    local sum
    sum=$(printf %s "$STATE" | cksum)
    echo "$(cgroup_mount)/anklume-lab-${sum%% *}-$VERSION"
}

# The processes sit in a leaf, for controllers cannot be handed to the cgroups
# of instances otherwise. liblxc drops "init.scope" from the path of pid 1 and
# puts its cgroups beside it, all under the daemon's own.
cgroup_make() { mkdir -p "$(cgroup_dir)/init.scope"; }

cgroup_join() { echo "$BASHPID" >"$(cgroup_dir)/init.scope/cgroup.procs"; }

# Kills every process in it and waits until the last one is gone.
cgroup_kill() {
    local dir i
    dir=$(cgroup_dir)
    for ((i = 0; i < 500; i++)); do
        grep -qs 'populated 1' "$dir/cgroup.events" || return 0
        echo 1 >"$dir/cgroup.kill"
        sleep 0.02
    done
    die "processes in $dir cannot be killed"
}

cgroup_remove() {
    local dir
    dir=$(cgroup_dir)
    [[ ! -d $dir ]] || find "$dir" -depth -type d -exec rmdir {} +
}
