#!/usr/bin/env python3
"""Works out, by storage/FORMAT.md alone, every byte that a store must hold for the records of a book, and compares.

    read_state.py DUMP DIR      DUMP: a line `table key value` for each stored row, in hexadecimal;
                                DIR: what `kontor export tlog` wrote of the same book

Nothing is shared with the program but that page. Exit status: 0 every byte is the same, 1 not.
"""
import base64
import datetime
import struct
import sys

from read_actors import Access, without
from read_book import (ACCOUNT, ACTOR, COMPANY, CURRENCY, DIMENSION, ENTRY, FIELDS, GENESIS, GRANT, LINE_FIELDS,
                       LOG_KEY, LONG, PART, PERIOD, PROPOSAL, REJECTION, REVOCATION, ROTATION, SEAL, WITHDRAWAL, Record,
                       Whole, month_of, read, read_note, read_records, root_of)
from read_canonical import check_signature, sha256, tagged

TABLES = ("meta blocks tiles heads undo actors batches seals totals accounts account_facts currencies periods company "
          "dimensions dimension_sets vouchers reversals runs cells lists grants proposals log_keys").split()


def crc_table():
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82f63b78 if value & 1 else 0)
        yield value


CRC = list(crc_table())


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = CRC[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xffffffff


def le(form, *values):
    return struct.pack("<" + form, *values)


def be(form, *values):
    return struct.pack(">" + form, *values)


def by_order(value):
    return be("I", (value & 0xffffffff) ^ 0x80000000)


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def zigzag(value):
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def pack(value):
    """Canonical msgpack of what a row of state holds."""
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, list):
        return (bytes([0x90 | len(value)]) if len(value) < 16 else b"\xdc" +
                be("H", len(value))) + b"".join(map(pack, value))
    if isinstance(value, str):
        text = value.encode()
        head = bytes([0xa0 | len(text)]) if len(text) < 32 else bytes([0xd9, len(text)]) if len(text) < 256 else None
        return (head or b"\xda" + be("H", len(text))) + text
    if -32 <= value < 128:
        return struct.pack("b", value)
    if not -2**63 <= value < 2**64:
        return b"\xd8\x01" + value.to_bytes(16, "big", signed=True)
    forms = ((0xcc, "B", 8), (0xcd, "H", 16), (0xce, "I", 32), (0xcf, "Q", 64)) if value > 0 else \
        ((0xd0, "b", 7), (0xd1, "h", 15), (0xd2, "i", 31), (0xd3, "q", 63))
    return next(bytes([head]) + be(form, value) for head, form, bits in forms if -(1 << bits) <= value < 1 << bits)


