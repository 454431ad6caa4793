#!/bin/bash
# build.sh SOURCE BUILD OUT: compiles what is shipped in the directory BUILD, and lays out at OUT the root
# of the image. Its directory railiance-backup is the bundle, which runs anywhere:
#
#   bin      what one calls: railiance-restore, which is static, and a launcher for each of the others
#   libexec  the other programs
#   lib      the loader and the libraries that they need
#   share    the copyrights of all that, and the certificates of the CAs
#
# Runs in the build root (scripts/bundle.sh) and in the Dockerfile. JOBS: how many compilers at a time.
set -euo pipefail
source=$1 build=$2 out=$3
home=/railiance-backup
bundle=$out$home
programs="railiance-backup railiance-backup-controller railiance-backup-agent"

# RB_WERROR: g++ sees overlaps in std::string that are none when it optimises (GCC bug 105651).
# The archive of libarchive: its shared object brings libxml2 and 30 MB of ICU with it.
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRB_BUNDLE_HOME=$home -DRB_BUILD_TESTS=OFF \
  -DRB_WERROR=OFF -DRB_PRECOMPILE=ON -DRB_ARCHIVE_LIBRARY="$(g++ -print-file-name=libarchive.a)"
# shellcheck disable=SC2086
cmake --build "$build" -j "${JOBS:-2}" --target rb_launcher railiance-restore $programs

mkdir -p "$bundle/bin" "$bundle/libexec" "$bundle/lib" "$bundle/share/doc" "$out/etc" "$out/tmp"
chmod 1777 "$out/tmp"
printf 'root:x:0:0::/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n' >"$out/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$out/etc/group"

built() { find "$build" -type f -name "$1" -perm -u+x; }
strip -o "$bundle/bin/railiance-restore" "$(built railiance-restore)"
strip -o "$bundle/launcher" "$(built rb_launcher)"
for program in $programs; do
  strip -o "$bundle/libexec/$program" "$(built "$program")"
  ln "$bundle/launcher" "$bundle/bin/$program"
done
rm "$bundle/launcher"

# The loader under one name for every machine: the programs' headers name it (RB_BUNDLE_HOME).
loader=$(readelf -l /bin/sh | sed -n 's/.*program interpreter: \(.*\)\]$/\1/p')
cp -L "$loader" "$bundle/lib/ld.so"
# A program of somebody else (rclone, out of its own image) finds the C library in our pod where it looks for it.
ln -s ld.so "$bundle/lib/$(basename "$loader")"
ln -s "${home#/}/lib" "$out/lib"
ln -s "${home#/}/lib" "$out/lib64"
libraries=$(for program in "$bundle"/libexec/*; do ldd "$program"; done | awk '$3 ~ /^\// { print $3 }' | sort -u)
for library in $libraries; do
  [ "$(basename "$library")" = "$(basename "$loader")" ] || cp -L "$library" "$bundle/lib/"
done

# Who vouches for the receivers of notices, as Debian has it.
cp -L /etc/ssl/certs/ca-certificates.crt "$bundle/share/ca-certificates.crt"

# Those of the archives that are linked in, too.
# shellcheck disable=SC2086
for package in $(realpath "$loader" $libraries | xargs dpkg -S | cut -d: -f1 | sort -u) \
  $(grep -E '^(lib.*-dev|ca-certificates)$' "$source/bundle/packages"); do
  cp -L "/usr/share/doc/$package/copyright" "$bundle/share/doc/$package.copyright"
done

# Each program starts, here as on any host and there as in the image, or there is no bundle.
for program in railiance-restore $programs; do
  "$bundle/bin/$program" --version
  chroot "$out" "$home/bin/$program" --version
done
du -sh "$out"
