"""What every reader of a book needs, by storage/FORMAT.md: canonical msgpack, digests, signatures, and a way to say
what does not hold. The standard library is enough; signatures are checked where the package `cryptography` is there.
"""
import hashlib

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None


class Wrong(Exception):
    """What was found does not hold."""


def need(holds, what):
    if not holds:
        raise Wrong(what)


def sha256(data):
    return hashlib.sha256(data).digest()


def check_signature(key, message, signature, whose):
    need(len(key) == 32 and len(signature) == 64, f"{whose}: key or signature has a wrong size")
    if Ed25519PublicKey is None:
        return
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        raise Wrong(f"{whose}: the signature does not hold") from None


# ---- canonical msgpack: one spelling, or it is refused

class Reader:
    """One value after another. A number is an int, text a str, bytes a bytes, truth a bool, an array a list."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        need(size <= len(self.data) - self.at, "msgpack: cut short")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "big", signed=signed)

    def length(self, size, least):
        value = self.number(size)
        need(value >= least, "msgpack: a length in a longer form than needed")
        return value

    def value(self, depth=0):
        need(depth <= 64, "msgpack: too deep")
        head = self.number(1)
        if head < 0x80:
            return head
        if head >= 0xe0:
            return head - 0x100
        if head in (0xc2, 0xc3):
            return head == 0xc3
        if 0xcc <= head <= 0xcf:
            size = 1 << (head - 0xcc)
            value = self.number(size)
            need(value > (0x7f, 0xff, 0xffff, 0xffffffff)[head - 0xcc],
                 "msgpack: a number in a longer form than needed")
            return value
        if 0xd0 <= head <= 0xd3:
            size = 1 << (head - 0xd0)
            value = self.number(size, signed=True)
            need(value < (-32, -0x80, -0x8000, -0x80000000)[head - 0xd0],
                 "msgpack: a number in a longer form than needed")
            return value
        if head == 0xd8:
            need(self.number(1) == 1, "msgpack: an ext type that is no amount")
            value = self.number(16, signed=True)
            need(value > 2**64 - 1 or value < -2**63, "msgpack: an amount in a longer form than needed")
            return value
        if 0xa0 <= head <= 0xbf or 0xd9 <= head <= 0xdb:
            size = head & 31 if head <= 0xbf else self.length(1 << (head - 0xd9), (32, 0x100, 0x10000)[head - 0xd9])
            try:
                text = self.take(size).decode("utf-8")
            except UnicodeDecodeError:
                raise Wrong("msgpack: a text that is not UTF-8") from None
            need("\0" not in text, "msgpack: a text with NUL")
            return text
        if 0xc4 <= head <= 0xc6:
            return self.take(self.length(1 << (head - 0xc4), (0, 0x100, 0x10000)[head - 0xc4]))
        if 0x90 <= head <= 0x9f or head in (0xdc, 0xdd):
            count = head & 15 if head <= 0x9f else self.length(2 << (head - 0xdc), (16, 0x10000)[head - 0xdc])
            need(count <= len(self.data) - self.at, "msgpack: an array of more than there is")
            return [self.value(depth + 1) for _ in range(count)]
        raise Wrong(f"msgpack: byte {head:#04x} begins no value that is allowed")


def decode(data):
    reader = Reader(data)
    value = reader.value()
    need(reader.at == len(data), "msgpack: bytes behind the value")
    return value


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_count(value, most=2**64 - 1):
    return is_number(value) and 0 <= value <= most


def shape(values, *kinds):
    """Whether an array is of these types, int meaning a whole number and no truth."""
    return isinstance(values, list) and len(values) == len(kinds) and all(
        is_number(v) if k is int else isinstance(v, k) for v, k in zip(values, kinds))


def tagged(values, kinds, what):
    """A tagged array as a dict; kinds: tag -> type."""
    need(isinstance(values, list) and len(values) % 2 == 0, f"{what} is no array of tags and values")
    found, last = {}, 0
    for tag, value in zip(values[::2], values[1::2]):
        need(is_number(tag) and tag > last and tag in kinds, f"{what}: tag {tag!r}")
        kind = kinds[tag]
        need(is_number(value) if kind is int else isinstance(value, kind), f"{what}: field {tag} is of a wrong type")
        need(kind is int or value, f"{what}: field {tag} is empty or false and should be left out")
        found[tag], last = value, tag
    return found
