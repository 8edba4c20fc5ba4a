# shellcheck shell=bash
# The images: busybox, as small as a system can be, and a Debian of real size.

APPLETS="sh ls cat cp mv rm mkdir rmdir ln chmod chown touch stat find du df head tail
    wc sort grep sed awk tar gzip dd od sha256sum cmp diff id env sleep sync true false
    echo printf ps kill mount umount hostname ip nc poweroff reboot tty uname date seq
    xargs cut tr readlink basename md5sum"

# need_image busybox|debian: imports it unless the daemon has it. The file comes
# through stdin, for paths of the machine mean nothing inside.
need_image() {
    local file=$CACHE/$1.tar.gz
    [[ ${1:-} == busybox || ${1:-} == debian ]] || die "which image? say busybox or debian"
    init_pid >/dev/null || die "Incus $VERSION is not up"
    ! incus image alias list --format csv "$1" | grep -q "^$1," || return 0
    build "$file" "build_$1" "the $1 image"
    quietly incus image import /proc/self/fd/0 --alias "$1" <"$file"
}

# build_busybox FILE
build_busybox() {
    local dir=$1.d root=$1.d/rootfs applet
    rm -rf "$dir"
    mkdir -p "$root"/{bin,sbin,etc,dev,proc,sys,run,tmp,root,mnt,var/log,home/user}
    chmod 1777 "$root/tmp"
    cp "$CACHE/root-$VERSION/bin/busybox" "$root/bin/"
    busybox_init >"$root/sbin/init"
    chmod 755 "$root/sbin/init"
    for applet in $APPLETS; do ln -s busybox "$root/bin/$applet"; done
    busybox_etc "$root/etc"
    pack "$dir" "$1" busybox
}

# A second user shows whether owners survive a copy.
busybox_etc() {
    printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000::/home/user:/bin/sh \
        >"$1/passwd"
    printf '%s\n' root:x:0: user:x:1000: >"$1/group"
    echo 127.0.0.1 localhost >"$1/hosts"
    echo busybox >"$1/hostname"
}

# busybox's own init does not know the signal that Incus stops a container with
# (SIGPWR): every stop would take as long as the daemon's patience.
busybox_init() {
    printf '%s\n' '#!/bin/sh' 'trap "exit 0" PWR TERM' \
        'while :; do sleep 86400 & wait "$!"; done'
}

# build_debian FILE: a tree without init; such an instance starts with
# raw.lxc="lxc.init.cmd=/bin/sleep infinity".
build_debian() {
    local dir=$1.d root=$1.d/rootfs mirror
    mirror=$(mirror) || die "no Debian archive in the apt sources"
    export_proxy
    rm -rf "$dir"
    mkdir -p "$dir"
    minbase bookworm "$root" "$mirror"
    # Instances get devices of their own.
    find "$root/dev" -mindepth 1 -delete
    pack "$dir" "$1" debian
}

# pack DIR FILE NAME
pack() {
    printf '%s\n' "architecture: $(uname -m)" 'creation_date: 1' \
        "properties: {os: $3, description: $3}" >"$1/metadata.yaml"
    tar --create --directory "$1" --numeric-owner --sort=name --file - \
        metadata.yaml rootfs | gzip -1 >"$2"
    rm -rf "$1"
}
