# The image of railiance-backup: four programs, the libraries that they need, and nothing else: no
# shell, no package manager. Plain Dockerfile syntax: any builder since Docker 17.05 will do.
#
#   docker build -t railiance-backup:0.1.0 .

FROM debian:bookworm-slim AS build
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      binutils cmake g++ libarchive-dev libcli11-dev libcpprest-dev libre2-dev \
      libspdlog-dev libssl-dev libyaml-cpp-dev ninja-build nlohmann-json3-dev pkg-config \
      prometheus-cpp-dev zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /source
ARG JOBS=2
# The rooms first: a change in a program alone builds that program alone.
# RB_WERROR: g++ 12 sees overlaps in std::string that are none when it optimises (GCC bug 105651).
# The archive of libarchive: its shared object brings libxml2 and 30 MB of ICU with it.
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY lib lib
RUN mkdir controller hostagent cli \
 && touch controller/CMakeLists.txt hostagent/CMakeLists.txt cli/CMakeLists.txt \
 && cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DRB_BUILD_TESTS=OFF -DRB_WERROR=OFF -DRB_PRECOMPILE=ON \
      -DRB_ARCHIVE_LIBRARY="$(g++ -print-file-name=libarchive.a)" \
 && cmake --build /build -j "$JOBS"
COPY controller controller
COPY hostagent hostagent
COPY cli cli
RUN cmake /build \
 && cmake --build /build -j "$JOBS" --target \
      railiance-backup railiance-backup-controller railiance-backup-agent railiance-restore

# The root of the final image: the stripped programs, and each shared object that they load, at the
# path where the loader looks for it.
RUN set -eu; \
    mkdir -p /image/railiance-backup/bin /image/etc /image/tmp; \
    chmod 1777 /image/tmp; \
    for program in railiance-backup railiance-backup-controller railiance-backup-agent railiance-restore; do \
      strip -o "/image/railiance-backup/bin/$program" "$(find /build -type f -name "$program" -perm -u+x)"; \
    done; \
    for program in /image/railiance-backup/bin/*; do ldd "$program" || true; done \
      | awk '$3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | sort -u \
      | while read -r library; do \
          mkdir -p "/image$(dirname "$library")"; \
          cp -L "$library" "/image$library"; \
        done; \
    printf 'root:x:0:0::/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n' > /image/etc/passwd; \
    printf 'root:x:0:\nnonroot:x:65532:\n' > /image/etc/group; \
    mkdir -p /image/usr/share/doc/railiance-backup; \
    for package in $(dpkg -S $(find /image -name '*.so*' | sed 's,^/image,,') 2>/dev/null | cut -d: -f1 | sort -u); do \
      cp -L "/usr/share/doc/$package/copyright" "/image/usr/share/doc/railiance-backup/$package.copyright" || true; \
    done; \
    du -sh /image

# Each program starts, or there is no image.
FROM scratch
COPY --from=build /image /
ENV PATH=/railiance-backup/bin
USER 65532:65532
RUN ["/railiance-backup/bin/railiance-backup", "--version"]
RUN ["/railiance-backup/bin/railiance-restore", "--version"]
RUN ["/railiance-backup/bin/railiance-backup-controller", "--version"]
RUN ["/railiance-backup/bin/railiance-backup-agent", "--version"]
LABEL org.opencontainers.image.title="railiance-backup" \
      org.opencontainers.image.description="Encrypted, verified backups of a k3s cluster" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["/railiance-backup/bin/railiance-backup"]
