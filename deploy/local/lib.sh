# shellcheck shell=bash disable=SC2034 # the scripts that source this use the variables
# What the scripts of the local stack share. Sourced, never run.
#
# A stack is a folder: CURMILL_HOME (default <repository>/.local). Below it:
#   postgres/  kafka/   data of the two servers
#   run/                NAME.pid and NAME.start of every process that belongs to the stack, and its settings
#   log/                one file for each process
#   archive/            copies of deliveries (archive.path)
#   curmill.conf        the settings file of the workers and of the command line; written by `up`
#   extra.conf          optional, yours: its lines are appended to curmill.conf
# Environment:
#   CURMILL_PORT_BASE   first port (default 19400): +0 PostgreSQL, +1 Kafka, +2 Kafka's controller, +10.. health of the workers
#   CURMILL_REPLICAS    copies of each worker (default 1)
#   CURMILL_WORKERS     none: start no workers
#   CURMILL_BIN         folder with built programs; then nothing is built

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$repo/deploy/local
lanes=(tdsynnex ingram)
workers=(ingest-cur rate-engine invoice-writer org-linker tax-inheritance-checker)
kafka_version=4.3.1

home=$(realpath -m -- "${CURMILL_HOME:-$repo/.local}")
run=$home/run
log=$home/log
conf=$home/curmill.conf
marker=$home/.curmill-stack

# ---- talking -------------------------------------------------------------------------------------------------------

