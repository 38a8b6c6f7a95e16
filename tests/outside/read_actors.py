"""Who may do what, by storage/FORMAT.md alone: actors, their keys, grants and limits, and proposals. A change is judged
by what was in force when its batch began, and its seal says whose it is; so all that asks for a right waits for the seal.
"""
from read_canonical import Reader, Wrong, check_signature, is_count, is_number, need, shape

POST, REGISTER, CLOSE, ADMINISTER, VALUES, APPROVE, PAYROLL, STAFF, OWN = (1 << bit for bit in range(9))
ROLES = {1: 511, 2: POST | VALUES, 3: REGISTER | CLOSE | VALUES | APPROVE, 4: PAYROLL, 5: STAFF, 6: 0, 7: ADMINISTER}
OWNER = 1
MOST = 64  # ranges, series, and different limits in force
ANY = [0, [], []]


def check_handover(what, origin, key, new, by_key, by_new):
    """Both keys sign for the change of one to the other."""
    message = "".join(f"{line}\n" for line in (f"kontor/{what}/v1", origin, key.hex(), new.hex())).encode()
    check_signature(key, message, by_key, f"the {what} by the key so far")
    check_signature(new, message, by_new, f"the {what} by the new key")


def check_id(actor):
    need(1 <= len(actor.encode()) <= 64 and min(actor) >= " " and "\x7f" not in actor, f"{actor!r} is no actor's id")


def check_limits(limits):
    need(shape(limits, int, list, list), "malformed limits")
    amount, ranges, series = limits
    need(is_count(amount, 2**127 - 1) and all(isinstance(text, str) for text in ranges + series), "malformed limits")
    need(len(ranges) % 2 == 0 and len(ranges) <= 2 * MOST and len(series) <= MOST, "limits of more than may be")
    need(all(ranges[::2]), "accounts from nowhere on")


def lies_within(limits, amount, whole, accounts, series):
    """Whether an entry does: its amount, whether all its lines have a book amount, its accounts and its series."""
    most, ranges, among = limits
    ranges = [(start.encode(), (end or start).encode()) for start, end in zip(ranges[::2], ranges[1::2])]
    return (most == 0 or (whole and amount <= most)) and (not among or series in among) and (not ranges or all(
        any(start <= account and (account <= end or account.startswith(end)) for start, end in ranges)
        for account in (account.encode() for account in accounts)))


class Key:
    def __init__(self, actor, record):
        self.actor, self.since, self.until, self.revoked, self.reason = actor, record, 0, False, ""