class State:
    """table -> key -> the value's bytes; and what applying needs to remember."""

    def __init__(self):
        self.rows = {table: {} for table in TABLES}
        self.accounts, self.currencies, self.sets, self.vouchers = {}, {}, {}, {}
        self.account_records, self.currency_records, self.posted = {}, {}, set()
        self.book = self.fiscal = None
        self.entries, self.days, self.lines = 0, [], []
        self.last_seal = None
        self.access = Access()

    def put(self, table, key, value):
        self.rows[table][key] = value

    def genesis(self, record, _):
        self.origin, log_key, actor = record.body[4:]
        self.access.found(log_key, actor)
        self.put("grants", b"owner\0\1" + be("Q", 0), b"\0" + pack([0, [], []]))

    def grant(self, record, number):
        actor, role, limits = record.body
        self.access.grant(record, number)
        self.put("grants", actor.encode() + bytes([0, role]) + be("Q", number), b"\0" + pack(limits))

    def withdraw(self, record, number):
        actor, role, _ = record.body
        self.access.withdraw(record, number)
        self.put("grants", actor.encode() + bytes([0, role]) + be("Q", number), b"\1")

    def rotate(self, record, number):
        self.access.rotate(record, number, self.origin)

    def log_key(self, record, number):
        self.access.log_key(record, number, self.origin)

    def propose(self, record, number):
        self.access.propose(number, (record.date, without(record.body_bytes, (7, 9))))
        for line in tagged(record.body, FIELDS, "proposal")[5]:
            self.weighs(line, tagged(line[2:], LINE_FIELDS, "line"))

    def put_access(self):
        for key, at in self.access.keys.items():
            self.put("actors", key, le("QQBB", at.since, at.until, at.revoked, len(at.actor.encode())) +
                     at.actor.encode() + at.reason.encode())
        for number, ((date, plain), status, decided, _, key) in self.access.proposals.items():
            record = b"\x95\x01" + pack(ENTRY) + b"\x01" + pack(date) + plain
            self.put("proposals", be("Q", number), le("BBQ", status, 1, decided) + key + sha256(record))
        for number, key in self.access.log_keys.items():
            self.put("log_keys", be("Q", number), key)

    def seal(self, record, number, first):
        batch, actor, _, _, _, time, behind, digest, *counts, _ = record.body
        self.put("batches", batch.encode(), be("Q", number))
        self.put("seals", be("Q", number), le("QqQQQBB8x", first, time, *counts, len(digest) == 32, behind) +
                 digest.ljust(32, b"\0") + actor + batch.encode())
        self.access.seal(actor)
        self.last_seal = record.body

    def account(self, record, number):
        code = record.body[0]
        self.accounts.setdefault(code, len(self.accounts) + 1)
        self.account_records[code] = number, record.body
        self.put("account_facts", be("IQ", self.accounts[code], number), record.body_bytes)

    def currency(self, record, number):
        self.currencies.setdefault(record.body[0], len(self.currencies) + 1)
        if self.currency_records.get(record.body[0], (0, None))[1] != record.body[1]:
            self.currency_records[record.body[0]] = number, record.body[1]

    def period(self, record, number):
        month, closed, reason = record.body
        self.put("periods", by_order(month) + number.to_bytes(8, "big"), le("B", closed) + reason.encode())

    def company(self, record, number):
        self.put("company", by_order(record.date) + be("Q", number), record.body_bytes)
        self.fiscal, self.book = tuple(record.body[0:2]), record.body[3]

    def dimension(self, record, number):
        self.put("dimensions", bytes([0, record.body[0]]) + record.body[1].encode(), le("Q", number))

    def entry(self, record, number):
        fields = tagged(record.body, FIELDS, "entry")
        civil = datetime.date.fromordinal(record.date + 719163)
        self.entries += 1
        self.days.append(record.date)
        for index, line in enumerate(fields[5]):
            more = tagged(line[2:], LINE_FIELDS, "line")
            pairs = pack(more[7]) if 7 in more else None
            group = 0 if pairs is None else self.sets.setdefault(pairs, len(self.sets) + 1)
            currency, weighs, weight = self.weighs(line, more)
            key = self.accounts[line[0]], self.currencies[currency], group, month_of(record.date)
            self.lines.append((number, key, (index, civil.day - 1, line[1], weight if weighs == self.book else None,
                                             currency != self.book, 8 in fields)))
        if 2 in fields and 7 not in fields:
            year = civil.year - ((civil.month, civil.day) < self.fiscal)
            self.voucher(year, fields.get(1, "").encode(), fields[2].encode())
        if 6 in fields:
            self.put("reversals", be("Q", fields[6]), le("Q", number))
        if 9 in fields:
            self.access.decide(number, fields[9], 1)

    def weighs(self, line, more):
        """A line's currency, that of its weight, and the weight; all of them are posted in."""
        currency = more.get(1, self.book)
        weighs, weight = (more.get(3, self.book), more[2]) if 2 in more else (currency, line[1])
        self.posted |= {currency, weighs}
        return currency, weighs, weight

    def voucher(self, year, series, voucher):
        digits = 0
        while digits < min(18, len(voucher)) and voucher[-1 - digits:][:1].isdigit():
            digits += 1
        prefix, number = voucher[:len(voucher) - digits], voucher[len(voucher) - digits:]
        width = 255 if digits == 0 else digits if number[:1] == b"0" else 0
        number = int(number or b"0")
        key = by_order(year) + bytes([len(series)]) + series + bytes([len(prefix)]) + prefix + bytes([width])
        self.vouchers.setdefault(key + be("Q", number // 512), set()).add(number % 512)

    def finish(self):
        days = (min(self.days), max(self.days)) if self.days else (-2**31, -2**31)
        if self.entries:
            self.put("totals", b"ledger", le("QQii", self.entries, len(self.lines), *days))
        for name, form, count in (("accounts", "I", self.accounts), ("currencies", "H", self.currencies),
                                  ("dimensions", "I", self.sets)):
            if count:
                self.put("totals", name.encode(), le(form, len(count)))
        for code, (number, body) in self.account_records.items():
            self.put("accounts", code.encode(),
                     pack([self.accounts[code], number] + body[1:]))
        for code, (number, decimals) in self.currency_records.items():
            self.put("currencies", code.encode(),
                     le("HBBQ", self.currencies[code], decimals, code in self.posted, number))
        self.put_access()
        for pairs, number in self.sets.items():
            self.put("dimensions", b"\1" + pairs, le("I", number))
            self.put("dimension_sets", be("I", number), pairs)
        for key, used in self.vouchers.items():
            bits = bytes(sum(1 << bit for bit in range(8) if 8 * at + bit in used) for at in range(64))
            self.put("vouchers", key, bits if len(used) > 16 else b"".join(le("H", number) for number in sorted(used)))


def block(first, records):
    table = b"".join(le("HI", len(record), crc32c(be("Q", first + i) + record)) for i, record in enumerate(records))
    groups, offset = b"", 0
    for at in range(0, len(records), 64):
        groups += le("II", offset, crc32c(table[6 * at:6 * (at + 64)]))
        offset += sum(map(len, records[at:at + 64]))
    head = le("II", len(records), offset) + groups
    return head, head + table + b"".join(records)


def write_run(state, run):
    """Cells and lists of a run, as rows; gives its line of the manifest."""
    stream, pieces = b"", []
    for key in sorted(run["cells"]):
        lines, listed, last = run["cells"][key], b"", run["first"]
        debit = credit = book_debit = book_credit = without = 0
        for number, (index, day, amount, book, foreign, minus) in lines:
            flags = day | foreign << 5 | (book is None) << 6 | minus << 7
            listed += varint(number - last) + varint(index) + bytes([flags]) + zigzag(amount)
            listed += zigzag(book) if foreign and book is not None else b""
            last = number
            without += book is None
            if (amount > 0) != minus:
                debit, book_debit = debit + amount, book_debit + (book or 0)
            else:
                credit, book_credit = credit - amount, book_credit - (book or 0)
        account, currency, group, month = key
        if not pieces or 16363 - len(pieces[-1][1]) < 256:
            pieces.append([be("IHI", account, currency, group) + by_order(month), le("Q", len(stream))])
            before = (0, 0)
        single = len(lines) == 1
        cell = varint(account - before[0]) + varint(4 * currency + 2 * single + foreign) + varint(group) + \
            zigzag(month - before[1]) + varint(len(listed))
        if not single:
            cell += varint(len(lines)) + varint(last - run["first"]) + zigzag(debit) + zigzag(credit)
            cell += varint(without) + zigzag(book_debit) + zigzag(book_credit) if foreign else b""
        before = (account, month)
        pieces[-1][1] += cell
        stream += listed
    for key, value in pieces:
        state.put("cells", be("Q", run["number"]) + key, value)
    for piece, at in enumerate(range(0, len(stream), 32747)):
        state.put("lists", be("QQ", run["number"], piece), stream[at:at + 32747])
    return le("QQQQQQBB", run["number"], run["first"], run["end"], sum(map(len, run["cells"].values())),
              len(run["cells"]), len(stream), run["level"], 3)


def make_runs(state, spans):
    runs, number, left = [], 1, iter(state.lines + [(2**64, None, None)])
    line = next(left)
    for first, end in spans:
        cells = {}
        while line[0] < end:
            cells.setdefault(line[1], []).append((line[0], line[2]))
            line = next(left)
        if not cells:
            continue
        runs.append({"number": number, "first": first, "end": end, "level": 0, "cells": cells})
        number += 1
        while True:
            full = [level for level in range(32) if sum(run["level"] == level for run in runs) >= 16]
            if not full:
                break
            merged = [run for run in runs if run["level"] == full[0]][:16]
            cells = {}
            for run in merged:
                for key, lines in run["cells"].items():
                    cells.setdefault(key, []).extend(lines)
            runs = [run for run in runs if run not in merged]
            runs.append({"number": number, "first": merged[0]["first"], "end": merged[-1]["end"], "level": full[0] + 1,
                         "cells": cells})
            number += 1
    if number > 1:
        state.put("runs", b"manifest", le("Q", number) + b"".join([write_run(state, run) for run in runs]))
    return max((run["level"] for run in runs), default=-1)


def apply_all(state, records):
    kinds = {GENESIS: state.genesis, ACCOUNT: state.account, CURRENCY: state.currency, PERIOD: state.period,
             COMPANY: state.company, DIMENSION: state.dimension, ENTRY: state.entry, PROPOSAL: state.propose,
             REJECTION: state.access.reject, ACTOR: state.access.add, GRANT: state.grant, WITHDRAWAL: state.withdraw,
             ROTATION: state.rotate, REVOCATION: state.access.revoke, LOG_KEY: state.log_key}
    leaves, parts, first = [], [], 0
    for number, data in enumerate(records):
        record = Record(data)
        leaves.append(sha256(b"\0" + data))
        if record.kind == SEAL:
            state.seal(record, number, first)
            first = number + 1
        elif record.kind == PART:
            parts.append(record)
        else:
            if record.kind == LONG:
                record, parts = Whole(record, parts, leaves[number - len(parts):number]), []
            kinds[record.kind](record, number)
    state.finish()
    return leaves


def make_log(state, records, leaves, note, found):
    """Tables 0 to 3. Where blocks end, and the signatures of earlier checkpoints, only the store says."""
    starts = sorted(struct.unpack(">Q", key)[0] for key in found["blocks"])
    spans = list(zip(starts, starts[1:] + [len(records)]))
    for first, end in spans:
        state.put("blocks", be("Q", first), block(first, records[first:end]))
        if end - first > 8192:
            sys.exit(f"the block of record {first} is larger than one may be")
    for i in range(len(leaves) // 256):
        state.put("tiles", b"\0" + be("Q", i), root_of(leaves[256 * i:256 * i + 256]))
    for batches, (seal, row) in enumerate(sorted(state.rows["seals"].items())):
        size = struct.unpack(">Q", seal)[0] + 1
        if be("Q", size) not in found["heads"] and size != len(leaves):
            continue  # several batches under one head: the last of them has the row
        root, signature = root_of(leaves[:size]), found["heads"].get(be("Q", size), b"")[-64:]
        text = f"{state.origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
        check_signature(state.access.log_key_of(size), text, signature, f"head {size}")
        state.put("heads", be("Q", size), le("Q", batches + 1) + row[8:16] + root + signature)
    size, at, frontier = len(leaves), 0, b""
    for bit in reversed(range(64)):
        if size >> bit & 1:
            frontier += root_of(leaves[at:at + (1 << bit)])
            at += 1 << bit
    state.put("meta", b"format", le("I", 3))
    state.put("meta", b"head", le("QQqQ", size, len(state.rows["seals"]), state.last_seal[5], state.last_seal[11]) +
              root_of(leaves) +
              read_note(note)[5][4:] + frontier)
    return spans


def compare(state, found):
    wrong = 0
    for number, table in enumerate(TABLES):
        expected = {}
        for key, value in state.rows[table].items():
            covered, value = value if table == "blocks" else (value, value)
            expected[key] = b"\1" + le("I", crc32c(bytes([number]) + key + covered)) + value
        for key in sorted(expected.keys() | found[table].keys()):
            if expected.get(key) != found[table].get(key):
                wrong += 1
                print(f"table {table}, key {key.hex()}:\n  stored   {found[table].get(key, b'').hex() or 'nothing'}\n"
                      f"  expected {expected.get(key, b'').hex() or 'nothing'}", file=sys.stderr)
    return wrong


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    found = {table: {} for table in TABLES}
    with open(sys.argv[1], encoding="ascii") as dump:
        for line in dump:
            table, key, value = line.rstrip("\n").split(" ")
            found[table][bytes.fromhex(key)] = bytes.fromhex(value)
    note = read(sys.argv[2], "checkpoint")
    records = read_records(sys.argv[2], read_note(note)[2])
    state = State()
    leaves = apply_all(state, records)
    level = make_runs(state, make_log(state, records, leaves, note, found))
    wrong = compare(state, found)
    print(f"{sum(map(len, found.values()))} rows of {len(records)} records, runs up to level {level}: {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
