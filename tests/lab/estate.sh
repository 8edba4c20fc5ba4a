# shellcheck shell=bash
# What a fresh lab holds: pools, projects and a few small instances.

# A restricted project must have profiles of its own.
preseed() {
    cat <<'END'
storage_pools:
- {name: default, driver: dir}
- {name: bt, driver: btrfs, config: {size: 4GiB}}
projects:
- {name: work, config: {features.images: "false", features.profiles: "false"}}
- {name: home, config: {features.images: "false", features.profiles: "false"}}
- {name: locked, config: {features.images: "false", restricted: "true"}}
profiles:
- name: default
  devices: {root: {type: disk, path: /, pool: default}}
- name: default
  project: locked
  devices: {root: {type: disk, path: /, pool: default}}
END
}

# project name pool state
instances() {
    cat <<'END'
default alpha default RUNNING
default beta bt RUNNING
work web default RUNNING
home web bt STOPPED
END
}

# Adds what is missing and leaves the rest as it is. The profiles are the last
# thing the preseed makes.
estate() {
    local have project name pool state
    incus profile show default --project locked 2>/dev/null | grep -q 'pool: default' ||
        quietly incus admin init --preseed < <(preseed)
    need_image busybox
    have=$(incus list --all-projects --format csv --columns ens)
    while read -r project name pool state; do
        grep -q "^$project,$name,$state" <<<"$have" || instance
    done < <(instances)
}

# Brings one instance to where estate wants it.
instance() {
    grep -q "^$project,$name," <<<"$have" ||
        quietly incus init busybox "$name" --project "$project" --storage "$pool" </dev/null
    [[ $state == STOPPED ]] ||
        quietly incus start "$name" --project "$project" </dev/null
}
