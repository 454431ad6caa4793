#!/bin/bash
# build.sh SOURCE BUILD OUT [ARCH]: compiles what is shipped in the directory BUILD, and lays out at OUT the root
# of the image. Its directory railiance-backup is the bundle, which runs anywhere:
#
#   bin      what one calls: railiance-restore, which is static, and a launcher for each of the others
#   libexec  the other programs
#   lib      the loader and the libraries that they need
#   share    the copyrights of all that, the Debian packages that it comes from, and the certificates of the CAs
#
# Runs in the build root (scripts/bundle.sh) and in the Dockerfile. ARCH: another architecture than the root's own,
# which has a cross compiler for it (cmake/ARCH.cmake). JOBS: how many compilers at a time. RB_COMMIT: the commit
# that the programs name.
set -euo pipefail
umask 022
source=$1 build=$2 out=$3 arch=${4:-$(dpkg --print-architecture)}
home=/railiance-backup
bundle=$out$home
programs="railiance-backup railiance-backup-controller railiance-backup-agent"

# What compiles, and what runs the result here.
tools=
emulator=
toolchain=()
if [ "$arch" != "$(dpkg --print-architecture)" ]; then
  toolchain=(-DCMAKE_TOOLCHAIN_FILE="$source/cmake/$arch.cmake")
  tools=$(sed -n 's/^set(CMAKE_CXX_COMPILER \(.*\)g++)$/\1/p' "$source/cmake/$arch.cmake")
  emulator=$(command -v "$(sed -n 's/^set(CMAKE_CROSSCOMPILING_EMULATOR \(.*\))$/\1/p' "$source/cmake/$arch.cmake")")
fi
libraries=/usr/lib/$("${tools}g++" -print-multiarch)

# RB_WERROR: g++ sees overlaps in std::string that are none when it optimises (GCC bug 105651).
# The archive of libarchive: its shared object brings libxml2 and 30 MB of ICU with it.
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRB_BUNDLE_HOME=$home -DRB_BUILD_TESTS=OFF \
  -DRB_WERROR=OFF -DRB_PRECOMPILE=ON -DRB_ARCHIVE_LIBRARY="$libraries/libarchive.a" -DRB_COMMIT="${RB_COMMIT:-}" "${toolchain[@]}"
# shellcheck disable=SC2086
cmake --build "$build" -j "${JOBS:-2}" --target rb_launcher railiance-restore $programs

mkdir -p "$bundle/bin" "$bundle/libexec" "$bundle/lib" "$bundle/share/doc" "$out/etc" "$out/tmp"
chmod 1777 "$out/tmp"
printf 'root:x:0:0::/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n' >"$out/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$out/etc/group"

built() { find "$build" -type f -name "$1" -perm -u+x; }
"${tools}strip" -o "$bundle/bin/railiance-restore" "$(built railiance-restore)"
"${tools}strip" -o "$bundle/launcher" "$(built rb_launcher)"
for program in $programs; do
  "${tools}strip" -o "$bundle/libexec/$program" "$(built "$program")"
  ln "$bundle/launcher" "$bundle/bin/$program"
done
rm "$bundle/launcher"

# The loader under one name for every machine: the programs' headers name it (RB_BUNDLE_HOME).
loader=$(readelf -l "$libraries/libc.so.6" | sed -n 's/.*program interpreter: \(.*\)\]$/\1/p')
cp -L "$loader" "$bundle/lib/ld.so"
# A program of somebody else (rclone, out of its own image) finds the C library in our pod where it looks for it.
ln -s ld.so "$bundle/lib/$(basename "$loader")"
ln -s "${home#/}/lib" "$out/lib"
ln -s "${home#/}/lib" "$out/lib64"
# What a program's header and those of its libraries name. Read, for ldd would have to run the program.
shipped=("$loader")
collect() {
  local name
  for name in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'); do
    [ ! -e "$bundle/lib/$name" ] || continue
    cp -L "$libraries/$name" "$bundle/lib/"
    shipped+=("$libraries/$name")
    collect "$libraries/$name"
  done
}
for program in $programs; do
  collect "$bundle/libexec/$program"
done

# Who vouches for the receivers of notices, as Debian has it.
cp -L /etc/ssl/certs/ca-certificates.crt "$bundle/share/ca-certificates.crt"

# The packages that the files come from, those of the archives and headers that are compiled in, too: for each its
# copyright, and a line in share/packages.
owners() { xargs realpath | sort -u | xargs dpkg -S | sed 's/: .*//' | tr -d ' ' | tr ',' '\n' | sort -u; }
tell() {
  local package
  while read -r package; do
    cp -L "/usr/share/doc/${package%:*}/copyright" "$bundle/share/doc/${package%:*}.copyright"
    dpkg-query -W -f "$1\t"'${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n' "$package"
  done
}
{
  printf '%s\n' "${shipped[@]}" | owners | tell shared
  echo ca-certificates | tell contained
  {
    ninja -C "$build" -t deps | sed -n 's|^    \(/usr/.*\)|\1|p' | grep -vE '\.so(\.[0-9.]+)?$'
    for archive in libc.a libstdc++.a libgcc.a; do "${tools}g++" -B"$libraries/" -print-file-name="$archive"; done
  } | sort -u | owners | tell linked
} >"$bundle/share/packages"

# Each program starts, here as on any host and there as in the image, or there is no bundle. An emulator starts no
# other program: what the launcher would start is read, and then done.
for program in railiance-restore $programs; do
  if [ -z "$emulator" ]; then
    "$bundle/bin/$program" --version
    chroot "$out" "$home/bin/$program" --version
  elif [ ! -e "$bundle/libexec/$program" ]; then
    "$emulator" "$bundle/bin/$program" --version
  else
    { QEMU_STRACE=1 "$emulator" "$bundle/bin/$program" 2>&1 || true; } |
      grep -aF "execve(\"$bundle/lib/ld.so\",{\"$bundle/lib/ld.so\",\"--inhibit-cache\",\"--argv0\"," | grep -aF "\"$bundle/libexec/$program\""
    "$emulator" "$bundle/lib/ld.so" --inhibit-cache --argv0 "$program" "$bundle/libexec/$program" --version
    cp "$emulator" "$out/tmp/emulator"
    chroot "$out" /tmp/emulator "$home/libexec/$program" --version
    rm "$out/tmp/emulator"
  fi
done
du -sh "$out"
