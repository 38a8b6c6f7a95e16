// Mutatelog changes an exported log in every way it knows and asks check (log.go) of each: all must be refused, and the
// log itself accepted. Everything happens in memory, so that it is done thousands of times in seconds.
//
//	mutatelog [-hashes-only] [-every N] DIR VKEY OTHER...
//
// -every takes one byte in N of each file. The OTHERs are logs of other histories, from which pieces are spliced in. It
// prints, for each way, how many were tried and how many caught, and exits 1 where these differ.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
)

type tally struct{ tried, caught int }

type mutator struct {
	log    files
	vkey   string
	hashes bool // alone
	ways   []string
	counts map[string]*tally
}

// try puts data in the place of the file (nil: takes it away), and asks. What changes nothing is not tried.
func (m *mutator) try(way, name string, data []byte) {
	was, there := m.log[name]
	if there == (data != nil) && bytes.Equal(was, data) {
		return
	}
	if data == nil {
		delete(m.log, name)
	} else {
		m.log[name] = data
	}
	m.ask(way, name)
	if there {
		m.log[name] = was
	} else {
		delete(m.log, name)
	}
}

func (m *mutator) ask(way, what string) {
	count := m.counts[way]
	if count == nil {
		count = new(tally)
		m.counts[way] = count
		m.ways = append(m.ways, way)
	}
	count.tried++
	if _, err := check(m.log, m.vkey, m.hashes, nil); err != nil {
		count.caught++
	} else {
		fmt.Printf("%s: not refused: %s\n", what, way)
	}
}

func (m *mutator) bytes(every int) {
	for _, name := range m.log.names() {
		data := m.log[name]
		for at := 0; at < len(data); at += every {
			changed := append([]byte(nil), data...)
			changed[at] ^= 1 << (at / every % 8)
			m.try("a byte changed", name, changed)
			m.try("cut off", name, append([]byte{}, data[:at]...))
			if at%(4*every) == 0 {
				left := append(append([]byte{}, data[:at]...), data[at+1:]...)
				m.try("a byte left out", name, left)
			}
		}
		m.try("a byte more", name, append(append([]byte{}, data...), 0))
		m.try("a file missing", name, nil)
	}
}

func (m *mutator) twoFiles() {
	names := m.log.names()
	for i, a := range names {
		for _, b := range names[i+1:] {
			if bytes.Equal(m.log[a], m.log[b]) {
				continue
			}
			m.log[a], m.log[b] = m.log[b], m.log[a]
			m.ask("two files swapped", a+" and "+b)
			m.log[a], m.log[b] = m.log[b], m.log[a]
		}
	}
}

// bundles are a log's records, by the bundles they lie in.
func bundles(f files) map[string][][]byte {
	found := make(map[string][][]byte)
	for name, data := range f {
		if t, err := parseTileName(name); err == nil && t.L < 0 {
			if leaves, err := splitBundle(t, data); err == nil {
				found[name] = leaves
			}
		}
	}
	return found
}

func joinBundle(leaves [][]byte) []byte {
	data := []byte{}
	for _, leaf := range leaves {
		data = append(append(data, byte(len(leaf)>>8), byte(len(leaf))), leaf...)
	}
	return data
}

func (m *mutator) records(every int) {
	for name, leaves := range bundles(m.log) {
		for i := 0; i < len(leaves); i += every {
			for j := i + 1; j < len(leaves); j += every {
				swapped := append([][]byte(nil), leaves...)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				m.try("two records swapped", name, joinBundle(swapped))
			}
			rest := append(append([][]byte(nil), leaves[:i]...), leaves[i+1:]...)
			m.try("a record left out", name, joinBundle(rest))
			m.try("a record at the end", name, joinBundle(append(rest, leaves[i])))
			m.try("a record twice", name, joinBundle(append(append(append([][]byte(nil), leaves[:i+1]...), leaves[i]), leaves[i+1:]...)))
		}
	}
}

// splice takes every file, and every record, of another log into the place of the own one.
func (m *mutator) splice(other files, every int) {
	for name, data := range other {
		m.try("a file of another log", name, data)
	}
	theirs := bundles(other)
	for name, leaves := range bundles(m.log) {
		for i := 0; i < len(leaves) && i < len(theirs[name]); i += every {
			mixed := append([][]byte(nil), leaves...)
			mixed[i] = theirs[name][i]
			m.try("a record of another log", name, joinBundle(mixed))
		}
	}
	// The whole of the other but for one file.
	mine := m.log
	for name, data := range mine {
		if bytes.Equal(other[name], data) {
			continue
		}
		m.log = make(files)
		for n, d := range other {
			m.log[n] = d
		}
		m.log[name] = data
		m.ask("another log with one file of this", name)
	}
	m.log = mine
}

func run(dir, vkey string, others []string, hashesOnly bool, every int) error {
	log, err := readFiles(dir)
	if err != nil {
		return err
	}
	m := &mutator{log: log, vkey: vkey, hashes: hashesOnly, counts: make(map[string]*tally)}
	if _, err := check(log, vkey, hashesOnly, nil); err != nil {
		return fmt.Errorf("the log itself is refused: %w", err)
	}
	m.bytes(every)
	m.twoFiles()
	m.records(every)
	for _, name := range others {
		other, err := readFiles(name)
		if err != nil {
			return err
		}
		m.splice(other, every)
	}
	if _, err := check(log, vkey, hashesOnly, nil); err != nil {
		return fmt.Errorf("the log itself is refused afterwards: %w", err)
	}
	var sum tally
	var said []string
	for _, way := range m.ways {
		count := m.counts[way]
		sum.tried += count.tried
		sum.caught += count.caught
		said = append(said, fmt.Sprintf("%s %d/%d", way, count.caught, count.tried))
	}
	fmt.Printf("%d tried, %d caught\n%s\n", sum.tried, sum.caught, strings.Join(said, ", "))
	if sum.tried == 0 || sum.tried != sum.caught {
		return fmt.Errorf("%d are not refused", sum.tried-sum.caught)
	}
	return nil
}

func main() {
	hashesOnly := flag.Bool("hashes-only", false, "the logs have no entry bundles")
	every := flag.Int("every", 1, "one byte, and one record, in so many")
	flag.Parse()
	if flag.NArg() < 2 || *every < 1 {
		fmt.Fprintln(os.Stderr, "usage: mutatelog [-hashes-only] [-every N] DIR VKEY OTHER...")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), flag.Arg(1), flag.Args()[2:], *hashesOnly, *every); err != nil {
		fmt.Fprintln(os.Stderr, "mutatelog:", err)
		os.Exit(1)
	}
}
