# shellcheck shell=bash
# The cached Debian roots that hold the daemons. Written once, never at run time.

PACKAGES=(incus-base incus-client btrfs-progs zstd xz-utils squashfs-tools
    busybox-static uidmap rsync attr acl iproute2 kmod)

suite_of() {
    case $1 in
        6) echo bookworm ;;
        7) echo trixie ;;
    esac
}

need_root() {
    [[ -d $ROOT ]] || build "$ROOT" build_root "the Debian root of Incus $VERSION"
}

# build PATH FUNCTION WHAT: makes a thing of the cache by calling FUNCTION with
# a path beside it. It is renamed when complete, so that a build that was killed
# is not taken for the thing. The build has namespaces of its own: whatever ends
# it, no mount outlives it.
build() {
    local path=$1 lock
    mkdir -p "$CACHE"
    exec {lock}>"$path.lock"
    flock "$lock"
    if [[ ! -e $path ]]; then
        say "making $3, to be cached"
        rm -rf "$path.new"
        unshare --mount --pid --fork --kill-child --mount-proc \
            "$LAB/lab" build "$VERSION" "$2" "$path.new" >"$path.log" 2>&1 ||
            die "cannot make $3; the end of $path.log: $(tail -n 1 "$path.log")"
        mv -T "$path.new" "$path"
    fi
    exec {lock}>&-
}

# build_root DIR
build_root() {
    local dir=$1 suite mirror
    suite=$(suite_of "$VERSION")
    mirror=$(mirror) || die "no Debian archive in the apt sources"
    export_proxy
    minbase "$suite" "$dir" "$mirror"
    configure_root "$dir" "$suite" "$mirror"
    fill_root "$dir" "$suite"
    check_root "$dir"
}

configure_root() {
    local dir=$1 suite=$2 mirror=$3 certificates=/etc/ssl/certs/ca-certificates.crt
    printf "deb $mirror %s main\n" "$suite" "$suite-backports" >"$dir/etc/apt/sources.list"
    apt_settings >"$dir/etc/apt/apt.conf.d/lab"
    # No service may start at installation: this is not a booted system.
    printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
    chmod 755 "$dir/usr/sbin/policy-rc.d"
    # A build that fails is thrown away whole, so syncing is waste.
    printf '%s\n' force-unsafe-io 'path-exclude=/usr/share/doc/*' \
        'path-exclude=/usr/share/man/*' 'path-exclude=/usr/share/locale/*' \
        >"$dir/etc/dpkg/dpkg.cfg.d/lab"
    local file
    for file in /etc/resolv.conf /etc/hosts; do
        [[ ! -e $file ]] || cp -L "$file" "$dir/etc/"
    done
    # An https mirror may be signed by an authority only this machine knows.
    if [[ -e $certificates ]]; then
        mkdir -p "$dir/etc/ssl/certs"
        cp -L "$certificates" "$dir/etc/ssl/certs/"
    fi
}

fill_root() {
    local dir=$1 suite=$2
    mount -t proc proc "$dir/proc"
    inside "$dir" apt-get -q -o Acquire::Languages=none update
    inside "$dir" apt-get -q -y --no-install-recommends -t "$suite-backports" \
        install "${PACKAGES[@]}"
    inside "$dir" apt-get -q clean
    umount "$dir/proc"
    rm -rf "$dir"/var/lib/apt/lists/* "$dir/usr/sbin/policy-rc.d"
}

inside() {
    local dir=$1
    shift
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        chroot "$dir" "$@"
}

# A root without these would fail much later, and less clearly.
check_root() {
    local dir=$1 file
    [[ -x $dir/usr/libexec/incus/incusd ]] || die "no incusd in the root"
    [[ -x $dir/bin/busybox ]] || die "no busybox in the root"
    for file in subuid subgid; do
        grep -q '^root:' "$dir/etc/$file" || echo root:1000000:1000000000 >>"$dir/etc/$file"
    done
}
