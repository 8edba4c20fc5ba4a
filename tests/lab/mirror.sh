# shellcheck shell=bash
# The Debian mirror of this machine, and the tools that turn it into a tree.

# Prints the mirror, without the final slash.
mirror() {
    local uri
    uri=${ANKLUME_LAB_MIRROR:-$(mirror_of_sources)}
    # The cloud images of Debian name a file that lists the mirrors.
    [[ $uri != mirror+file:* ]] || uri=$(awk 'NF { print $1; exit }' "${uri#mirror+file:}")
    [[ $uri == http://* || $uri == https://* ]] || return 1
    echo "${uri%/}"
}

# The main Debian archive among the machine's own apt sources, not its updates,
# security or backports: the lab puts its own suites to it. Before the first
# apt-get update nothing tells who publishes a source, hence the second look,
# which guesses from the path.
mirror_of_sources() {
    {
        index_targets
        index_targets --no-release-info
    } | awk '!found && $3 == "main" && $2 !~ /-/ &&
        ($4 == "Debian" || ($4 ~ /^\$/ && $1 ~ /\/debian\/?$/)) { print $1; found = 1 }'
}

index_targets() {
    # shellcheck disable=SC2016 # apt's own fields
    apt-get indextargets "$@" --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(LABEL)' \
        'Created-By: Packages' 2>/dev/null
}

# What the machine's apt needs to get through must reach the tree's apt as well.
apt_settings() {
    apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Check-Date|https?::Proxy) ' || true
}

# debootstrap knows no apt.conf.
export_proxy() {
    local proxy=
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [[ -z $proxy || $proxy == DIRECT ]] || export http_proxy=$proxy https_proxy=$proxy
}

# Unpacks a package of the machine's own release into the cache, without
# installing it, and prints where.
unpacked() {
    local name=$1 dir=$CACHE/tools/$1 new
    if [[ ! -d $dir ]]; then
        mkdir -p "$CACHE/tools"
        new=$(mktemp -d "$CACHE/tools/new.XXXXXX")
        (cd "$new" && fetch_deb "$name" && dpkg-deb -x ./*.deb tree) >&2
        # Another build may have been faster.
        mv -T "$new/tree" "$dir" 2>/dev/null || [[ -d $dir ]]
        rm -rf "$new"
    fi
    echo "$dir"
}

fetch_deb() {
    local get="apt-get -qq -o APT::Sandbox::User=root"
    # A fresh machine has no package lists yet.
    $get download "$1" || { $get update && $get download "$1"; }
}

# debootstrap, the machine's own or an unpacked one.
run_debootstrap() {
    local dir
    if command -v debootstrap >/dev/null; then
        debootstrap "$@"
        return
    fi
    command -v wget >/dev/null ||
        apt-get -qq -y --no-install-recommends install wget >&2
    dir=$(unpacked debootstrap)
    DEBOOTSTRAP_DIR=$dir/usr/share/debootstrap "$dir/usr/sbin/debootstrap" "$@"
}

# A keyring that can verify both suites. Early bookworm has no key of trixie,
# other distributions may have no Debian key at all; apt verifies the package
# it comes from.
keyring() {
    local dir=/usr/share/keyrings
    [[ -e $dir/debian-archive-trixie-stable.gpg ]] ||
        dir=$(unpacked debian-archive-keyring)/usr/share/keyrings
    echo "$dir/debian-archive-keyring.gpg"
}

# minbase SUITE DIR MIRROR
minbase() {
    local keyring
    keyring=$(keyring)
    run_debootstrap --variant=minbase --keyring="$keyring" "$@"
}
