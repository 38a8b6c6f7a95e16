#!/usr/bin/env python3
"""Checks what is signed in a book of any size, from its hashes alone, with the package `cryptography`.

    check_signatures.py VKEY LOG CHECKPOINT... --seals PROOF...

LOG is what `kontor export tlog --hashes-only` wrote. Each CHECKPOINT must be signed by the log key in VKEY. Each PROOF is what
`kontor prove` printed of a seal: its record must be the leaf that the log has there, the hashes of its batch's records,
which the log has too, must give the content that it says, and the maker's key must have signed that. Written from
storage/FORMAT.md alone. Exit status: 0 all holds, 1 something does not, 77 no cryptography here.
"""
import argparse
import base64
import os
import sys

sys.dont_write_bytecode = True
from read_book import SEAL, Record, path_of, read, read_note
from read_canonical import Ed25519PublicKey, Reader, Wrong, check_signature, need, sha256, shape


def read_key(vkey):
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    need(len(key) == 33 and key[0] == 1, "the key is no Ed25519 verifier")
    need(sha256(name.encode() + b"\n" + key)[:4].hex() == key_id, "the key's id is not its own")
    return name.encode(), key[1:], bytes.fromhex(key_id)


def check_checkpoint(note, vkey):
    name, key, key_id = read_key(vkey)
    text, origin, size, root, signer, signature = read_note(note)
    need(origin == name == signer and signature[:4] == key_id, "the checkpoint is of another log")
    check_signature(key, text, signature[4:], "the checkpoint")
    return size


class Leaves:
    """The leaf hashes of a log of that size, read as they are asked for."""

    def __init__(self, directory, size):
        self.directory, self.size, self.index, self.tile = directory, size, -1, b""

    def __getitem__(self, number):
        if number // 256 != self.index:
            self.index = number // 256
            width = min(256, self.size - 256 * self.index)
            self.tile = read(self.directory, path_of(0, self.index, width))
            need(len(self.tile) == 32 * width, "a tile of a wrong size")
        return self.tile[number % 256 * 32:number % 256 * 32 + 32]


def check_seal(proof, vkey, leaves):
    """Returns how many records the seal is of."""
    head, _, note = proof.partition(b"\n\n")
    lines = head.split(b"\n")
    need(lines[0] == b"c2sp.org/tlog-proof@v1" and lines[1].startswith(b"extra ") and lines[2].startswith(b"index "),
         "not a proof with its record")
    check_checkpoint(note, vkey)
    number = int(lines[2][6:])
    extra = Reader(base64.b64decode(lines[1][6:], validate=True)).value()
    need(extra[0] == 1 and len(extra[1]) == 1 and number < leaves.size, "not the proof of a seal of this log")
    record = Record(extra[1][0])
    need(leaves[number] == sha256(b"\0" + extra[1][0]), f"record {number} is not the leaf that the log has there")
    need(record.kind == SEAL and shape(record.body, str, bytes, int, bytes, bytes, int, bool, bytes, int, int, int,
                                       int), f"record {number} is no seal")
    batch, actor, count, content, signature = record.body[:5]
    need(count <= number, f"record {number} seals more than there is before it")
    runs = [b"".join(leaves[n] for n in range(at, min(at + 256, number))) for at in range(number - count, number, 256)]
    need(sha256(b"".join(map(sha256, runs))) == content, f"record {number}: its batch is not what was signed")
    text = ("kontor/batch/v1", vkey.split("+", 1)[0], batch.encode().hex(), actor.hex(), str(count), content.hex())
    check_signature(actor, "".join(line + "\n" for line in text).encode(), signature, f"the batch that {number} seals")
    return count


def main():
    parser = argparse.ArgumentParser(description="checks a book's signatures from its hashes alone")
    parser.add_argument("vkey")
    parser.add_argument("log")
    parser.add_argument("checkpoints", nargs="*")
    parser.add_argument("--seals", nargs="*", default=[])
    arguments = parser.parse_args()
    if Ed25519PublicKey is None:
        print("no python3-cryptography here", file=sys.stderr)
        return 77
    sealed = 0
    try:
        size = check_checkpoint(read(arguments.log, "checkpoint"), arguments.vkey)
        for path in arguments.checkpoints:
            try:
                need(check_checkpoint(read(".", path), arguments.vkey) <= size, "it is newer than the log")
            except Wrong as wrong:
                raise Wrong(f"{path}: {wrong}") from None
        for path in arguments.seals:
            sealed += check_seal(read(".", path), arguments.vkey, Leaves(arguments.log, size))
    except (Wrong, OSError, ValueError, IndexError) as wrong:
        print(f"{os.path.basename(sys.argv[0])}: {wrong}", file=sys.stderr)
        return 1
    print(f"{len(arguments.checkpoints) + 1} checkpoints and {len(arguments.seals)} batches of {sealed} records in all are "
          f"signed, in a log of {size}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
