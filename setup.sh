#!/usr/bin/env bash
# Installs the Debian packages that are missing: setup.sh build | test | fuzz | peers.
# `setup.sh check` installs nothing; it says which are missing. Exits 4 where something needed stays missing.
set -u

needed="gcc libc6-dev make perl liblmdb-dev libsodium-dev libmsgpack-dev libssl-dev libcsv-dev libjansson-dev
libsmartcols-dev libmicrohttpd-dev libsqlite3-dev libxml2-dev"
wanted="" # without these some tests are skipped, and say so

case "${1:-build}" in
check | build) ;;
test) wanted="libxml2-utils poppler-utils chromium sqlite3 ledger hledger strace openssh-client gdb golang-go golang-golang-x-mod-dev python3 python3-cryptography" ;;
fuzz) needed="$needed clang libclang-rt-14-dev" ;;
peers) wanted="ledger hledger postgresql time" ;;
*)
    echo "setup.sh: unknown part '$1': expected check, build, test, fuzz or peers" >&2
    exit 2
    ;;
esac

# The page for auditors is looked at in Chromium, led by Node.js; npm comes with Node.js where that is not Debian's.
if [ "${1:-build}" = test ]; then
    command -v node >/dev/null || wanted="$wanted nodejs"
    command -v npm >/dev/null || wanted="$wanted npm"
fi

case "${CC:-}" in
*clang*) needed="$needed clang libclang-rt-14-dev" ;;
esac

installed() {
    case "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" in
    installed) return 0 ;;
    esac
    return 1
}

missing() {
    for package in "$@"; do
        installed "$package" || printf ' %s' "$package"
    done
}

# What the compiler finds is what counts; a library may well have come another way than through dpkg.
check() {
    local cc=${CC:-gcc} lack="" header package
    command -v "${cc%% *}" >/dev/null || lack=" ${cc%% *}"
    if [ -z "$lack" ]; then
        while read -r header package; do
            echo "#include <$header>" | $cc -isystem /usr/include/libxml2 -E -x c -o /dev/null - 2>/dev/null || lack="$lack $package"
        done <<-END
			stdio.h libc6-dev
			lmdb.h liblmdb-dev
			sodium.h libsodium-dev
			msgpack.h libmsgpack-dev
			openssl/sha.h libssl-dev
			csv.h libcsv-dev
			jansson.h libjansson-dev
			libsmartcols/libsmartcols.h libsmartcols-dev
			microhttpd.h libmicrohttpd-dev
			sqlite3.h libsqlite3-dev
			libxml/xmlreader.h libxml2-dev
		END
    fi
    [ -z "$lack" ] && return 0
    echo "kontor: these packages are missing:$lack" >&2
    echo "kontor: \`make setup\` installs them, or: apt-get install$lack" >&2
    return 4
}

if [ "${1:-}" = check ]; then
    check
    exit
fi

if ! command -v dpkg-query >/dev/null; then
    echo "kontor: this is no Debian system, so nothing is installed; needed are the libraries of: $needed" >&2
    check
    exit
fi

# shellcheck disable=SC2086 # lists of words
lack=$(missing $needed) lack_wanted=$(missing $wanted)
[ -z "$lack$lack_wanted" ] && exit 0

if [ "$(id -u)" = 0 ]; then
    root=""
elif sudo -n true 2>/dev/null; then
    root="sudo -n"
elif [ -n "$lack" ] && [ -t 0 ] && command -v sudo >/dev/null; then
    root="sudo" # somebody is there to be asked for the password
elif [ -z "$lack" ]; then
    echo "kontor: not installed, so that some tests are skipped:$lack_wanted" >&2
    exit 0
elif check 2>/dev/null && command -v prove >/dev/null; then
    exit 0 # the packages' files lie elsewhere, and the compiler finds them
else
    echo "kontor: these packages are missing, and there is neither root nor sudo to install them:$lack" >&2
    echo "kontor: have somebody run: apt-get install$lack" >&2
    exit 4
fi

install() {
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -qq "$@" >/dev/null
}

refresh() {
    [ -n "${refreshed:-}" ] && return
    refreshed=1
    echo "kontor: refreshing the package lists" >&2
    $root apt-get update -qq
}

if [ -n "$lack" ]; then
    echo "kontor: installing$lack" >&2
    # shellcheck disable=SC2086
    install $lack 2>/dev/null || { refresh && install $lack; } || {
        echo "kontor: apt-get could not install these packages:$lack" >&2
        exit 4
    }
fi
for package in $lack_wanted; do
    echo "kontor: installing $package" >&2
    install "$package" 2>/dev/null || { refresh && install "$package" 2>/dev/null; } ||
        echo "kontor: $package could not be installed; what needs it is skipped" >&2
done
exit 0
