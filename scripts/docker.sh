# shellcheck shell=bash
# Sourced by image.sh: a Docker daemon to build with. One that runs is used as it is; otherwise a
# private one is started (own data, socket and pid file below the cache, no bridge, no iptables
# rules) and ended with the script.

DOCKER_STATE=$CACHE/docker
DOCKERD_PID=

docker_stop() {
  if [ -n "$DOCKERD_PID" ]; then
    kill "$DOCKERD_PID" 2>/dev/null || true
    wait "$DOCKERD_PID" 2>/dev/null || true
    DOCKERD_PID=
    # dockerd leaves it mounted, and the cache could not be removed.
    umount "$DOCKER_STATE/run/exec/netns/default" 2>/dev/null || true
  fi
}

docker_start() {
  command -v docker >/dev/null || die "docker is not installed (run: make deps)"
  if docker info >/dev/null 2>&1; then
    note "using the Docker daemon that is running"
    return
  fi
  [ "$(id -u)" = 0 ] || die "no Docker daemon is running, and only root can start one (use sudo)"
  local dockerd
  dockerd=$(command -v dockerd) || die "dockerd is not installed (run: make deps)"
  mkdir -p "$DOCKER_STATE/run"
  export DOCKER_HOST=unix://$DOCKER_STATE/run/docker.sock
  # A daemon of an earlier run that was not ended.
  if docker info >/dev/null 2>&1; then
    note "using the private Docker daemon that is running"
    return
  fi
  rm -f "$DOCKER_STATE/run/docker.pid"
  "$dockerd" --host="$DOCKER_HOST" --data-root="$DOCKER_STATE/data" \
    --exec-root="$DOCKER_STATE/run/exec" --pidfile="$DOCKER_STATE/run/docker.pid" \
    --bridge=none --iptables=false --ip6tables=false >"$DOCKER_STATE/dockerd.log" 2>&1 9>&- &
  DOCKERD_PID=$!
  trap docker_stop EXIT
  trap 'exit 130' INT TERM
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return
    kill -0 "$DOCKERD_PID" 2>/dev/null || break
    sleep 0.5
  done
  tail -5 "$DOCKER_STATE/dockerd.log" >&2
  die "dockerd does not start; its log: $DOCKER_STATE/dockerd.log"
}
