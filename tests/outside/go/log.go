package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What checklog and mutatelog share: a log in the C2SP tlog-tiles layout, in memory, and its judgement by Go's own note
// and tlog packages, which know nothing of Kontor.

const (
	height = 8
	width  = 1 << height
	sample = 200 // leaves and sizes to prove, at most
)

// tileName is the tile's path below DIR: as in package tlog, without the height.
func tileName(t tlog.Tile) string {
	number := fmt.Sprintf("%03d", t.N%1000)
	for n := t.N / 1000; n > 0; n /= 1000 {
		number = fmt.Sprintf("x%03d/%s", n%1000, number)
	}
	kind := "entries"
	if t.L >= 0 {
		kind = strconv.Itoa(t.L)
	}
	name := "tile/" + kind + "/" + number
	if t.W < width {
		name += fmt.Sprintf(".p/%d", t.W)
	}
	return name
}

// parseTileName is its inverse; only the very name that tileName gives is taken.
func parseTileName(name string) (tlog.Tile, error) {
	wrong := fmt.Errorf("%s: not the name of a tile", name)
	part := strings.Split(name, "/")
	if len(part) < 3 || part[0] != "tile" {
		return tlog.Tile{}, wrong
	}
	t := tlog.Tile{H: height, L: -1, W: width}
	var err error
	if part[1] != "entries" {
		if t.L, err = strconv.Atoi(part[1]); err != nil || t.L < 0 || t.L > 7 {
			return tlog.Tile{}, wrong
		}
	}
	part = part[2:]
	if last := len(part) - 1; last > 0 && strings.HasSuffix(part[last-1], ".p") {
		if t.W, err = strconv.Atoi(part[last]); err != nil || t.W < 1 || t.W >= width {
			return tlog.Tile{}, wrong
		}
		part = part[:last]
		part[last-1] = strings.TrimSuffix(part[last-1], ".p")
	}
	for _, group := range part {
		n, err := strconv.Atoi(strings.TrimPrefix(group, "x"))
		if err != nil || n < 0 || n > 999 || t.N > 1<<50 {
			return tlog.Tile{}, wrong
		}
		t.N = t.N*1000 + int64(n)
	}
	if tileName(t) != name {
		return tlog.Tile{}, wrong
	}
	return t, nil
}

// files are those of an exported log, by their paths below its directory. They are a tlog.TileReader.
type files map[string][]byte

func (f files) names() []string {
	var names []string
	for name := range f {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func readFiles(dir string) (files, error) {
	f := make(files)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil && (name == "checkpoint" || strings.HasPrefix(name, "tile/")) {
			f[name], err = os.ReadFile(path)
		}
		return err
	})
	return f, err
}

func (f files) read(t tlog.Tile) ([]byte, error) {
	data, found := f[tileName(t)]
	if !found {
		return nil, fmt.Errorf("%s: missing", tileName(t))
	}
	return data, nil
}

func (f files) Height() int { return height }

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		var err error
		if data[i], err = f.read(t); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// currentTiles are the tiles of a log of that size: all full ones, and the last of each level where it is not.
func currentTiles(size int64) []tlog.Tile {
	var tiles []tlog.Tile
	for level := 0; size > 0; level++ {
		for n := int64(0); n*width < size; n++ {
			t := tlog.Tile{H: height, L: level, N: n, W: width}
			if size-n*width < width {
				t.W = int(size - n*width)
			}
			tiles = append(tiles, t)
		}
		size >>= height
	}
	return tiles
}

