#!/usr/bin/env bash
# A house rule that nobody can break unseen: each kind of violation, planted in a small house, is found and named.
set -u
cd "$(dirname "$0")/.." || exit 1
place=$(mktemp -d "${TMPDIR:-/tmp}/kontor-test-XXXXXX") || exit 1
trap 'rm -rf "$place"' EXIT
number=0 failed=0

# finds LAW PATTERN FILE TEXT: FILE with TEXT is reported as PATTERN; "" for PATTERN: nothing is.
finds() {
    local law=$1 pattern=$2 file=$3 text=$4 said status good=0
    rm -rf "${place:?}"/*
    mkdir -p "$place"/{storage,engine/ledger,engine/trade,engine/people,engine/payroll,cli,fixtures,tests,bench}
    cp tests/layers.sh "$place/tests"
    touch "$place"/storage/error.h "$place"/engine/{kontor,money,day,book,access,registry}.h \
        "$place"/engine/ledger/account.h "$place"/engine/trade/party.h "$place"/engine/people/leave.h "$place"/cli/table.h
    printf '%b' "$text" >"$place/$file"
    said=$("$place/tests/layers.sh")
    status=$?
    if [ -n "$pattern" ]; then
        [ $status = 1 ] && grep -q -- "$pattern" <<<"$said" && good=1
    else
        [ $status = 0 ] && good=1
    fi
    number=$((number + 1))
    if [ $good = 1 ]; then
        echo "ok $number - $law"
    else
        echo "not ok $number - $law"
        sed 's/^/# /' <<<"$said"
        failed=1
    fi
}

finds "downwards is fine" "" engine/ledger/entry.c '#include "engine/book.h"\n#include "engine/kontor.h"\n'
finds "storage knows no engine" "storage/store.c:1: " storage/store.c '#include "engine/money.h"\n'
finds "the engine knows no command line" "engine/book.c:1: " engine/book.c '#include "cli/table.h"\n'
finds "the book knows no department" "engine/book.c:2: " engine/book.c '\n#include "engine/ledger/account.h"\n'
finds "a department rests on no other of its floor" "same floor" engine/ledger/entry.c '#include "engine/people/leave.h"\n'
finds "payroll rests on people" "" engine/payroll/run.c '#include "engine/people/leave.h"\n'
finds "the ledger does not know trade" "above it" engine/ledger/entry.c '#include "engine/trade/party.h"\n'
finds "the public header rests on the values" "public header" engine/kontor.h '#include "engine/book.h"\n'
finds "lmdb is for storage" "lmdb.h" engine/book.c '#include <lmdb.h>\n'
finds "openssl is for storage" "openssl/sha.h" cli/verify.c '#include <openssl/sha.h>\n'
finds "storage headers leak no library" "sodium.h" storage/keys.h '#include <sodium.h>\n'
finds "storage sources may" "" storage/keys.c '#include <sodium.h>\n'
finds "no binary fractions" "engine/money.c:2: " engine/money.c '/* double\n float */ static double rate;\n'
finds "words in comments and texts are no code" "" engine/money.c '/* double */\nconst char *t = "float"; // float\n'
finds "no locale" "isalpha" engine/money.c 'int f(int c) { return isalpha(c); }\n'
finds "includes are written from the top" "is not there" engine/book.c '#include "money.h"\n'
finds "a room of 801 lines is two" "801 lines" engine/book.c "$(printf '%0.s\\n' {1..801})"
echo "1..$number"
exit $failed
