// Checklog verifies a transparency log in the C2SP tlog-tiles layout with Go's own note and tlog packages, which know
// nothing of Kontor: checkpoint, leaves, every tile, proofs of inclusion and of consistency, and that it extends the
// checkpoints kept.
//
//	checklog [-hashes-only] DIR VKEY [CHECKPOINT...]
//
// It prints counts and exits 0, or says what is wrong and exits 1.
package main

import (
	"flag"
	"fmt"
	"os"
)

func run(dir, vkey string, hashesOnly bool, kept []string) (string, error) {
	var since [][]byte
	for _, name := range kept {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		since = append(since, data)
	}
	f, err := readFiles(dir)
	if err != nil {
		return "", err
	}
	return check(f, vkey, hashesOnly, since)
}

func main() {
	hashesOnly := flag.Bool("hashes-only", false, "the log has no entry bundles")
	flag.Parse()
	if flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: checklog [-hashes-only] DIR VKEY [CHECKPOINT...]")
		os.Exit(2)
	}
	said, err := run(flag.Arg(0), flag.Arg(1), *hashesOnly, flag.Args()[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "checklog:", err)
		os.Exit(1)
	}
	fmt.Println(said)
}
