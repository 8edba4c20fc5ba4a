#!/bin/sh
# The old front door, kept for those who call it: it only forwards to anklume.
#
#   transfer.sh copy SRC DST
#   transfer.sh backup [--gpg-recipient ID] [--output DIR] [--force] INSTANCE
#   transfer.sh restore [--name NAME] [--project PROJECT] [--force] FILE
set -eu

here=$(dirname -- "$0")
if [ -n "${ANKLUME_BINARY:-}" ]; then
	anklume=$ANKLUME_BINARY
elif [ -x "$here/../build/src/anklume" ]; then
	anklume=$here/../build/src/anklume
else
	anklume=anklume
fi

case ${1:-} in
copy)
	shift
	exec "$anklume" portal copy "$@"
	;;
backup)
	shift
	exec "$anklume" backup create "$@"
	;;
restore)
	shift
	exec "$anklume" backup restore "$@"
	;;
*)
	echo "usage: transfer.sh copy|backup|restore [OPTIONS] ARGUMENTS" >&2
	exit 2
	;;
esac