started_us=${EPOCHREALTIME//[!0-9]/}

say() {
    local us=$((${EPOCHREALTIME//[!0-9]/} - started_us))
    printf '%4d.%d s  %s\n' $((us / 1000000)) $((us / 100000 % 10)) "$*" >&2
}

# fail WHAT [NEXT]: what went wrong and what to do about it; ends the script.
fail() {
    say "FAILED: $1"
    [[ -z ${2:-} ]] || printf '          next: %s\n' "$2" >&2
    exit 1
}

# fail_with_log WHAT LOGFILE NEXT: the same with the end of a log.
fail_with_log() {
    if [[ -s $2 ]]; then
        printf '%s\n' "---- the end of $2" >&2
        tail -n 25 -- "$2" >&2
        printf '%s\n' '----' >&2
    fi
    fail "$1" "$3"
}

# ---- processes -----------------------------------------------------------------------------------------------------

# proc_start PID: the time the process was started, in clock ticks since boot (field 22 of /proc/PID/stat).
proc_start() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    local fields
    read -ra fields <<<"${stat##*) }"
    # A zombie has ended, unless threads of it (field 20) are still on their way out.
    [[ ${fields[0]} != Z ]] || ((fields[17] > 1)) || return 1
    printf '%s\n' "${fields[19]}"
}

# record NAME PID: remember a process of the stack. The start time tells it from a later process with the same id.
record() {
    proc_start "$2" >"$run/$1.start.new" || return 1
    mv -f -- "$run/$1.start.new" "$run/$1.start"
    printf '%s\n' "$2" >"$run/$1.pid.new"
    mv -f -- "$run/$1.pid.new" "$run/$1.pid"
}

forget() {
    rm -f -- "$run/$1.pid" "$run/$1.start"
}

# recorded_pid NAME: prints the id of the recorded process if it lives and is still the one that was recorded.
recorded_pid() {
    local pid start
    { pid=$(<"$run/$1.pid") && start=$(<"$run/$1.start"); } 2>/dev/null || return 1
    [[ $pid =~ ^[0-9]+$ && $(proc_start "$pid") == "$start" ]] || return 1
    printf '%s\n' "$pid"
}

# wait_gone PID SECONDS
wait_gone() {
    local start tries=$(($2 * 10))
    start=$(proc_start "$1") || return 0
    while ((tries-- > 0)); do
        [[ $(proc_start "$1") == "$start" ]] || return 0
        sleep 0.1
    done
    return 1
}

# spawn NAME LOGFILE COMMAND...: starts a process that outlives this script, records it. No lock of ours is handed on.
spawn() {
    local name=$1 file=$2
    shift 2
    setsid "$@" </dev/null >>"$file" 2>&1 8>&- 9>&- &
    record "$name" $!
}

# stop NAME SIGNAL SECONDS: a recorded process, by id; killed if it does not end in time.
stop() {
    local pid
    if pid=$(recorded_pid "$1"); then
        kill -"$2" "$pid" 2>/dev/null
        if ! wait_gone "$pid" "$3"; then
            say "$1 (process $pid) did not end within $3 s after SIG$2: killed"
            kill -KILL "$pid" 2>/dev/null
            wait_gone "$pid" 10
        fi
    fi
    forget "$1"
}

# recorded_names SUFFIX: names of all recorded processes that end so ("" for all).
recorded_names() {
    local file
    for file in "$run"/*"$1".pid; do
        [[ -e $file ]] || continue
        file=${file##*/}
        printf '%s\n' "${file%.pid}"
    done
}

port_open() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# http_status PORT PATH: the status code of a GET, or nothing.
http_status() {
    local status_line
    status_line=$(
        exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
        printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
        IFS= read -r -t 3 line <&3
        printf '%s' "$line"
    ) 2>/dev/null
    [[ $status_line =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}

# ---- settings ------------------------------------------------------------------------------------------------------

# The ports of a stack stay what they were when its folder was made: curmill.conf and the broker's data name them.
settle_ports() {
    local recorded=
    [[ -r $run/port-base ]] && recorded=$(<"$run/port-base")
    port_base=${CURMILL_PORT_BASE:-${recorded:-19400}}
    if [[ ! $port_base =~ ^[0-9]{4,5}$ ]] || ((port_base < 1024 || port_base > 65400)); then
        fail "CURMILL_PORT_BASE is '$port_base'" "give a number from 1024 to 65400"
    fi
    if [[ -n $recorded && $recorded != "$port_base" && -e $home/kafka/data ]]; then
        fail "the stack in $home has ports from $recorded, CURMILL_PORT_BASE says $port_base" \
            "leave CURMILL_PORT_BASE unset, or choose another CURMILL_HOME, or remove this one: deploy/local/down --wipe"
    fi
    pg_port=$port_base
    kafka_port=$((port_base + 1))
    controller_port=$((port_base + 2))
}

# The programs of this stack: CURMILL_BIN, or what `up` used, or the release build.
settle_bin() {
    if [[ -n ${CURMILL_BIN:-} ]]; then
        bin=$(realpath -m -- "$CURMILL_BIN")
    elif [[ ${1:-} == recorded && -r $run/bin ]]; then
        bin=$(<"$run/bin")
    else
        bin=$repo/build/release/bin
    fi
}

# In front of every program of curmill: the variables of these scripts look like settings (CURMILL_...), so they are taken away.
program=(env -u CURMILL_HOME -u CURMILL_BIN -u CURMILL_PORT_BASE -u CURMILL_REPLICAS -u CURMILL_WORKERS -u CURMILL_SAMPLES)

# The broker's jars lie once for all stacks of this user, in a folder named after the pom that chose them.
settle_jars() {
    local sum
    sum=$(sha256sum "$here/kafka/pom.xml")
    jars=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/curmill/kafka-$kafka_version-${sum:0:8}
}

# ---- packages ------------------------------------------------------------------------------------------------------

# settle_postgres: pg_bin, the folder of PostgreSQL's programs: the version that made this stack's data, else the newest one from 15 on.
settle_postgres() {
    local version=
    [[ -r $home/postgres/data/PG_VERSION ]] && version=$(<"$home/postgres/data/PG_VERSION")
    [[ -n $version ]] || version=$(newest_postgres) || fail "there is no PostgreSQL from version 15 on" "apt-get install postgresql"
    pg_bin=/usr/lib/postgresql/$version/bin
    [[ -x $pg_bin/postgres ]] ||
        fail "the data in $home/postgres was made by PostgreSQL $version, which is no longer installed" \
            "apt-get install postgresql-$version, or remove this stack with deploy/local/down --wipe"
}

# newest_postgres: the newest installed version of the server, if it is 15 or later.
newest_postgres() {
    local programs newest=0
    for programs in /usr/lib/postgresql/*/bin; do
        [[ $programs =~ /([0-9]+)/bin$ && -x $programs/initdb ]] || continue
        ((BASH_REMATCH[1] <= newest)) || newest=${BASH_REMATCH[1]}
    done
    ((newest >= 15)) && printf '%s\n' "$newest"
}

# java_is_new_enough: Kafka wants Java 17.
java_is_new_enough() {
    local version
    version=$(java -version 2>&1 </dev/null) && [[ $version =~ version\ \"([0-9]+) ]] && ((BASH_REMATCH[1] >= 17))
}

# need_servers: a PostgreSQL and a Java of any version that will do. Debian 12 brings 15 and 17, Debian 13 brings 17 and 21.
need_servers() {
    local packages=("${run_packages[@]}")
    newest_postgres >/dev/null || packages+=(postgresql)
    java_is_new_enough || packages+=(default-jre-headless)
    need_packages "${packages[@]}"
}

# need_packages PACKAGE...: Debian packages, installed only where one is missing.
need_packages() {
    local package missing=()
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || fail "packages are missing: ${missing[*]}" "sudo apt-get install ${missing[*]}"
    say "packages: installing ${missing[*]}"
    install_packages "${missing[@]}"
}

install_packages() {
    local out createcluster=''
    out=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -y --no-install-recommends --dry-run install "$@" >"$out" 2>&1 || apt-get -q update >"$out" 2>&1
    # Debian's server package makes and starts a cluster of its own as it is installed: this stack has a private one, no service.
    if [[ " $* " == *" postgresql "* ]]; then
        apt-get -q -y --no-install-recommends install postgresql-common >>"$out" 2>&1
        createcluster=/etc/postgresql-common/createcluster.d
        mkdir -p "$createcluster"
        echo 'create_main_cluster = false' >"$createcluster/curmill-install.conf"
    fi
    local code=0
    apt-get -q -y --no-install-recommends install "$@" >>"$out" 2>&1 || code=$?
    if [[ -n $createcluster ]]; then
        rm -f -- "$createcluster/curmill-install.conf"
        rmdir --ignore-fail-on-non-empty -- "$createcluster"
    fi
    ((code == 0)) || fail_with_log "apt-get could not install: $*" "$out" "apt-get update; apt-get install $*"
    rm -f -- "$out"
}

run_packages=(kcat fonts-noto-core fonts-droid-fallback fonts-nanum) # fonts: any script on PDF statements
build_packages=(gcc libc6-dev cmake ninja-build pkg-config librdkafka-dev libpq-dev libprotobuf-c-dev protobuf-c-compiler
    libcurl4-openssl-dev libssl-dev libjansson-dev libyaml-dev libcsv-dev libmicrohttpd-dev libisal-dev libzip-dev libxxhash-dev
    libexpat1-dev libunistring-dev libpango1.0-dev libcairo2-dev)

# ---- build ---------------------------------------------------------------------------------------------------------

# build PRESET TARGETS [CMAKE OPTION...]: configures once, builds; two at a time wait for each other.
# TARGETS: names with spaces between, or "all".
build() {
    local preset=$1 targets=$2 out=$repo/build/$1.log
    shift 2
    mkdir -p "$repo/build"
    (
        flock 8
        cd "$repo" || exit 1
        if [[ ! -e build/$preset/build.ninja ]]; then
            cmake --preset "$preset" "$@" >"$out" 2>&1 || exit 1
        fi
        # shellcheck disable=SC2086 # a list of names
        cmake --build "build/$preset" --target $targets >>"$out" 2>&1
    ) 8>"$repo/build/.lock" || fail_with_log "the build (preset $preset) failed" "$out" "fix what the compiler says and run this again"
    rm -f -- "$out"
}
