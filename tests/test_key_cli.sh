#!/usr/bin/env bash
# Keys through the command: made, locked, asked for, held by ssh-agent, rotated, revoked; and nothing secret ever shows: a known
# seed and passphrase are planted, everything that comes out is searched for them, and so are core dumps.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
export LC_ALL=C
# RFC 8032, section 7.1, test 2.
seed=4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb
public=3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c
passphrase=Hemmelighed-7531-Lykke second=Andet-Kodeord-8642
keys=$place/keys
mkdir "$keys"
# secret FILE...: whether a secret stands in any of them: the seed as bytes, hexadecimal or base64, or a passphrase.
raw=$(printf '%s' "$seed" | sed 's/../\\x&/g')
base64=$(printf '%b' "$raw" | base64 -w0)
secret() {
    grep -aqF -e "$passphrase" -e "$second" -e "$seed" -e "${seed:0:24}" -e "${base64:0:40}" "$@" && return 0
    grep -aqiF -e "$seed" "$@" && return 0
    grep -aqP "$raw" "$@"
}
# with N TEXT ARGUMENTS...: runs kontor with the lines of TEXT at descriptor N.
with() {
    local lines=$1
    shift
    last="kontor $* --passphrase-fd 7"
    "$kontor" "$@" --passphrase-fd 7 7<<<"$lines" >"$place/out" 2>"$place/err" </dev/null
    status=$?
    cat "$place/out" "$place/err" >>"$place/everything"
}
gives() { # gives LAW STATUS LINES ARGUMENTS...
    local law=$1 expected=$2
    shift 2
    with "$@"
    [ "$status" = "$expected" ]
    result $? "$law"
}
lonely() { # as does, with no terminal
    local law=$1 expected=$2
    shift 2
    last="kontor $*"
    setsid -w "$kontor" "$@" >"$place/out" 2>"$place/err" </dev/null
    status=$?
    cat "$place/out" "$place/err" >>"$place/everything"
    [ "$status" = "$expected" ]
    result $? "$law"
}
public_of() { sed -n 's/^public: //p' "$1"; }

# ---- Files -------------------------------------------------------------------------------------------------------
does "a key is made" 0 key new "$keys/anna.key" --json
is "called as its file" "$(json 0 name)" anna
is "whose public half is the file's" "$(json 0 public)" "$(public_of "$keys/anna.key")"
is "which only its owner may read" "$(stat -c %a "$keys/anna.key")" 600
does "a key file is never overwritten" 1 key new "$keys/anna.key"
does "a key with a name of its own" 0 key new "$keys/b.key" --name "Bo, bookkeeper" --json
is "has it" "$(json 0 name)" "Bo, bookkeeper"
printf 'kontor-key-v1\nname: planted\npublic: %s\nseed: %s\n' $public $seed >"$keys/planted.key"
chmod 600 "$keys/planted.key"
does "a key is shown" 0 key show "$keys/planted.key" --json
cat "$place/out" "$place/err" >"$place/everything"
is "with its public half" "$(json 0 public)" $public
is "and that it lies open" "$(json 0 kind)" open
does "a file that is no key is refused" 1 key show tests/tap.sh
gives "a key is locked" 0 "$passphrase" key lock "$keys/planted.key"
out_has "and said to be" '^secret +locked'
holds "and its seed is gone from the file" test "$(grep -c "$seed" "$keys/planted.key")" = 0
is "of the same mode" "$(stat -c %a "$keys/planted.key")" 600
gives "its passphrase is changed, the old one asked for first" 0 "$passphrase
$second" key lock "$keys/planted.key"
gives "a wrong one is refused" 4 "$passphrase" key unlock "$keys/planted.key"
err_has "and said to be" 'planted\.key: wrong passphrase'
lonely "without a terminal or a descriptor nothing is asked" 4 key unlock "$keys/planted.key"
err_has "and how to give it is said" '--passphrase-fd N'
does "a descriptor that is not open is wrong usage" 2 key unlock "$keys/planted.key" --passphrase-fd 77
gives "a descriptor with nothing in it" 4 "" key unlock "$keys/planted.key"
gives "the right one unlocks it" 0 "$second" key unlock "$keys/planted.key"
holds "to what it was" grep -q "^seed: $seed$" "$keys/planted.key"
does "what is not locked is not unlocked" 2 key unlock "$keys/planted.key"
gives "a key is made locked" 0 "$passphrase" key new "$keys/carl.key" --lock
holds "from the beginning" grep -q '^locked: argon2id' "$keys/carl.key"
gives "an empty passphrase is none" 4 "" key new "$keys/none.key" --lock
holds "and makes no file" test ! -e "$keys/none.key"
echo "not a key" >"$keys/readme.txt"
does "the keys of a directory are listed" 0 key list "$keys" --json
is "all of them and nothing else" "$(json '#')" 4
is "with what they are" "$(row name carl kind)" locked
does "no directory and no book" 2 key list

