# Runs a command in a root directory of its own, seen by nobody outside:
#   sh -c "$(cat namespace.sh)" namespace DIR HOW ETC LAYER TASK RUNTIME IMAGE QEMU STORAGE [VISIBLE...] -- [NAME=VALUE...] COMMAND...
# It must be the first process of new mount and PID namespaces. The new root is
# a tmpfs on DIR/root with what the old one holds, save that /etc is ETC, /opt,
# /var/task and /var/runtime are copies of LAYER, TASK and RUNTIME, or if HOW is
# "mount" these themselves. If IMAGE is not empty, the new root is a copy of that
# instead. /tmp is DIR/tmp, with a file system of STORAGE bytes on it unless that is
# 0. QEMU, if it is not empty, executes the programs for arm64. The command finds
# its way into the new root itself.
set -eu
dir=$1 how=$2 etc=$3 layer=$4 task=$5 runtime=$6 image=$7 qemu=$8 storage=$9
shift 9
root=$dir/root

mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$root"
# lay FROM TO
lay() {
	if [ "$how" = mount ]; then
		mkdir "$2"
		mount --bind "$1" "$2"
		mount -o remount,bind,ro "$2"
	else
		cp -R -P --preserve=mode "$1" "$2"
		chmod 0755 "$2"
	fi
}

# show_machine makes the new root of the old one and of the function.
show_machine() {
	for entry in /*; do
		case $entry in /etc | /opt | /proc | /tmp | /var) continue ;; esac
		if [ -L "$entry" ]; then
			ln -s "$(readlink "$entry")" "$root$entry"
		elif [ -d "$entry" ]; then
			mkdir "$root$entry"
			mount --rbind "$entry" "$root$entry"
		fi
	done
	mkdir "$root/etc" "$root/proc" "$root/tmp" "$root/var"
	mount --rbind "$etc" "$root/etc"
	lay "$layer" "$root/opt"
	lay "$task" "$root/var/task"
	lay "$runtime" "$root/var/runtime"
}

# show_image makes the new root of an image, with what Lambda adds to one.
show_image() {
	cp -R -P --preserve=mode "$image/." "$root"
	mkdir -p "$root/dev" "$root/proc" "$root/tmp"
	mount --rbind /dev "$root/dev"
}

# run_arm64 registers the interpreter of ELF files for arm64, in this namespace of
# users only. F keeps it open, so that nobody has to see it.
run_arm64() {
	mkdir "$dir/binfmt"
	mount -t binfmt_misc none "$dir/binfmt"
	header='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
	mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
	printf %s ":arm64:M::$header:$mask:$qemu:F" >"$dir/binfmt/register"
}

if [ -n "$qemu" ]; then run_arm64; fi
if [ -n "$image" ]; then show_image; else show_machine; fi
mount -t proc proc "$root/proc"
if [ "$storage" != 0 ]; then mount -t tmpfs -o "mode=1777,size=$storage" tmpfs "$dir/tmp"; fi
mount --bind "$dir/tmp" "$root/tmp"

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
exec env -i "$@"
