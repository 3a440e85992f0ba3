"""What patients should look like, worked out in the dullest way: all that was said, kept in a list,
sorted by time and gone through from the beginning whenever anybody asks. It shares no code with the
catalogue but the words of the domain, and follows decision 0015, not the catalogue.
"""

from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from sgi.domain.patient import Identifier, Identity, IdentityAttribute, IdentityStatus

NAMES = ("birth_name", "first_given_name", "given_names", "used_name", "used_given_name")


@dataclass(frozen=True)
class Person:
    """A living patient, as somebody sees them who does not know our ids."""

    borne: frozenset[Identifier]
    retired: frozenset[Identifier]
    traits: tuple[tuple[str, Any], ...]
    status: IdentityStatus | None
    attributes: frozenset[IdentityAttribute]
    ins: Identifier | None
    linked: frozenset[frozenset[Identifier]]
    """All identifiers, borne or retired, of each of the others."""


@dataclass
class Reference:
    """Records are numbered as they are made; times are anything that can be compared."""

    records: list[list[Identifier]] = field(default_factory=list)
    said: list[tuple[Any, Identifier, bool, Identity]] = field(default_factory=list)
    led: list[tuple[Any, str, int, int, Identifier, Identifier]] = field(default_factory=list)
    """When, how, which record, to which, what is not used any more, and what instead."""
    linked: list[tuple[Any, bool, frozenset[int]]] = field(default_factory=list)

    # What happens ------------------------------------------------------------------------------

    def record(self, identity: Identity, at: Any, by_order: bool = False) -> None:
        named = ipps(identity)
        used = self.naming(named)
        record = self.make(used)
        if not by_order:
            self.give(record, named)
        self.say(identity, used, at, by_order)

    def lead(self, kind: str, kept: Identity, gone: Sequence[Identifier], at: Any) -> None:
        going, staying = sides(kept, gone)
        for each in going:
            self.make(each)
        used = self.staying(staying, going)
        record = self.make(used)
        self.give(record, staying, but=going)
        self.say(kept, used, at, left_out=going)
        for each in going:
            one = self.make(each)
            if not any(step[:5] == (at, kind, one, record, each) for step in self.led):
                self.led.append((at, kind, one, record, each, used))

    def link(
        self, one: Sequence[Identifier], other: Sequence[Identifier], linked: bool, at: Any
    ) -> None:
        ends = frozenset(self.make(self.naming(end)) for end in (one, other))
        if (at, linked, ends) not in self.linked:
            self.linked.append((at, linked, ends))

    def say(
        self,
        identity: Identity,
        used: Identifier,
        at: Any,
        by_order: bool = False,
        left_out: Collection[Identifier] = (),
    ) -> None:
        """What is said twice is said once, in whatever order the identifiers stand."""
        others = [i for i in identity.identifiers if i not in {used, *left_out}]
        who = replace(identity, identifiers=(used, *others))
        told = (at, used, by_order, who)
        if who != Identity((used,)) and told not in self.said:  # else it says nothing
            self.said.append(told)

    def naming(self, named: Sequence[Identifier]) -> Identifier:
        """Whom several IPPs name: who bears one of them, else who bore one."""
        known = [i for i in named if self.record_of(i) is not None]
        borne = [i for i in known if i not in self.retired()]
        return (borne or known or named)[0]

    def staying(self, named: Sequence[Identifier], going: Sequence[Identifier]) -> Identifier:
        """Who stays: an office speaks of its own numbers; those of others only go with them."""
        own = [i for i in named if i.assigner in {gone.assigner for gone in going}] or named
        ending = {self.record_of(gone) for gone in going}
        elsewhere = [i for i in own if self.record_of(i) not in ending]
        borne = [i for i in elsewhere if self.record_of(i) is not None and i not in self.retired()]
        return (borne or elsewhere or own)[0]

    def give(
        self, record: int, named: Sequence[Identifier], but: Collection[Identifier] = ()
    ) -> None:
        """Numbers that nobody has; never a second one of an assigner, whatever record has it."""
        for number in named:
            borne = self.identifiers(self.living(record)) - self.retired() - set(but)
            if self.record_of(number) is None and all(i.assigner != number.assigner for i in borne):
                self.records[record].append(number)

    # What is refused ---------------------------------------------------------------------------

    def is_nobody(self, kept: Identity, gone: Sequence[Identifier]) -> bool:
        """Nothing stays."""
        return set(ipps(kept)) <= set(gone) and set(gone) <= set(ipps(kept))

    def is_one(self, one: Sequence[Identifier], other: Sequence[Identifier]) -> bool:
        """Nobody is linked with themselves."""
        tried = deepcopy(self)
        return tried.make(tried.naming(one)) == tried.make(tried.naming(other))

    def are_two(self, new: Identity, gone: Sequence[Identifier], at: Any) -> bool:
        """Of those who were two before, none is made one with another without a merge."""
        going, staying = sides(new, gone)
        known = [i for i in (*going, *staying) if self.was_known(i, at)]
        for old in going:
            told = any(
                step[:3] == (at, "change", self.record_of(old))
                and step[3] in map(self.record_of, staying)
                for step in self.led
            )
            if old in known and not told and len({self.who(i) for i in (old, *known)}) > 1:
                return True
        return False

    # What is so then ---------------------------------------------------------------------------

    def people(self) -> set[Person]:
        return {self.person(number) for number in range(len(self.records)) if self.lives(number)}

    def person(self, number: int) -> Person:
        told = self.told(number)
        names = self.newest(told, lambda who: any(getattr(who.traits, n) for n in NAMES), kept=True)
        traits = {name: getattr(names.traits, name) if names else None for name in NAMES}
        for name in ("sex", "birth_date", "birth_place", "died"):
            best = self.newest(
                told,
                lambda who, n=name: getattr(who.traits, n) is not None,
                kept=name in {"sex", "birth_date"},
            )
            traits[name] = getattr(best.traits, name) if best else None
        proved = self.newest(
            [one for one in told if one[0][1] > 0],
            lambda who: who.status or who.attributes or who.ins,
        )
        return Person(
            borne=self.identifiers(number) - self.retired(),
            retired=self.identifiers(number) & self.retired(),
            traits=tuple(sorted(traits.items())),
            status=self.status(proved, traits) if proved else None,
            attributes=proved.attributes if proved else frozenset(),
            ins=proved.ins if proved else None,
            linked=frozenset(self.identifiers(other) for other in self.linked_with(number)),
        )

    @staticmethod
    def status(proved: Identity, traits: dict[str, Any]) -> IdentityStatus | None:
        """Of another birth name, sex or birth date than now, it proves nothing."""
        for name in ("birth_name", "sex", "birth_date"):
            then, now = getattr(proved.traits, name), traits[name]
            if proved.status and then and now and str(then).upper() != str(now).upper():
                return IdentityStatus.PROVISIONAL
        return proved.status

    def told(self, number: int) -> list[tuple[tuple[Any, ...], Identity, Identifier]]:
        """With how much each account counts: the greatest is believed."""
        found = []
        for heard, (at, used, by_order, who) in enumerate(self.said):
            record = self.record_of(used)
            assert record is not None
            if self.living(record) == number:
                weight = (not by_order, self.standing(record, used, at), at, heard)
                found.append((weight, who, used))
        return found

    def standing(self, record: int, used: Identifier, at: Any) -> int:
        """2 said of the living patient, 1 of their former identifier, 0 of a merged record."""
        into, steps = self.into(), []
        while record in into:
            steps.append(into[record])
            record = steps[-1][3]
        late = bool(steps) and at >= max(step[0] for step in steps)
        if not steps or (late and used not in self.retired()):
            return 2
        return 1 if all(step[1] == "change" for step in steps) else 0

    @staticmethod
    def newest(
        told: list[tuple[tuple[Any, ...], Identity, Identifier]], says: Any, kept: bool = False
    ) -> Identity | None:
        """Where only orders tell what is `kept`, the one that was said first."""
        telling = [one for one in told if says(one[1])]
        if kept and telling and not any(one[0][0] for one in telling):
            accounts: dict[tuple[Identity, Identifier], list[tuple[Any, ...]]] = {}
            for weight, who, used in telling:
                accounts.setdefault((who, used), []).append(weight)

            def place(account: tuple[Identity, Identifier]) -> tuple[Any, ...]:
                said = accounts[account]
                last = max(said, key=lambda weight: weight[2:])
                return (-last[1], min(weight[2] for weight in said), last[3])

            return min(accounts, key=place)[0]
        return max(telling, key=lambda one: one[0])[1] if telling else None

    def into(self) -> dict[int, tuple[Any, str, int, int, Identifier, Identifier]]:
        """Where each record leads that lives no more."""
        found: dict[int, tuple[Any, str, int, int, Identifier, Identifier]] = {}
        for step in sorted(self.led, key=lambda step: step[0]):  # stable: then as they were heard
            if step[2] == step[3]:  # it loses a number, and leads nowhere
                continue
            found[step[2]] = step
            end = step[3]
            while end in found and end != step[2]:
                end = found[end][3]
            if end == step[2]:
                del found[step[3]]
        return found

    def living(self, record: int) -> int:
        into = self.into()
        while record in into:
            record = into[record][3]
        return record

    def lives(self, record: int) -> bool:
        return record not in self.into()

    def retired(self) -> frozenset[Identifier]:
        """What went with a record, or within one, and was not used instead of another since."""
        into = self.into()
        apart = {step[4] for step in self.led if step[2] != step[3] and step[2] in into}
        within: set[Identifier] = set()
        for _, _, one, other, gone, used in sorted(self.led, key=lambda step: step[0]):
            within = (within | {gone} if one == other else within) - {used}
        return frozenset(apart | within)

    def identifiers(self, number: int) -> frozenset[Identifier]:
        return frozenset(
            identifier
            for record, identifiers in enumerate(self.records)
            if self.living(record) == number
            for identifier in identifiers
        )

    def linked_with(self, number: int) -> set[int]:
        found: dict[int, bool] = {}
        for _, linked, ends in sorted(self.linked, key=lambda one: one[0]):
            living = {self.living(end) for end in ends}
            if number in living and len(living) == 2:
                found[next(iter(living - {number}))] = linked
        return {other for other, linked in found.items() if linked}

    def was_known(self, identifier: Identifier, at: Any) -> bool:
        """Something was said of whoever it names."""
        who = self.who(identifier)
        return who is not None and any(
            self.who(used) == who and said <= at for said, used, _, _ in self.said
        )

    def who(self, identifier: Identifier) -> int | None:
        record = self.record_of(identifier)
        return None if record is None else self.living(record)

    def record_of(self, identifier: Identifier) -> int | None:
        return next((n for n, known in enumerate(self.records) if identifier in known), None)

    def make(self, identifier: Identifier) -> int:
        found = self.record_of(identifier)
        if found is None:
            self.records.append([identifier])
            found = len(self.records) - 1
        return found


def ipps(identity: Identity) -> list[Identifier]:
    return [i for i in identity.identifiers if i.kind == "PI"]


def sides(kept: Identity, gone: Sequence[Identifier]) -> tuple[list[Identifier], list[Identifier]]:
    """What goes and what stays: what is on both sides stays, unless nothing else goes."""
    both = set(gone) & set(ipps(kept))
    if both == set(gone):
        both = set()
    going = [i for i in gone if i not in both]
    return going, [i for i in ipps(kept) if i not in going]
