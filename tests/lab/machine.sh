# shellcheck shell=bash
# What this machine has to offer to the lab, and what it lacks.

# lacking [6|7|all]: prints the first thing that is missing, if any.
lacking() {
    ((EUID == 0)) || { echo "not root"; return; }
    lacking_command && lacking_cgroup && lacking_namespace && lacking_filesystem &&
        lacking_root "$@"
}

# Each of these prints and fails, or is silent and succeeds.
lacking_command() {
    local name
    for name in awk cksum find flock grep gzip losetup mount nsenter pivot_root setsid \
        tar unshare; do
        command -v "$name" >/dev/null || { echo "no command $name"; return 1; }
    done
}

lacking_cgroup() {
    local mount dir
    mount=$(cgroup_mount)
    [[ -n $mount ]] || { echo "no cgroup2 mount"; return 1; }
    dir=$(mktemp -d "$mount/anklume-lab-check.XXXXXX" 2>/dev/null) ||
        { echo "cannot create cgroups in $mount"; return 1; }
    [[ -e $dir/cgroup.kill ]] || echo "no cgroup.kill: Linux 5.14 or later is needed"
    rmdir "$dir"
}

lacking_namespace() {
    unshare --mount --pid --cgroup --fork --mount-proc true 2>/dev/null ||
        { echo "cannot create mount, pid and cgroup namespaces"; return 1; }
    unshare --user true 2>/dev/null ||
        { echo "cannot create user namespaces"; return 1; }
    awk '$1 <= 1000000 && $1 + $3 >= 1001000000 { ok = 1 } END { exit !ok }' \
        /proc/self/uid_map || { echo "too few user ids for unprivileged containers"; return 1; }
}

lacking_filesystem() {
    local name
    for name in overlay btrfs; do
        grep -qw "$name" /proc/filesystems || modprobe -q "$name" 2>/dev/null ||
            { echo "no $name in the kernel"; return 1; }
    done
    [[ -e /dev/loop-control ]] || modprobe -q loop 2>/dev/null ||
        { echo "no loop devices"; return 1; }
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --propagation private sh -ec 'mount -t tmpfs lab "$0"; cd "$0"
        mkdir up work root; mount -t overlay -o lowerdir=/,upperdir=up,workdir=work lab root
        mount -t cgroup2 lab root/mnt' /mnt 2>/dev/null ||
        { echo "cannot mount overlay and cgroup2"; return 1; }
}

# What is not cached yet has to be made.
lacking_root() {
    cached "$@" && return
    command -v apt-get dpkg-deb >/dev/null || { echo "no apt: roots cannot be made"; return 1; }
    mirror >/dev/null ||
        { echo "no Debian archive in the apt sources (ANKLUME_LAB_MIRROR may name one)"; return 1; }
    command -v debootstrap >/dev/null || offered debootstrap ||
        { echo "no debootstrap, and apt does not offer it"; return 1; }
}

cached() {
    local chosen v
    chosen=$(versions "${1:-all}")
    for v in $chosen; do [[ -d $CACHE/root-$v ]] || return 1; done
}

# Without package lists nothing is known, and the build will fetch them.
offered() {
    [[ -z $(find /var/lib/apt/lists -name '*_Packages*' -print -quit) ]] ||
        apt-get -qq --print-uris download "$1" >/dev/null 2>&1
}