// openCheckpoint checks the signature and reads origin, size and root.
func openCheckpoint(data []byte, vkey string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	// Package note takes a signature with any bits where base64 has some to spare; one signature has one spelling here.
	for _, signature := range append(opened.Sigs, opened.UnverifiedSigs...) {
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return tree, fmt.Errorf("checkpoint: signature: %w", err)
		}
	}
	line := strings.SplitN(opened.Text, "\n", 4)
	if len(line) < 4 {
		return tree, errors.New("checkpoint: fewer than three lines")
	}
	if line[0] != verifier.Name() {
		return tree, fmt.Errorf("checkpoint: origin %q, expected %q", line[0], verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(line[1], 10, 64); err != nil || strconv.FormatInt(tree.N, 10) != line[1] {
		return tree, fmt.Errorf("checkpoint: size %q", line[1])
	}
	tree.Hash, err = tlog.ParseHash(line[2])
	return tree, err
}

// splitBundle gives the leaves of a bundle, each behind its length in two bytes.
func splitBundle(t tlog.Tile, data []byte) ([][]byte, error) {
	var leaves [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(data[0])<<8|int(data[1]) {
			return nil, fmt.Errorf("%s: cut in leaf %d", tileName(t), len(leaves))
		}
		end := 2 + (int(data[0])<<8 | int(data[1]))
		leaves = append(leaves, data[2:end])
		data = data[end:]
	}
	if len(leaves) != t.W {
		return nil, fmt.Errorf("%s: %d leaves, expected %d", tileName(t), len(leaves), t.W)
	}
	return leaves, nil
}

// readLeaves gives the hash of each leaf, from its bytes or, where the log has none, from the tiles.
func readLeaves(f files, size int64, hashesOnly bool) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, t := range currentTiles(size) {
		if t.L != 0 {
			continue
		}
		if hashesOnly {
			data, err := f.read(t)
			if err != nil {
				return nil, err
			}
			if len(data) != t.W*tlog.HashSize {
				return nil, fmt.Errorf("%s: %d bytes, expected %d", tileName(t), len(data), t.W*tlog.HashSize)
			}
			for i := 0; i < t.W; i++ {
				var h tlog.Hash
				copy(h[:], data[i*tlog.HashSize:])
				hashes = append(hashes, h)
			}
			continue
		}
		t.L = -1
		data, err := f.read(t)
		if err != nil {
			return nil, err
		}
		leaves, err := splitBundle(t, data)
		if err != nil {
			return nil, err
		}
		for _, leaf := range leaves {
			hashes = append(hashes, tlog.RecordHash(leaf))
		}
	}
	if int64(len(hashes)) != size {
		return nil, fmt.Errorf("%d leaves, the checkpoint says %d", len(hashes), size)
	}
	return hashes, nil
}

// storedHashes are all nodes of the tree, in package tlog's order.
type storedHashes []tlog.Hash

func (s storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d is not in the tree", x)
		}
		hashes[i] = s[x]
	}
	return hashes, nil
}

func growTree(leaves []tlog.Hash) (storedHashes, error) {
	var stored storedHashes
	for i, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(i), leaf, stored)
		if err != nil {
			return nil, err
		}
		stored = append(stored, more...)
	}
	return stored, nil
}

// checkTiles compares every tile that must be there, and every other file that is, with the tree of the leaves. Partial
// tiles of earlier sizes may lie beside later ones.
func checkTiles(f files, size int64, stored storedHashes, hashesOnly bool) (full, partial int, err error) {
	needed := make(map[string]bool)
	for _, t := range currentTiles(size) {
		needed[tileName(t)] = true
	}
	for _, name := range f.names() {
		if name == "checkpoint" {
			continue
		}
		data := f[name]
		t, err := parseTileName(name)
		if err != nil {
			return full, partial, err
		}
		if t.L < 0 {
			if hashesOnly {
				return full, partial, fmt.Errorf("%s: a bundle in a log of hashes alone", name)
			}
			if err := checkBundle(t, data, size, stored); err != nil {
				return full, partial, err
			}
			continue
		}
		if t.N<<height+int64(t.W) > size>>(height*t.L) {
			return full, partial, fmt.Errorf("%s: beyond a tree of %d leaves", name, size)
		}
		expected, err := tlog.ReadTileData(t, stored)
		if err != nil {
			return full, partial, err
		}
		if !bytes.Equal(data, expected) {
			return full, partial, fmt.Errorf("%s: does not hold the hashes of its leaves", name)
		}
		delete(needed, name)
		if t.W == width {
			full++
		} else {
			partial++
		}
	}
	for name := range needed {
		return full, partial, fmt.Errorf("%s: missing", name)
	}
	return full, partial, nil
}

func checkBundle(t tlog.Tile, data []byte, size int64, stored storedHashes) error {
	leaves, err := splitBundle(t, data)
	if err != nil {
		return err
	}
	for i, leaf := range leaves {
		n := t.N*width + int64(i)
		if n >= size || stored[tlog.StoredHashIndex(0, n)] != tlog.RecordHash(leaf) {
			return fmt.Errorf("%s: leaf %d is not the log's", tileName(t), n)
		}
	}
	return nil
}

