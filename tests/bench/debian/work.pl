# Fixed work for Debian's perl: regular expressions, hashes, sorting, numbers.
use strict;
use warnings;

open my $file, '<', 'corpus.txt' or die "corpus.txt: $!";
my (%count, %pairs, $before);
my ($lines, $changed) = (0, 0);
while (my $line = <$file>) {
    last if ++$lines > 8000;
    $changed += ($line =~ s/([aeiou])([^aeiou ])/$2$1/g);
    for my $word (split ' ', $line) {
        $count{$word}++;
        $pairs{substr($before, 0, 1) . substr($word, 0, 1)}++ if defined $before;
        $before = $word;
    }
}
my @words = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
my $sum = 0;
for my $i (1 .. 200000) {
    $sum = ($sum * 31 + $i * ($i % 7)) % 1000003;
}
my @pairs = map {"$_=$pairs{$_}"} sort keys %pairs;
print join(' ', $lines, $changed, scalar @words, @words[0 .. 4], $sum, scalar @pairs), "\n";
