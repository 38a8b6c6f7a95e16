#!/usr/bin/env python3
"""Reads a book as `kontor export tlog` wrote it, by storage/FORMAT.md alone, and checks what can be checked.

    read_book.py DIR --checkpoint FILE --balance FILE   DIR is the exported log, the files are what
                                                        `kontor checkpoint` and `kontor balance --json` print
    read_book.py --example storage/FORMAT.md            the worked example on that page

Python's standard library is enough; signatures are checked where the package `cryptography` is there, and where it is
not the last line says so. It shares nothing with the program but that page. Exit status: 0 all holds, 1 something does
not, 2 usage.
"""
import argparse
import base64
import json
import os
import re
import struct
import sys

from read_actors import ADMINISTER, CLOSE, REGISTER, VALUES, Access, without
from read_canonical import (Ed25519PublicKey, Reader, Wrong, check_signature, decode, is_count, is_number, need, sha256,
                            shape, tagged)


# ---- records

GENESIS, SEAL, PART, LONG, LOG_KEY = range(5)
ENTRY, ACCOUNT, CURRENCY, PERIOD, COMPANY, DIMENSION, PROPOSAL, REJECTION = range(1024, 1032)
ACTOR, GRANT, WITHDRAWAL, ROTATION, REVOCATION = range(9216, 9221)
# Rights that a kind asks for by itself; for others they hang on what the record says.
RIGHTS = {ACCOUNT: REGISTER, CURRENCY: VALUES, PERIOD: CLOSE, COMPANY: ADMINISTER, DIMENSION: VALUES}
KINDS = {*range(LOG_KEY + 1), *range(ENTRY, REJECTION + 1), *range(ACTOR, REVOCATION + 1)}
FIELDS = {1: str, 2: str, 3: str, 4: str, 5: list, 6: int, 7: bool, 8: bool, 9: int}  # of an entry
LINE_FIELDS = {1: str, 2: int, 3: str, 4: str, 5: str, 6: str, 7: list}


class Record:
    def __init__(self, data):
        need(len(data) <= 65535, "a record of more than 65,535 bytes")
        reader = Reader(data)
        need(reader.number(1) == 0x95, "no envelope of five")
        need(reader.value() == 1, "an envelope of another version")
        self.kind, self.version, self.date = reader.value(), reader.value(), reader.value()
        self.body_bytes = data[reader.at:]
        self.body = decode(self.body_bytes)
        self.check()

    def check(self):
        need(is_count(self.kind, 2**32 - 1) and is_number(self.date) and -2**31 <= self.date < 2**31,
             "a malformed envelope")
        need(self.kind in KINDS, f"kind {self.kind} is not known")
        versions = (1, 2) if self.kind in (ENTRY, COMPANY) else (1,)
        need(is_number(self.version) and self.version in versions, f"kind {self.kind} has no version {self.version!r}")


class Whole(Record):
    """A long record, put together from its parts."""

    def __init__(self, head, parts, leaves):
        need(shape(head.body, int, int, int, bytes), "a malformed long record")
        self.kind, self.version, size, hashes = head.body
        self.date = head.date
        need(self.kind >= 1024, "a long record of a kind of storage's")
        self.check()
        need(hashes and hashes == b"".join(leaves), "a long record whose parts are not those before it")
        for part in parts:
            need(isinstance(part.body, bytes) and part.date == head.date, "a malformed part")
        self.body_bytes = b"".join(part.body for part in parts)
        need(len(self.body_bytes) == size <= 120 * 1024 * 1024, "a long record of another size than it says")
        self.body = decode(self.body_bytes)


# ---- the book: what applying one record after another gives

