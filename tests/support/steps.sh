# Functions of tests/run.

step() { printf '\n== %s\n' "$*"; }

# Tests append a line for each skip, as tests/support/skip.rs describes.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
skips=$scratch/skips
export TRACING_HANDLERS_SKIPPED=$skips

has() {
    case $1 in
    tzdata) [ -e "${TZDIR:-/usr/share/zoneinfo}/Europe/Berlin" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

without() { for name in "$@"; do has "$name" || echo "$name"; done; }

# Debian packages that tests need; all but tzdata have a program of the same name. What is missing is installed where possible.
# Otherwise CI fails here; a person's run goes on, and the tests in question are skipped, but too many of them need time zones.
need() {
    missing=$(without "$@" | xargs)
    if [ -n "$missing" ] && has apt-get && [ "$(id -u)" = 0 ]; then
        step "installing $missing"
        apt-get update -qq || true
        for package in $missing; do
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null || true
        done
        missing=$(without "$@" | xargs)
    fi
    if [ -n "$missing" ]; then
        echo "not installed: $missing"
        echo "to install them: apt-get install $missing"
        has tzdata && [ "${CI:-}" != true ]
    fi
}

# A step that needs a program is skipped without it: `step_with g++ NAME && COMMAND`.
step_with() {
    local program=$1
    shift
    step "$*"
    has "$program" && return
    echo "skipped: $program is not installed"
    printf 'the step "%s"\t%s is not installed\n' "$*" "$program" >>"$skips"
    [ "${CI:-}" != true ] || exit 1
    false
}

# `cargo test` also succeeds if there are no tests, if some are ignored, or if a test ends the process with the status 0. Here
# each binary must run at least one, and all that it has.
run_tests() {
    cargo test "$@" | tee "$scratch/tests" || return
    awk '
        /^running [0-9]+ tests?$/ { begun++; empty += $2 == 0 }
        /^test result: ok\. / { ended++; ignored += $0 !~ / 0 ignored;/ }
        END {
            if (!begun || empty) print "a binary ran no tests"
            else if (ignored) print "tests were ignored"
            else if (begun != ended) print "a binary ended before its last test"
            else exit 0
            exit 1
        }' "$scratch/tests"
}

list_skips() {
    [ -s "$skips" ] || return 0
    printf '\n%s tests were skipped:\n' "$(cut -f 1 "$skips" | sort -u | wc -l)"
    sort -u -t "$(printf '\t')" -k 2 -k 1 "$skips" |
        awk -F '\t' '$2 != reason { print "  " $2 ":" } { reason = $2; print "    " $1 }'
    [ -z "$missing" ] || echo "to run them: apt-get install $missing"
}
