# Runs a command in a root directory of its own, seen by nobody outside:
#   sh -c "$(cat namespace.sh)" namespace DIR LAYER TASK RUNTIME [VISIBLE...] -- [NAME=VALUE...] COMMAND...
# It must be the first process of new mount and PID namespaces. The new root is
# a tmpfs on DIR/root with what the old one holds, save that /opt, /var/task and
# /var/runtime are copies of LAYER, TASK and RUNTIME, and /tmp is DIR/tmp.
set -eu
dir=$1 layer=$2 task=$3 runtime=$4
shift 4
root=$dir/root

mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$root"
for entry in /*; do
	case $entry in /opt | /proc | /tmp | /var) continue ;; esac
	if [ -L "$entry" ]; then
		ln -s "$(readlink "$entry")" "$root$entry"
	elif [ -d "$entry" ]; then
		mkdir "$root$entry"
		mount --rbind "$entry" "$root$entry"
	fi
done

mkdir "$root/proc" "$root/tmp" "$root/var"
mount -t proc proc "$root/proc"
mount --bind "$dir/tmp" "$root/tmp"
cp -R -P --preserve=mode "$layer" "$root/opt"
cp -R -P --preserve=mode "$task" "$root/var/task"
cp -R -P --preserve=mode "$runtime" "$root/var/runtime"
chmod 0755 "$root/opt" "$root/var/task" "$root/var/runtime"

while [ "$1" != -- ]; do
	path=$1
	shift
	# What can be seen already must not be touched: it is the original.
	if [ -e "$root$path" ]; then
		continue
	fi
	if [ -d "$path" ]; then
		mkdir -p "$root$path"
	else
		mkdir -p "$root${path%/*}"
		: >"$root$path"
	fi
	mount --bind "$path" "$root$path"
done
shift

mount -o remount,bind,ro "$root"
exec chroot "$root" /usr/bin/env -i "$@"
