#!/usr/bin/env bash
# LAW 3 as the kernel sees it: before each acknowledgement that `kontor post` prints, everything written to the book has
# been synced, by fdatasync or by being written through O_DSYNC.
cd "$(dirname "$0")/../.." || exit 1
command -v strace >/dev/null || { echo "1..0 # SKIP strace is not installed"; exit 0; }
# shellcheck source=tests/tap.sh
. tests/tap.sh
strace -o /dev/null true 2>/dev/null || { echo "1..0 # SKIP strace may not trace here"; exit 0; }
export KONTOR_BOOK=$place/book
printf 'code,name,type,parent,currency,rule\n1,Bank,asset,,,\n2,Sales,income,,,\n' >"$place/chart.csv"
does "a book" 0 init --entity "Sync ApS" --currency DKK --chart "$place/chart.csv"
for i in 1 2 3; do
    printf 'date,voucher,account,amount\n2026-02-0%d,%d,1,5.00\n2026-02-0%d,%d,2,-5.00\n' $i $i $i $i >"$place/$i.csv"
done
awk 'BEGIN { text = sprintf("%4000s", ""); gsub(/ /, "x", text); print "date,voucher,account,amount,text"
    for (i = 100; i < 3000; i++) printf "2026-02-01,%d,1,5.00,%s\n2026-02-01,%d,2,-5.00,%sy\n", i, text, i, text
}' >"$place/large.csv"

# order TRACE: prints how many acknowledgements there were, how many syncs, and what was not synced before one.
order() {
    perl -e '
        my (%begun, %dsync, %dirty, $acks, $syncs, $bad);
        ($acks, $syncs, $bad) = (0, 0, 0);
        while (<>) {
            # Two threads at once: a write counts from where it begins, a sync and an open from where they end.
            my ($thread) = /^(\d+)/;
            if (s/<unfinished \.\.\.>\s*$//) {
                $begun{$thread} = $_;
                next unless /\b(?:pwrite64|pwritev2?|write|writev)\(/;
                $_ .= ") = 1";
            } elsif (s/^\d+\s+<\.\.\. \w+ resumed>//) {
                my $whole = delete($begun{$thread}) . $_;
                next if $whole =~ /\b(?:pwrite64|pwritev2?|write|writev)\(/;
                $_ = $whole;
            }
            if (/\bopen(?:at)?\((.*)\) = (\d+)/) {
                $dsync{$2} = index($1, "SYNC") >= 0; # O_SYNC, O_DSYNC
            } elsif (/\b(?:pwrite64|pwritev2?|write|writev)\((\d+)<([^>]*)>.* = \d+$/) {
                my ($fd, $path) = ($1, $2);
                if ($path =~ m{/book/data\.mdb$}) {
                    $dsync{$fd} ? ($syncs++) : ($dirty{$path}++);
                } elsif ($fd == 1 && /batch  /) {
                    $acks++;
                    $bad++ if %dirty;
                }
            } elsif (/\b(?:fdatasync|fsync)\(\d+<([^>]*)>\) += 0/) {
                $syncs++ if delete $dirty{$1};
            } elsif (/\b(?:msync|sync_file_range|mmap)\(.*PROT_WRITE.*MAP_SHARED.*data\.mdb/) {
                die "data.mdb is written through memory: $_";
            }
        }
        print "$acks $syncs $bad\n";
    ' "$1"
}
traced() { # traced FILE...
    last="strace kontor post $*"
    ASAN_OPTIONS=detect_leaks=0 strace -f -y -s 4000 -o "$place/trace" \
        -e trace=open,openat,write,writev,pwrite64,pwritev,fsync,fdatasync,msync,mmap "$kontor" post "$@" \
        >"$place/out" 2>"$place/err" </dev/null
    status=$?
}
for file in 1 2 3 large; do
    traced "$place/$file.csv"
    is "$file.csv posts under strace" "$status" 0
    read -r acks syncs bad < <(order "$place/trace")
    is "$file.csv is acknowledged" "${acks:-0}" 1
    # The pages, and then the page that names them as the head.
    [ "${syncs:-0}" -ge 2 ]
    result $? "after it was synced ($syncs times)"
    is "with nothing written and not synced" "${bad:-none}" 0
done
does "the book verifies" 0 verify
finish