// samples are numbers below limit, the edges of tiles among them.
func samples(limit int64) []int64 {
	var chosen []int64
	seen := make(map[int64]bool)
	add := func(n int64) {
		if n >= 0 && n < limit && !seen[n] {
			seen[n] = true
			chosen = append(chosen, n)
		}
	}
	for _, n := range []int64{0, 1, 2, 255, 256, 257, 65535, 65536, limit / 2, limit - 2, limit - 1} {
		add(n)
	}
	for i := int64(0); i < sample; i++ {
		add(limit * i / sample)
	}
	return chosen
}

// checkProofs makes proofs from the tiles alone and checks them with the leaves.
func checkProofs(f files, tree tlog.Tree, leaves []tlog.Hash, stored storedHashes) (records, trees int, err error) {
	reader := tlog.TileHashReader(tree, f)
	for _, n := range samples(tree.N) {
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		if err != nil {
			return records, trees, fmt.Errorf("proof of leaf %d: %w", n, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaves[n]); err != nil {
			return records, trees, fmt.Errorf("proof of leaf %d: %w", n, err)
		}
		records++
	}
	for _, n := range samples(tree.N) {
		old := n + 1
		root, err := tlog.TreeHash(old, stored)
		if err != nil {
			return records, trees, err
		}
		proof, err := tlog.ProveTree(tree.N, old, reader)
		if err != nil {
			return records, trees, fmt.Errorf("proof from size %d: %w", old, err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, root); err != nil {
			return records, trees, fmt.Errorf("proof from size %d: %w", old, err)
		}
		trees++
	}
	return records, trees, nil
}

// checkSince proves from the tiles that the log extends an earlier checkpoint of it.
func checkSince(f files, tree tlog.Tree, since []byte, vkey string) error {
	old, err := openCheckpoint(since, vkey)
	if err != nil {
		return fmt.Errorf("the checkpoint kept: %w", err)
	}
	if old.N > tree.N {
		return fmt.Errorf("%d leaves, fewer than the %d of the checkpoint kept: the log was rolled back", tree.N, old.N)
	}
	if old.N == tree.N && old.Hash != tree.Hash {
		return errors.New("another root than that of the checkpoint kept, of the same size")
	}
	if old.N == tree.N || old.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, f))
	if err == nil {
		err = tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
	}
	if err != nil {
		return fmt.Errorf("does not extend the checkpoint kept, of %d leaves: %w", old.N, err)
	}
	return nil
}

// check judges the whole log: checkpoint, leaves, every tile, proofs of inclusion and of consistency, and that it extends
// the checkpoints kept. It gives what it counted.
func check(f files, vkey string, hashesOnly bool, since [][]byte) (string, error) {
	data, found := f["checkpoint"]
	if !found {
		return "", errors.New("checkpoint: missing")
	}
	tree, err := openCheckpoint(data, vkey)
	if err != nil {
		return "", err
	}
	leaves, err := readLeaves(f, tree.N, hashesOnly)
	if err != nil {
		return "", err
	}
	stored, err := growTree(leaves)
	if err != nil {
		return "", err
	}
	root := tlog.Hash(sha256.Sum256(nil)) // package tlog has another idea of the root of no leaves
	if tree.N > 0 {
		if root, err = tlog.TreeHash(tree.N, stored); err != nil {
			return "", err
		}
	}
	full, partial, err := checkTiles(f, tree.N, stored, hashesOnly)
	if err != nil {
		return "", err
	}
	if root != tree.Hash {
		return "", fmt.Errorf("the leaves have the root %v, the checkpoint says %v", root, tree.Hash)
	}
	for _, kept := range since {
		if err := checkSince(f, tree, kept, vkey); err != nil {
			return "", err
		}
	}
	records, trees, err := checkProofs(f, tree, leaves, stored)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("checkpoint holds; %d leaves, %d full and %d partial tiles, %d inclusion and %d consistency proofs",
		tree.N, full, partial, records, trees)
	if len(since) > 0 {
		said += fmt.Sprintf("; it extends %d checkpoints kept", len(since))
	}
	return said, nil
}
