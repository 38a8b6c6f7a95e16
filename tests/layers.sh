#!/usr/bin/env bash
# Proves the order of the rooms from the #include lines, and the other house rules that text can show.
# Prints each violation as "file:line: what"; exits 1 where there is one. Warnings do not fail.
#
# Floors, each resting only on those below: storage, then access/money/day, book, ledger/people/audit,
# payroll/office/exchange/trade, registry, kontor, cli. engine/kontor.h, with the headers it is made of, is the words
# everybody speaks, and may be named by all of engine except the values below it.
set -u
cd "$(dirname "$0")/.." || exit 1
exec perl - "$@" <<'PERL'
use strict;
use warnings;

my ($bad, $warned) = (0, 0);
my $words = qr{^engine/kontor(_(access|audit|exchange|trust))?\.h$};
sub violation { print "$_[0]: $_[1]\n"; $bad++ }
sub warning { print "$_[0]: warning: $_[1]\n"; $warned++ }

# The floor of a file, and its department: on one floor a department rests on itself alone.
sub floor_of {
    my ($path) = @_;
    return (0, 'storage') if $path =~ m{^storage/};
    return (6.5, 'sql') if $path =~ m{^engine/sql/}; # the SQL surface, over what kontor.h gives
    return (7, 'cli') if $path =~ m{^cli/};
    return (0.5, $1) if $path =~ m{^engine/(tables)\.[ch]$}; # names and numbers alone
    return (1, $1) if $path =~ m{^engine/(access|money|day)(_\w+)?\.[ch]$};
    return (6, 'kontor') if $path =~ m{^engine/kontor(_\w+)?\.[ch]$};
    return (5.5, 'remote') if $path =~ m{^engine/remote/}; # posting from afar: over all departments
    return (5, 'registry') if $path =~ m{^engine/registry\.[ch]$};
    return (4, $1) if $path =~ m{^engine/(payroll|office|exchange|trade)/};
    return (3, $1) if $path =~ m{^engine/(ledger|people|audit)/};
    return (2, 'book') if $path =~ m{^engine/\w+\.[ch]$};
    return;
}

# Code without comments and without what stands in quotes; lines keep their numbers.
sub strip {
    my ($text) = @_;
    $text =~ s{(/\*.*?\*/|//[^\n]*)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')}
              { my $lines = ($& =~ tr/\n//); (defined $1 ? ' ' : '""') . "\n" x $lines }gse;
    return $text;
}

my @files = grep { !m{^tests/outside/.*\.go$} } split /\n/, `find storage engine cli fixtures tests bench -name '*.[ch]' | sort`;
my %seen;
for my $file (@files) {
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    my $text = <$in>;
    my $room = $file =~ m{^(storage|engine|cli)/};
    my ($floor, $department) = floor_of($file);
    violation($file, "lies on no floor (see the table in this script)") if $room && !defined $floor;
    my $number = 0;
    for my $line (split /\n/, $text, -1) {
        $number++;
        if ($line =~ /^\s*#\s*include\s*<((lmdb|msgpack|sodium)(\/\S*|\.h)|openssl\/\S+)>/) {
            violation("$file:$number", "<$1> is for storage/*.c alone") if $room && $file !~ m{^storage/\w+\.c$};
        }
        next unless $room && defined $floor && $line =~ /^\s*#\s*include\s*"([^"]+)"/;
        my $target = $1;
        violation("$file:$number", "\"$target\" is not there: includes are written from the top") unless -e $target;
        next if $target =~ $words && $file =~ m{^(engine|cli)/} && $floor > 0 && $department !~ /^(money|day)$/;
        my ($below, $whose) = floor_of($target);
        if (!defined $below) {
            violation("$file:$number", "\"$target\" lies on no floor");
        } elsif ($file =~ $words) { # the words rest on the values alone, and on each other
            violation("$file:$number", "the public header includes \"$target\"")
                unless $target =~ m{^(engine/(day|money)|storage/error)\.h$} || $target =~ $words;
        } elsif ($below > $floor) {
            violation("$file:$number", "$department (floor $floor) includes \"$target\" of $whose above it (floor $below)");
        } elsif ($below == $floor && $whose ne $department) {
            violation("$file:$number", "$department includes \"$target\" of $whose on the same floor");
        }
    }
    my @code = split /\n/, strip($text), -1;
    my $begin;
    for my $i (0 .. $#code) {
        my $place = "$file:" . ($i + 1);
        violation($place, "binary fractions ($1): money and ratios are whole numbers") if $code[$i] =~ /\b(double|float)\b/;
        violation($place, "$1 depends on the locale") if $file =~ m{^(storage|engine)/}
            && $code[$i] =~ /\b(strtod|strtof|strtold|atof|is(?:alpha|digit|alnum|space|upper|lower|print|punct|xdigit)|to(?:upper|lower)|setlocale|strcoll|localtime\w*)\s*\(/;
        $begin = $i if $code[$i] =~ /^\{/;
        if (defined $begin && $code[$i] =~ /^\}/) {
            warning("$file:" . ($begin + 1), "a function of " . ($i - $begin) . " lines") if $room && $i - $begin > 80;
            undef $begin;
        }
    }
    my $lines = ($text =~ tr/\n//);
    if ($room && $lines > 800) { violation($file, "$lines lines: two rooms") }
    elsif ($room && $lines > 600) { warning($file, "$lines lines: is it one room?") }
}

printf "%d files, %d violations, %d warnings\n", scalar @files, $bad, $warned;
exit($bad ? 1 : 0);
PERL