# ---- The terminal ---------------------------------------------------------------------------------------------------
# typed COMMAND PROMPT ANSWER [PROMPT ANSWER]...: COMMAND on a terminal, where an answer is typed when its prompt stands there.
typed() {
    local command=$1 session i
    shift
    last="$command (on a terminal)"
    rm -f "$place/in"
    mkfifo "$place/in"
    : >"$place/out"
    : >"$place/err"
    script -qefc "$command" /dev/null <"$place/in" >"$place/out" 2>&1 &
    session=$!
    exec 8>"$place/in"
    while [ $# -gt 0 ]; do
        for ((i = 0; i < 400; i++)); do
            grep -aqF "$1" "$place/out" && break
            sleep 0.05
        done
        sleep 0.1
        (printf '%b' "$2" >&8) 2>/dev/null # in a process of its own: the other end may be gone
        shift 2
    done
    wait $session
    status=$?
    exec 8>&-
    cat "$place/out" >>"$place/everything"
}
if command -v script >/dev/null; then
    typed "'$kontor' key lock '$keys/anna.key'" "New passphrase for key anna" "$passphrase\n" "The same again" "$passphrase\n"
    is "a key is locked with a passphrase typed twice" "$status" 0
    holds "which is not shown" test "$(grep -c "$passphrase" "$place/out")" = 0
    typed "'$kontor' key lock '$keys/b.key'" "New passphrase" "$passphrase\n" "The same again" "$second\n"
    is "two that differ are refused" "$status" 4
    holds "and the key is what it was" grep -q '^seed: ' "$keys/b.key"
    typed "'$kontor' key unlock '$keys/anna.key'" "Passphrase of key anna" "$passphrase\n"
    is "it is unlocked with the one typed" "$status" 0
    typed "sh -c 'trap : INT; \"$kontor\" key lock \"$keys/b.key\"; echo ended \$?; stty -a'" "New passphrase" '\003' ended '\n'
    out_has "an interrupt ends the question" '^ended (130|4)' # 4 where it is ignored, as in the background
    out_has "and leaves the terminal its echo" '[ ;]echo[ ;]'
    holds "and the key is what it was" grep -q '^seed: ' "$keys/b.key"
else
    skip "questions on a terminal" "no script(1)"
fi

# ---- A book whose own key is locked ---------------------------------------------------------------------------------
export KONTOR_BOOK=$place/book
printf 'code,name,type\n1100,Bank,asset\n4000,Sales,income\n' >"$place/chart.csv"
run init --entity Acme --currency DKK --chart "$place/chart.csv"
log=$KONTOR_BOOK/keys/log.key
does "the book's own key is shown" 0 key show --json
is "from its record" "$(json 0 public)" "$(public_of "$log")"
run checkpoint --verifier
is "with its verifier key" "$("$kontor" key show | sed -n 's/^verifier key *//p')" "$(cat "$place/out")"
gives "the book's own key is locked" 0 "$passphrase" key lock "$log"
month() { printf 'date,voucher,account,amount\n2026-01-0%d,%d,1100,10.00\n2026-01-0%d,%d,4000,-10.00\n' "$1" "$1" "$1" "$1" >"$place/$1.csv"; }
for n in 1 2 3 4 5 6; do month $n; done
lonely "posting asks for it" 4 post "$place/1.csv"
err_has "which cannot be without a terminal" 'needs a passphrase'
gives "a wrong passphrase posts nothing" 4 "$second" post "$place/1.csv"
err_has "and is said to be wrong" 'log\.key: wrong passphrase'
gives "the right one posts" 0 "$passphrase" post "$place/1.csv"
does "reading asks for none" 0 balance
does "verifying neither" 0 verify
if command -v script >/dev/null; then
    typed "'$kontor' post '$place/2.csv'" "Passphrase of key kontor/acme" "$passphrase\n"
    is "posting asks on the terminal" "$status" 0
fi

# ---- Actors and their keys ---------------------------------------------------------------------------------------------
gives "an actor is added by a key file" 0 "$passphrase" actor add carl --public "$keys/carl.key"
gives "and may post up to a limit" 0 "$passphrase" actor grant carl clerk --limit 50 --accounts 1000-4999
does "which is listed" 0 actor list --json
is "with his role" "$(row actor carl role)" clerk
is "and its limit" "$(row actor carl limit)" 50.00
gives "he posts with both passphrases, the book's key's first" 0 "$passphrase
$passphrase" post "$place/3.csv" --key "$keys/carl.key"
printf 'date,voucher,account,amount\n2026-01-09,9,1100,90.00\n2026-01-09,9,4000,-90.00\n' >"$place/much.csv"
gives "more than his limit is only proposed" 3 "$passphrase
$passphrase" post "$place/much.csv" --key "$keys/carl.key"
does "nobody has a key that is not on record" 0 key list "$keys" --json
is "which the list says" "$(row name b\* state || row name anna state)" "not on record"
is "and whose the others are" "$(row name carl actor)" carl
run key new "$keys/carl-2.key"
gives "a key is rotated, signed for by both" 0 "$passphrase
$passphrase" key rotate --key "$keys/carl.key" --to "$keys/carl-2.key"
gives "the old one is good for nothing more" 1 "$passphrase
$passphrase" post "$place/4.csv" --key "$keys/carl.key"
gives "the new one is" 0 "$passphrase" post "$place/4.csv" --key "$keys/carl-2.key"
gives "a key is revoked" 0 "$passphrase" key revoke carl --reason "notebook stolen"
gives "and posts no more" 1 "$passphrase" post "$place/5.csv" --key "$keys/carl-2.key"
does "what it signed before still verifies" 0 verify
does "a revocation needs its reason" 2 key revoke carl

run key new "$place/log-2.key" --json
newer=$(json 0 public)
gives "the key that signs checkpoints is rotated too" 0 "$passphrase" key rotate --log --to "$place/log-2.key"
lacks_file() { [ ! -e "$1" ]; }
holds "its file moves into the book" lacks_file "$place/log-2.key"
run key new "$place/own.key"
newer_own=$place/own.key
gives "the book's own actor gets a new key" 0 "$passphrase" key rotate --to "$newer_own"
holds "which moves into the book too" lacks_file "$newer_own"
cp "$place/much.csv" "$place/own.csv"
sed -i s/,9,/,10,/ "$place/own.csv"
does "and acts without being named" 0 post "$place/own.csv"
does "and the book names the new one" 0 key show --json
is "as its own" "$(json 0 public)" "$newer"
does "and verifies" 0 verify

# ---- ssh-agent -----------------------------------------------------------------------------------------------------------
if command -v ssh-agent >/dev/null && command -v ssh-keygen >/dev/null; then
    eval "$(ssh-agent -a "$place/agent")" >/dev/null
    trap 'kill "$SSH_AGENT_PID" 2>/dev/null; chmod -R u+rwx "$place" 2>/dev/null; rm -rf "$place"' EXIT
    ssh-keygen -q -t ed25519 -N '' -C dora -f "$keys/dora"
    does "a key file is made for a key that ssh-agent is to hold" 0 key new "$keys/dora.key" --agent "$keys/dora.pub"
    err_has "with a warning where it does not yet" 'ssh-add'
    ssh-add -q "$keys/dora"
    does "it is shown" 0 key show "$keys/dora.key" --json
    is "with the fingerprint that ssh-add shows" "$(json 0 fingerprint)" "$(ssh-add -l | cut -d' ' -f2)"
    gives "its actor is added by OpenSSH's own file" 0 "$passphrase" actor add dora --public "$keys/dora.pub"
    gives "and granted" 0 "$passphrase" actor grant dora clerk
    gives "and posts through the agent" 0 "$passphrase" post "$place/5.csv" --key "$keys/dora.key"
    ssh-add -q -D 2>/dev/null
    gives "not when the agent has forgotten the key" 4 "$passphrase" post "$place/6.csv" --key "$keys/dora.key"
    err_has "which is said" 'dora\.key: ssh-agent .* does not hold the key SHA256:'
    does "the book verifies without the agent" 0 verify
    kill "$SSH_AGENT_PID"
else
    skip "a key that ssh-agent holds" "no ssh-agent (openssh-client)"
fi

# ---- Nothing secret anywhere --------------------------------------------------------------------------------------------
printf 'xx%s' "$(printf '%b' "$raw" | tr -d '\0')" >"$place/control"
holds "the search finds a seed as bytes" secret "$place/control"
echo "$base64" >"$place/control"
holds "and as base64" secret "$place/control"
gives "the planted key is locked" 0 "$passphrase" key lock "$keys/planted.key"
gives "and made an actor" 0 "$passphrase" actor add planted --public "$keys/planted.key"
gives "with a role" 0 "$passphrase" actor grant planted clerk
gives "and signs" 0 "$passphrase
$passphrase" post "$place/6.csv" --key "$keys/planted.key"
run key list "$keys"
cat "$place/out" "$place/err" >>"$place/everything"
secret "$place/everything"
is "neither the seed nor a passphrase is in anything that was printed" $? 1
if command -v strace >/dev/null && strace -o "$place/trace" true 2>/dev/null; then
    strace -f -v -s 100000 -e trace=execve,execveat -o "$place/trace" "$kontor" post "$place/6.csv" --key "$keys/planted.key" \
        --passphrase-fd 7 7<<<"$passphrase
$passphrase" >"$place/out" 2>"$place/err"
    holds "what is run is seen with its arguments and environment" grep -q planted.key "$place/trace"
    secret "$place/trace"
    is "and no secret is in them" $? 1
else
    skip "arguments and environment" "no strace that works here"
fi
secret -r "$KONTOR_BOOK"
is "nor in the book" $? 1

# A server holds the book's key, which was locked, for as long as it runs: here the planted one.
"$kontor" init --book "$place/dumped" --entity Acme --currency DKK --chart "$place/chart.csv" >/dev/null
sed -n 's/^seed: //p' "$place/dumped/keys/log.key" >"$place/seed" # this book's own seed is the plant
seed=$(cat "$place/seed")
raw=$(printf '%s' "$seed" | sed 's/../\\x&/g')
base64=$(printf '%b' "$raw" | base64 -w0)
with "$passphrase" key lock "$place/dumped/keys/log.key"
cores=$place/cores
mkdir "$cores"
serve() {
    (ulimit -c unlimited && cd "$cores" && exec "$kontor" serve --book "$place/dumped" --socket "$place/socket" --passphrase-fd 7 \
        7<<<"$passphrase" >"$place/out" 2>"$place/err") &
    server=$!
    for ((i = 0; i < 200; i++)); do
        grep -q serving "$place/out" && return 0
        sleep 0.05
    done
    return 1
}
last="kontor serve"
# A program that keeps what it reads in ordinary memory: what a core dump would give away.
cat >"$place/careless.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void) { char *kept = malloc(200); if (kept == NULL || read(0, kept, 200) < 1) return 1; puts("serving"); fflush(stdout); for (;;) pause(); }
C
careless() {
    (ulimit -c unlimited && cd "$cores" && printf '%b' "$raw" | "$place/careless" >"$place/out" 2>"$place/err") 2>/dev/null &
    for ((i = 0; i < 200; i++)); do
        grep -q serving "$place/out" && break
        sleep 0.05
    done
    server=$(pgrep -f "^$place/careless" | tail -n 1)
}
dump() { timeout 60 gcore -o "$cores/gcore" "$1" >/dev/null 2>&1 && compgen -G "$cores/gcore.*" >/dev/null; }
if ${CC:-gcc} -o "$place/careless" "$place/careless.c" 2>"$place/err"; then
    careless
    sanitized=0 # whose memory is of many terabytes
    case ${KONTOR_BUILD:-build} in *asan*) sanitized=1 ;; esac
    if [ $sanitized = 0 ] && command -v gcore >/dev/null && dump "$server"; then
        holds "a careless program's memory gives the seed away" secret "$cores"/gcore.*
        rm -f "$cores"/gcore.*
        taken=1
    else
        skip "memory as a debugger dumps it" "no gcore, or it may not look"
        taken=0
    fi
    kill -ABRT "$server" 2>/dev/null
    sleep 0.5
    written=0
    compgen -G "$cores/core*" >/dev/null && written=1
    if [ $written = 1 ]; then
        holds "so does its core" secret "$cores"/core*
    fi
    rm -f "$cores"/core*
    serve
    is "a server starts with a locked key" $? 0
    if [ $taken = 1 ]; then
        if dump "$server"; then
            secret "$cores"/gcore.*
            is "Kontor's memory, dumped by a debugger, holds neither seed nor passphrase" $? 1
        else
            result 0 "a debugger cannot even dump Kontor's memory"
        fi
        rm -f "$cores"/gcore.*
    fi
    kill -ABRT $server
    wait $server 2>/dev/null
    status=$?
    is "it is ended by SIGABRT" "$status" 134
    if [ $written = 1 ]; then
        compgen -G "$cores/core*" >/dev/null
        is "and leaves no core" $? 1
    else
        skip "it leaves no core" "cores are not written to files here"
    fi
fi
finish
