// Checkcosigned verifies a cosigned checkpoint with Go's own note package, which knows nothing of Kontor: the log's
// signature, and each witness's cosignature (C2SP tlog-cosignature, cosignature/v1) by a verifier written from that document.
//
//	checkcosigned FILE LOG-VKEY WITNESS-VKEY...
//
// It says when each witness signed and exits 0, or says what is wrong and exits 1.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time uint64
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	c.time = binary.BigEndian.Uint64(signature)
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", c.time, text)
	return c.time < 1<<63 && ed25519.Verify(c.key, []byte(message), signature[8:])
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("%s: not a verifier key", vkey)
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		return nil, fmt.Errorf("%s: not a witness's key", vkey)
	}
	sum := sha256.Sum256([]byte(parts[0] + "\n" + string(key)))
	c := &cosigner{name: parts[0], hash: binary.BigEndian.Uint32(sum[:]), key: key[1:]}
	if parts[1] != fmt.Sprintf("%08x", c.hash) {
		return nil, fmt.Errorf("%s: its key id does not belong to it", vkey)
	}
	return c, nil
}

func check(path, log string, witnesses []string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(log)
	if err != nil {
		return err
	}
	list := []note.Verifier{verifier}
	for _, vkey := range witnesses {
		c, err := newCosigner(vkey)
		if err != nil {
			return err
		}
		list = append(list, c)
	}
	opened, err := note.Open(text, note.VerifierList(list...))
	if err != nil {
		return err
	}
	// Package note takes a signature with any bits where base64 has some to spare; one signature has one spelling here.
	for _, signature := range opened.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return fmt.Errorf("the signature of %s: %v", signature.Name, err)
		}
	}
	if len(opened.Sigs) != len(list) {
		return fmt.Errorf("%d of %d signatures are there", len(opened.Sigs), len(list))
	}
	for _, v := range list[1:] {
		fmt.Printf("%s cosigned at %d\n", v.Name(), v.(*cosigner).time)
	}
	return nil
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: checkcosigned FILE LOG-VKEY WITNESS-VKEY...")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
