# The image of railiance-backup, for people who have Docker: the same steps in the same build root as
# `make image`, which needs none. Four programs, the libraries that they need, and nothing else: no shell,
# no package manager. Plain Dockerfile syntax: any builder since Docker 17.05 will do.
#
#   docker build -t railiance-backup:0.1.0 .

FROM debian:trixie-slim AS build
COPY bundle/packages /source/bundle/packages
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(cat /source/bundle/packages) \
 && rm -rf /var/lib/apt/lists/*
ARG JOBS=2
COPY . /source
RUN bash /source/bundle/build.sh /source /build /out

FROM scratch
COPY --from=build /out /
# As in bundle/pack.py.
ENV PATH=/railiance-backup/bin
USER 65532:65532
LABEL org.opencontainers.image.title="railiance-backup" \
      org.opencontainers.image.description="Encrypted, verified backups of a k3s cluster" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["/railiance-backup/bin/railiance-backup"]