class Access:
    def __init__(self):
        self.keys, self.grants = {}, {}  # key -> Key; (actor, role) -> limits or None
        self.log_keys, self.proposals = {}, {}  # record -> key; record -> [entry's bytes, status, decided, actor, key]
        self.asks, self.batch_proposals, self.given = [], [], []  # what is judged at the seal; proposals, limits given
        self.begun = None  # keys in force and grants as the batch began: key -> actor, (actor, role) -> limits

    def found(self, log_key, key):
        self.log_keys[0] = log_key
        self.keys[key] = Key("owner", 0)
        self.grants["owner", OWNER] = ANY
        self.begin()

    def begin(self):
        self.asks, self.batch_proposals, self.given = [], [], []
        self.begun = ({key: at.actor for key, at in self.keys.items() if at.until == 0},
                      {which: limits for which, limits in self.grants.items() if limits is not None})

    def rights(self, actor):
        rights = 0
        for who, role in self.begun[1]:
            rights |= ROLES[role] if who == actor else 0
        return rights

    def seal(self, key):
        """All that the batch asked for, of the actor of its seal's key; and then what it changed is in force."""
        need(key in self.begun[0], "its actor's key is not on record, or not valid any more")
        actor = self.begun[0][key]
        for number, ask in self.asks:
            try:
                ask(actor)
            except Wrong as wrong:
                raise Wrong(f"record {number}, by {actor}: {wrong}") from None
        for proposal in self.batch_proposals:
            self.proposals[proposal][3:] = actor, key
        self.begin()

    def ask(self, number, right):
        self.asks.append((number, lambda actor: need(self.rights(actor) & right == right, f"it lacks right {right}")))

    # -- entries and proposals

    def entry(self, number, facts, proposal):
        """facts: as of lies_within."""
        right = APPROVE if proposal else POST

        def judge(actor):
            need(any(lies_within(limits, *facts) for (who, role), limits in self.begun[1].items()
                     if who == actor and ROLES[role] & right),
                 "no grant takes in its entry")
            if proposal:
                need(self.proposals[proposal][3] != actor, f"it approves its own proposal {proposal}")
        self.asks.append((number, judge))

    def propose(self, number, plain):
        self.ask(number, POST)
        self.proposals[number] = [plain, 0, 0, None, None]
        self.batch_proposals.append(number)

    def decide(self, number, proposal, status):
        need(proposal in self.proposals and proposal not in self.batch_proposals, f"{proposal} is no proposal yet")
        need(self.proposals[proposal][1] == 0, f"proposal {proposal} is decided already")
        self.proposals[proposal][1:3] = status, number

    def approve(self, number, proposal, plain):
        self.decide(number, proposal, 1)
        need(self.proposals[proposal][0] == plain, f"the entry is not what proposal {proposal} says")

    def reject(self, record, number):
        need(shape(record.body, int, str), "a malformed rejection")
        proposal = record.body[0]
        self.decide(number, proposal, 2)
        self.asks.append((number, lambda actor: need(
            actor == self.proposals[proposal][3] or self.rights(actor) & APPROVE, "it may not reject")))

    # -- actors, keys and grants

    def add(self, record, number):
        need(shape(record.body, str, bytes) and len(record.body[1]) == 32, "a malformed actor")
        actor, key = record.body
        check_id(actor)
        need(all(at.actor != actor for at in self.keys.values()), f"actor {actor} is on record")
        need(key not in self.keys, "its key is on record")
        self.ask(number, ADMINISTER)
        self.keys[key] = Key(actor, number)

    def known(self, actor, role):
        need(any(at.actor == actor for at in self.keys.values()), f"actor {actor} is not on record")
        need(is_number(role) and role in ROLES, f"role {role} is none")

    def grant(self, record, number):
        need(shape(record.body, str, int, list), "a malformed grant")
        to, role, limits = record.body
        self.known(to, role)
        check_limits(limits)
        self.ask(number, ADMINISTER | (OWN if role == OWNER else 0))
        self.asks.append((number, lambda actor: need(actor != to, "it grants to itself")))
        self.grants[to, role] = limits
        self.given.append(limits)
        different = {repr(limits) for limits in [*self.begun[1].values(), *self.given] if limits != ANY}
        need(len(different) <= MOST, "more different limits in force than may be")

    def withdraw(self, record, number):
        need(shape(record.body, str, int, str), "a malformed withdrawal")
        actor, role, _ = record.body
        self.known(actor, role)
        need(self.grants.get((actor, role)) is not None, f"actor {actor} has not role {role}")
        self.ask(number, ADMINISTER | (OWN if role == OWNER else 0))
        self.grants[actor, role] = None
        self.an_owner_is_left()

    def own_or_administrator(self, number, whose):
        self.asks.append((number, lambda actor: need(actor == whose or self.rights(actor) & ADMINISTER,
                                                     f"the key is {whose}'s")))

    def rotate(self, record, number, origin):
        need(shape(record.body, bytes, bytes, bytes, bytes), "a malformed rotation")
        key, new, by_key, by_new = record.body
        need(key in self.keys and self.keys[key].until == 0, "the key rotated is not on record, or not valid any more")
        need(new not in self.keys, "the new key is on record")
        check_handover("rotation", origin, key, new, by_key, by_new)
        self.own_or_administrator(number, self.keys[key].actor)
        self.keys[key].until = number
        self.keys[new] = Key(self.keys[key].actor, number)

    def revoke(self, record, number):
        need(shape(record.body, bytes, str), "a malformed revocation")
        key, reason = record.body
        need(key in self.keys and self.keys[key].until == 0, "the key revoked is not on record, or not valid any more")
        at = self.keys[key]
        self.own_or_administrator(number, at.actor)
        at.until, at.revoked, at.reason = number, True, reason
        self.an_owner_is_left()

    def an_owner_is_left(self):
        valid = {at.actor for at in self.keys.values() if at.until == 0}
        need(any(limits is not None and who in valid and role == 1
                 for (who, role), limits in self.grants.items()), "no owner keeps a key")

    # -- the log's own key

    def log_key(self, record, number, origin):
        need(shape(record.body, bytes, bytes, bytes, bytes), "a malformed log key")
        key, new, by_key, by_new = record.body
        need(key == self.log_key_of(number), "the log's key so far is another")
        check_handover("log-key", origin, key, new, by_key, by_new)
        self.ask(number, OWN)
        self.log_keys[number] = new

    def log_key_of(self, size):
        """The key that signs a checkpoint over so many records."""
        return self.log_keys[max(record for record in self.log_keys if record < max(size, 1))]


def without(body_bytes, tags):
    """A tagged array's bytes without these fields, the others as they stand."""
    reader, kept, count = Reader(body_bytes), b"", 0
    head = reader.number(1)
    need(0x90 <= head <= 0x9f or head == 0xdc, "no tagged array")
    size = head & 15 if head != 0xdc else reader.number(2)
    for _ in range(size // 2):
        start = reader.at
        tag = reader.value()
        reader.value()
        if tag not in tags:
            kept, count = kept + body_bytes[start:reader.at], count + 2
    need(count < 16, "more fields than an entry has")
    return bytes([0x90 | count]) + kept
