# Sourced by the smoke tests: runs commands in beds and checks what they leave. Uses `here`; `beds` are ended at the end.
# shellcheck shell=bash disable=SC2154,SC2034
bed=$here/bed.sh
tmp=$(mktemp -d)
failures=0 checks=0
supervisor=https://127.0.0.1:$([[ -n ${K3S:-} ]] && echo 6443 || echo 9345)

cleanup() {
    local b
    for b in "${beds[@]}"; do "$bed" down "$b" >/dev/null 2>&1; done
    rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# in BED CMD...: runs it, keeps exit code, stdout and stderr
in_bed() {
    "$bed" exec "$@" >"$tmp/out" 2>"$tmp/err"
    rc=$?
    grep -v 'Unknown flag' "$tmp/err" >"$tmp/said" || true
}

check() {
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" >/dev/null 2>&1 && return
    failures=$((failures + 1))
    echo "FAILED: $what (exit $rc)"
    sed 's/^/    /' "$tmp/out" "$tmp/said"
}
# standin WHAT: whether the next checks can run here.
standin() {
    [[ -n ${K3S:-} ]] || return 0
    echo "NOT RUN: $1: not run here: needs the stand-in"
    return 1
}
ready() { timeout 120 bash -c "until '$bed' exec $1 k3s kubectl get --raw=/readyz >/dev/null 2>&1; do sleep 0.3; done"; }
says() { grep -qE -- "$1" "$tmp/said"; }
silent() { [[ ! -s $tmp/out && ! -s $tmp/said ]]; }
exits() { [[ $rc == "$1" ]]; }

# summary WHAT: prints the count, and is the exit code.
summary() {
    echo "$1: $((checks - failures)) of $checks checks passed"
    ((failures == 0))
}