class Book:
    def __init__(self):
        self.origin = None
        self.access, self.batch_ids, self.last_time = Access(), set(), None
        self.batch = {ENTRY: 0, PROPOSAL: 0}  # how many there are in the batch so far
        self.accounts, self.decimals, self.closed, self.currency, self.fiscal = {}, {}, {}, None, None
        self.values, self.reversed, self.entries = set(), {}, set()
        self.used = set()  # currencies posted or proposed in
        self.columns = {}  # (account, currency) -> [debit, credit, book debit, book credit, lines without book amount]
        self.counts = dict.fromkeys(("records", "batches", "entries", "long", "lines", "proposals"), 0)
        self.apply_kind = {ENTRY: self.entry, PROPOSAL: self.entry, ACCOUNT: self.account, CURRENCY: self.declare,
                           PERIOD: self.period, COMPANY: self.company, DIMENSION: self.dimension,
                           REJECTION: self.access.reject, ACTOR: self.access.add, GRANT: self.access.grant,
                           WITHDRAWAL: self.access.withdraw, REVOCATION: self.access.revoke,
                           ROTATION: lambda record, number: self.access.rotate(record, number, self.origin),
                           LOG_KEY: lambda record, number: self.access.log_key(record, number, self.origin)}

    def genesis(self, record):
        need(shape(record.body, int, int, bytes, str, str, bytes, bytes), "a malformed genesis")
        form, suite, book_id, _, self.origin, log_key, actor = record.body
        need(form == 1 and suite == 1, f"format {form}, suite {suite}")
        need(len(book_id) == 16 and len(log_key) == 32 and len(actor) == 32, "a malformed genesis")
        need(re.fullmatch(r"kontor/[a-z0-9-]+-" + book_id[:4].hex(), self.origin), "an origin that is not of this book")
        self.access.found(log_key, actor)

    def seal(self, record, number, first, leaves):
        need(shape(record.body, str, bytes, int, bytes, bytes, int, bool, bytes, int, int, int, int),
             "a malformed seal")
        batch, actor, count, content, signature, time, _, digest, *counts = record.body
        need(1 <= len(batch.encode()) <= 128 and all(map(is_count, counts)) and len(digest) in (0, 32),
             "a malformed seal")
        read, posted, rejected, _ = counts
        need(posted == self.batch[ENTRY] and read == posted + self.batch[PROPOSAL] + rejected,
             f"it counts {posted} of {read} entries posted, found {self.batch[ENTRY]}")
        need(count == number - first, f"it counts {count} records, found {number - first}")
        need(batch not in self.batch_ids, f"batch id {batch} comes twice")
        need(self.last_time is None or time >= self.last_time, "it is recorded before the seal before it")
        need(record.date == time // 86400000000, "its date is not the day it was recorded")
        runs = [sha256(b"".join(leaves[i:i + 256])) for i in range(0, len(leaves), 256)]
        need(sha256(b"".join(runs)) == content, f"the records of batch {batch} are not those that were signed")
        lines = ("kontor/batch/v1", self.origin, batch.encode().hex(), actor.hex(), str(count), content.hex())
        check_signature(actor, "".join(line + "\n" for line in lines).encode(), signature, f"batch {batch}")
        try:
            self.access.seal(actor)
        except Wrong as wrong:
            raise Wrong(f"batch {batch}: {wrong}") from None
        self.batch_ids.add(batch)
        self.batch = dict.fromkeys(self.batch, 0)
        self.last_time = time
        self.counts["batches"] += 1

    def apply(self, record, number):
        if record.kind in RIGHTS:
            self.access.ask(number, RIGHTS[record.kind])
        self.apply_kind[record.kind](record, number)

    def account(self, record, _):
        need(shape(record.body, str, str, int, str, str, int, int, int), "a malformed account")
        code, _, kind, parent, currency, rule, _, _ = record.body
        need(code and 0 <= kind <= 5 and 0 <= rule <= 2, "a malformed account")
        need(not parent or parent in self.accounts, f"account {code}: parent {parent} is not on record")
        need(not currency or currency in self.decimals, f"account {code}: currency {currency} is not on record")
        self.accounts[code] = record.body

    def declare(self, record, number):
        need(shape(record.body, str, int) and record.body[0] and 0 <= record.body[1] <= 18, "a malformed currency")
        code, decimals = record.body
        need(code not in self.used or self.decimals[code] == decimals,
             f"currency {code} is posted in and changes its decimals")
        if code == self.currency and self.decimals[code] != decimals:
            self.access.ask(number, ADMINISTER)
        self.decimals[code] = decimals

    def period(self, record, _):
        need(shape(record.body, int, bool, str), "a malformed period")
        month, closed, reason = record.body
        need(closed != self.closed.get(month, False) and (closed or reason), "a period closed or reopened out of order")
        self.closed[month] = closed

    def company(self, record, _):
        kept = [int] if record.version == 2 else []
        need(shape(record.body, int, int, *[str] * 7, *kept) and all(0 < years < 256 for years in record.body[9:]),
             "a malformed company")
        need(self.currency in (None, record.body[3]) and record.body[3] in self.decimals, "the book's currency changes")
        need(self.fiscal in (None, record.body[:2]) or not self.entries, "the fiscal year changes behind an entry")
        self.currency, self.fiscal = record.body[3], record.body[:2]

    def dimension(self, record, _):
        need(shape(record.body, int, str) and 1 <= record.body[0] <= 11 and record.body[1], "a malformed dimension")
        self.values.add(tuple(record.body))

    def entry(self, record, number):
        """An entry, or a proposal of one."""
        proposed = record.kind == PROPOSAL
        self.batch[record.kind] += 1
        fields = tagged(record.body, FIELDS, "the entry")
        need(5 in fields and fields.get(6, 1) >= 1 and fields.get(9, 1) >= 1,
             "an entry without lines, or that reverses or carries out nothing")
        need(record.version == (2 if 9 in fields else 1) and not (proposed and 9 in fields),
             "an entry's field 9 and its version differ")
        need(not self.closed.get(month_of(record.date), False), "an entry in a closed month")
        weights, book_amounts = {}, []
        for line in fields[5]:
            book_amounts.append(self.line(line, record.date, None if proposed else 8 in fields, weights))
        for currency, weight in weights.items():
            need(weight == 0, f"the entry is off by {weight} smallest units of {currency}")
        if 6 in fields:
            need(fields[6] in self.entries and fields[6] not in self.reversed,
                 f"what it reverses ({fields[6]}) is no entry, or reversed")
        plain = record.date, without(record.body_bytes, (7, 9))
        if proposed:
            self.access.propose(number, plain)
            self.counts["proposals"] += 1
            return
        if 9 in fields:
            self.access.approve(number, fields[9], plain)
        whole = None not in book_amounts
        self.access.entry(number, (sum(amount for amount in book_amounts if amount and amount > 0), whole,
                                   [line[0] for line in fields[5]], fields.get(1, "")), fields.get(9, 0))
        if 6 in fields:
            self.reversed[fields[6]] = number
        self.entries.add(number)
        self.counts["entries"] += 1

    def line(self, line, date, minus, weights):
        """Checks one, adds it up unless minus is None (it is proposed), and gives its book amount, or None."""
        need(isinstance(line, list) and len(line) >= 2 and shape(line[:2], str, int), "a malformed line")
        account, amount = line[:2]
        more = tagged(line[2:], LINE_FIELDS, "a line")
        need(account in self.accounts, f"account {account} is not on record")
        _, _, _, _, only, _, opened, closed = self.accounts[account]
        need((opened == -2**31 or date >= opened) and (closed == -2**31 or date < closed),
             f"account {account} is closed")
        currency = more.get(1, self.currency)
        need(currency in self.decimals and only in ("", currency), f"currency {currency} on account {account}")
        need(more.get(1) != self.currency and (3 not in more or 2 in more), "a line in another form than is stored")
        need(abs(amount) <= 10**30 and abs(more.get(2, 0)) <= 10**30, "an amount beyond 10^30")
        weighs, weight = currency, amount
        if 2 in more:
            weighs, weight = more.get(3, self.currency), more[2]
            need(currency not in (self.currency, weighs) and weighs in self.decimals, "a cost where none can be")
            need(weight * amount >= 0, "a cost of another sign than its amount")
        weights[weighs] = weights.get(weighs, 0) + weight
        pairs = more.get(7, [])
        need(len(pairs) % 2 == 0 and pairs[::2] == sorted(set(pairs[::2])), "dimensions that do not rise")
        need(all(pair in self.values for pair in zip(pairs[::2], pairs[1::2])), "a dimension that is not on record")
        book = weight if weighs == self.currency else None
        self.used |= {currency, weighs}
        if minus is None:
            return book
        column = 0 if (amount > 0) != minus else 1
        sign = 1 - 2 * column
        sums = self.columns.setdefault((account, currency), [0, 0, 0, 0, 0])
        sums[column] += sign * amount
        sums[2 + column] += sign * (book or 0)
        sums[4] += book is None
        self.counts["lines"] += 1
        return book


def month_of(day):
    """Months since January 1970 of a day since 1970-01-01 (days of 400 years counted from 0000-03-01)."""
    era, left = divmod(day + 719468, 146097)
    year = (left - left // 1460 + left // 36524 - left // 146096) // 365
    of_year = left - (365 * year + year // 4 - year // 100)
    march = (5 * of_year + 2) // 153
    return (era * 400 + year - 1970) * 12 + march + 2


# ---- the tree and the exported files

def root_of(leaves):
    """RFC 6962, section 2.1, from the left: full subtrees that grow, then joined from the right."""
    if not leaves:
        return sha256(b"")
    roots = []
    for i, leaf in enumerate(leaves):
        while i & 1:
            leaf = sha256(b"\1" + roots.pop() + leaf)
            i >>= 1
        roots.append(leaf)
    root = roots.pop()
    while roots:
        root = sha256(b"\1" + roots.pop() + root)
    return root


def path_of(kind, index, width):
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{kind}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def read(directory, path):
    with open(os.path.join(directory, path), "rb") as file:
        return file.read()


def tiles(count):
    for index in range((count + 255) // 256):
        yield index, min(256, count - 256 * index)


def read_records(directory, size):
    records = []
    for index, width in tiles(size):
        path = path_of("entries", index, width)
        data, at = read(directory, path), 0
        for _ in range(width):
            need(len(data) - at >= 2, f"{path}: cut short")
            length = struct.unpack_from(">H", data, at)[0]
            need(len(data) - at - 2 >= length, f"{path}: cut short")
            records.append(data[at + 2:at + 2 + length])
            at += 2 + length
        need(at == len(data), f"{path}: bytes behind the last record")
    return records


def check_tiles(directory, leaves):
    level, hashes, files = 0, leaves, 0
    while hashes:
        for index, width in tiles(len(hashes)):
            path = path_of(level, index, width)
            need(read(directory, path) == b"".join(hashes[256 * index:256 * index + width]),
                 f"{path}: not the hashes of the records")
            files += 1 + (level == 0)
        hashes = [root_of(hashes[i:i + 256]) for i in range(0, len(hashes) - 255, 256)]
        level += 1
    there = sum(len(names) for _, _, names in os.walk(os.path.join(directory, "tile")))
    need(there == files, f"{there} files below tile/, expected {files}")


def read_note(note):
    match = re.fullmatch(rb"(([^\n]+)\n(0|[1-9][0-9]*)\n([^\n]+)\n)\n\xe2\x80\x94 ([^\n ]+) ([^\n]+)\n", note)
    need(match, "the checkpoint is no note of three lines and one signature")
    text, origin, size, root, name, signature = match.groups()
    return text, origin, int(size), base64.b64decode(root, validate=True), name, base64.b64decode(signature,
                                                                                                  validate=True)


def check_note(note, book, leaves):
    text, origin, size, root, name, signature = read_note(note)
    need(origin == name == book.origin.encode(), "the checkpoint is of another book")
    need(size == len(leaves) and root == root_of(leaves), "the checkpoint is not of these records")
    log_key = book.access.log_key_of(size)
    key_id = sha256(origin + b"\n\1" + log_key)[:4]
    need(signature[:4] == key_id, "the checkpoint is signed by another key")
    check_signature(log_key, text, signature[4:], "the checkpoint")


def walk(records):
    """Applies all; gives the book and the leaf hashes."""
    book, leaves, parts = Book(), [], []
    first = 0
    for number, data in enumerate(records):
        try:
            record = Record(data)
            leaf = sha256(b"\0" + data)
            need((record.kind == GENESIS) == (number == 0), "a genesis out of place")
            need(not parts or record.kind in (PART, LONG), "parts that no long record claims")
            if record.kind == GENESIS:
                book.genesis(record)
            elif record.kind == SEAL:
                book.seal(record, number, first, leaves[first:])
                first = number + 1
            elif record.kind == PART:
                parts.append(record)
            else:
                if record.kind == LONG:
                    record = Whole(record, parts, leaves[number - len(parts):])
                    parts = []
                    book.counts["long"] += 1
                book.apply(record, number)
            leaves.append(leaf)
        except Wrong as wrong:
            raise Wrong(f"record {number}: {wrong}") from None
    need(records and first == len(records), "the last record is no seal")
    book.counts["records"] = len(records)
    return book, leaves


# ---- the trial balance

def decimal(units, decimals):
    text = f"{abs(units):0{decimals + 1}}"
    whole, part = (text[:-decimals], text[-decimals:]) if decimals else (text, "")
    return ("-" if units < 0 else "") + whole + ("." + part if part else "")


def check_balance(book, rows):
    types = ("unclassified", "asset", "liability", "equity", "income", "expense")
    found = {(row["account"], row["currency"]): row for row in rows}
    need(len(found) == len(rows) and found.keys() == book.columns.keys(),
         "the trial balance is of other accounts and currencies")
    for (account, currency), (debit, credit, book_debit, book_credit, without) in book.columns.items():
        row, own, books = found[account, currency], book.decimals[currency], book.decimals[book.currency]
        expected = {"name": book.accounts[account][1], "type": types[book.accounts[account][2]],
                    "debit": decimal(debit, own), "credit": decimal(credit, own), "balance": decimal(debit - credit,
                                                                                                     own),
                    "book_debit": decimal(book_debit, books), "book_credit": decimal(book_credit, books),
                    "book_balance": decimal(book_debit - book_credit, books)}
        for field, value in expected.items():
            if field.startswith("book_") and without:
                value = None
            if field in row or not field.startswith("book_"):
                need(row[field] == value,
                     f"balance of {account} in {currency}: {field} is {row[field]}, the entries give {value}")


def example(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    blocks = re.findall(r"(?:^    [0-9a-f ]+\n)+", text.split("<!-- read_book.py --example", 1)[1], re.M)
    data, leaf = bytes.fromhex(blocks[0]), bytes.fromhex(blocks[1])
    need(sha256(b"\0" + data) == leaf, f"{path}: the example's leaf hash is not that of its bytes")
    record = Record(data)
    need(record.kind == ENTRY and record.date == 19728 and record.body[0:2] == [2, "INV-0002"],
         f"{path}: the example says something else")
    print(f"the example of {path} holds: {record.body}")


def main():
    parser = argparse.ArgumentParser(description="reads an exported book by storage/FORMAT.md alone")
    parser.add_argument("directory", nargs="?")
    parser.add_argument("--checkpoint")
    parser.add_argument("--balance")
    parser.add_argument("--example")
    arguments = parser.parse_args()
    if (arguments.directory is None) == (arguments.example is None):
        parser.error("expected a directory, or --example")
    try:
        if arguments.example:
            example(arguments.example)
            return 0
        note = read(arguments.directory, "checkpoint")
        book, leaves = walk(read_records(arguments.directory, read_note(note)[2]))
        check_tiles(arguments.directory, leaves)
        check_note(note, book, leaves)
        if arguments.checkpoint:
            need(read(".", arguments.checkpoint) == note, "`kontor checkpoint` and the exported checkpoint differ")
        if arguments.balance:
            check_balance(book, json.loads(read(".", arguments.balance)))
    except (Wrong, OSError, ValueError) as wrong:
        print(f"{arguments.directory or arguments.example}: {wrong}", file=sys.stderr)
        return 1
    print(f"{book.origin}: " + ", ".join(f"{count} {what}" for what, count in book.counts.items()) +
          ": all holds" + ("" if Ed25519PublicKey else
                           " but signatures, which were not checked: no python3-cryptography"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
