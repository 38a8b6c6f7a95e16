// Checkproof verifies a proof of C2SP tlog-proof, or one of Kontor's between two checkpoints, with Go's own note and tlog
// packages, which know nothing of Kontor. Written from storage/FORMAT.md alone.
//
//	checkproof FILE VKEY
//
// It says what is proved and exits 0, or says what is wrong and exits 1.
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// openCheckpoint checks the signature and reads size and root.
func openCheckpoint(text, vkey string) (tree tlog.Tree, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	line := strings.SplitN(opened.Text, "\n", 4)
	if len(line) < 4 || line[0] != verifier.Name() {
		return tree, errors.New("checkpoint: not of this log")
	}
	if tree.N, err = strconv.ParseInt(line[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(line[2])
	return tree, err
}

// packed is a reader of the little msgpack there is in extra data: arrays, whole numbers and bytes.
type packed []byte

func (p *packed) number(bytes int) (n int) {
	if len(*p) < bytes {
		panic("extra: cut off")
	}
	for _, b := range (*p)[:bytes] {
		n = n<<8 | int(b)
	}
	*p = (*p)[bytes:]
	return n
}

func (p *packed) array() int {
	switch head := p.number(1); {
	case head>>4 == 9:
		return head & 15
	case head == 0xdc:
		return p.number(2)
	default:
		panic("extra: expected an array")
	}
}

func (p *packed) uint() int {
	switch head := p.number(1); {
	case head < 0x80:
		return head
	case head >= 0xcc && head <= 0xcf:
		return p.number(1 << (head - 0xcc))
	default:
		panic("extra: expected a number")
	}
}

func (p *packed) bytes() []byte {
	head := p.number(1)
	if head < 0xc4 || head > 0xc6 {
		panic("extra: expected bytes")
	}
	n := p.number(1 << (head - 0xc4))
	if len(*p) < n {
		panic("extra: cut off")
	}
	found := (*p)[:n]
	*p = (*p)[n:]
	return found
}

func readHashes(lines []string) (hashes []tlog.Hash, err error) {
	for _, line := range lines {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

// checkParts compares the leaf hashes that the head of a long record lists with those of its parts.
func checkParts(head []byte, parts [][]byte) error {
	p := packed(head)
	if p.array() != 5 || p.uint() != 1 || p.uint() != 3 || p.uint() != 1 {
		return errors.New("records stand before one that is not long")
	}
	p.uint() // its day
	if p.array() != 4 {
		return errors.New("a long record's head is malformed")
	}
	p.uint() // kind, version and size of the whole
	p.uint()
	p.uint()
	listed := p.bytes()
	if len(p) != 0 || len(listed) != len(parts)*tlog.HashSize {
		return errors.New("a long record lists more or fewer parts")
	}
	for i, part := range parts {
		h := tlog.RecordHash(part)
		if string(h[:]) != string(listed[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
			return fmt.Errorf("part %d is not the one that is listed", i)
		}
	}
	return nil
}

func checkInclusion(lines []string, checkpoint, vkey string) error {
	extra, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	hashes, err := readHashes(lines[3:])
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(checkpoint, vkey)
	if err != nil {
		return err
	}
	p := packed(extra)
	if p.array() != 3 || p.uint() != 1 {
		return errors.New("extra: of another version")
	}
	var records [][]byte
	for n := p.array(); n > 0; n-- {
		records = append(records, p.bytes())
	}
	parts := len(records) - 1
	record := records[parts]
	if err := tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(record)); err != nil {
		return err
	}
	if parts > 0 {
		if err := checkParts(record, records[:parts]); err != nil {
			return err
		}
	}
	beside := p.array()
	for i := 0; i < beside; i++ {
		if p.array() != 3 {
			return errors.New("extra: a record beside it is malformed")
		}
		number, other, path := p.uint(), p.bytes(), p.bytes()
		var proof []tlog.Hash
		for ; len(path) >= tlog.HashSize; path = path[tlog.HashSize:] {
			var h tlog.Hash
			copy(h[:], path)
			proof = append(proof, h)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(number), tlog.RecordHash(other)); err != nil {
			return fmt.Errorf("record %d beside it: %w", number, err)
		}
	}
	if len(p) != 0 {
		return errors.New("extra: something stands behind it")
	}
	fmt.Printf("record %d of %d, %d parts, %d records beside it\n", index, tree.N, parts, beside)
	return nil
}

func checkConsistency(lines []string, notes, vkey string) error {
	hashes, err := readHashes(lines[1:])
	if err != nil {
		return err
	}
	part := strings.SplitN(notes, "\n\n", 3) // text, signatures, and the newer note
	if len(part) < 3 {
		return errors.New("expected two checkpoints")
	}
	older, err := openCheckpoint(part[0]+"\n\n"+part[1]+"\n", vkey)
	if err != nil {
		return fmt.Errorf("older: %w", err)
	}
	newer, err := openCheckpoint(part[2], vkey)
	if err != nil {
		return fmt.Errorf("newer: %w", err)
	}
	if older.N == newer.N {
		if older.Hash != newer.Hash || len(hashes) != 0 {
			return errors.New("two roots of one size")
		}
	} else if err := tlog.CheckTree(hashes, newer.N, newer.Hash, older.N, older.Hash); err != nil {
		return err
	}
	fmt.Printf("%d records extend %d\n", newer.N, older.N)
	return nil
}

func check(file, vkey string) (err error) {
	defer func() {
		if found := recover(); found != nil {
			err = fmt.Errorf("%v", found)
		}
	}()
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, found := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	switch {
	case found && lines[0] == "c2sp.org/tlog-proof@v1" && len(lines) > 2:
		return checkInclusion(lines, rest, vkey)
	case found && lines[0] == "kontor/consistency/v1":
		return checkConsistency(lines, rest, vkey)
	}
	return errors.New("not a proof")
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: checkproof FILE VKEY")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
