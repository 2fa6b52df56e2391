#!/bin/sh
# enter.sh ROOT EMULATOR_ADDRESS API_ADDRESS EMULATOR PROGRAM...
# In mount and process namespaces of its own, runs PROGRAM under the emulator as on AWS: as a plain
# user, with ROOT read-only but for /tmp.
set -eu
root=$1 address=$2 api=$3 emulator=$4
shift 4
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o size=512m,mode=1777 tmpfs "$root/tmp"
exec "$emulator" --log-level warn --runtime-interface-emulator-address "$address" \
  --runtime-api-address "$api" setpriv --no-new-privs chroot --userspec=993:990 "$root" "$@"
