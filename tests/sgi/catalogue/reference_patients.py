"""What patients should look like, worked out in the dullest way: all that was said, kept in a list,
sorted by time and gone through from the beginning whenever anybody asks. It shares no code with the
catalogue but the words of the domain.
"""

from dataclasses import dataclass, field
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
    led: list[tuple[Any, str, int, int, Identifier]] = field(default_factory=list)
    linked: list[tuple[Any, bool, frozenset[int]]] = field(default_factory=list)

    # What happens ------------------------------------------------------------------------------

    def record(self, identity: Identity, at: Any, by_order: bool = False) -> int:
        local = [i for i in identity.identifiers if i.kind == "PI"]
        known = [i for i in local if self.record_of(i) is not None]
        borne = [i for i in known if i not in self.retired()]
        used = (borne or known or local)[0]
        record = self.make(used)
        for other in local:
            assigners = {i.assigner for i in self.records[record]}
            if not by_order and self.record_of(other) is None and other.assigner not in assigners:
                self.records[record].append(other)
        told = (at, used, by_order, identity)
        if identity != Identity((used,)) and told not in self.said:  # else it says nothing
            self.said.append(told)
        return record

    def lead(self, kind: str, kept: Identity, gone: Identifier, at: Any) -> None:
        one = self.make(gone)
        other = self.record(kept, at)
        told = (at, kind, one, other, gone)
        if one != other and told not in self.led:
            self.led.append(told)

    def is_refused(self, new: Identifier, old: Identifier, at: Any) -> bool:
        """Two who were two before, and are not held for one, cannot swap identifiers."""
        one, other = self.record_of(old), self.record_of(new)
        if one is None or other is None or self.living(one) == self.living(other):
            return False
        if (at, "change", one, other, old) in self.led:
            return False
        return self.was_known(one, at) and self.was_known(other, at)

    def link(self, one: Identifier, other: Identifier, linked: bool, at: Any) -> None:
        told = (at, linked, frozenset({self.make(one), self.make(other)}))
        if told not in self.linked:
            self.linked.append(told)

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
            status=proved.status if proved else None,
            attributes=proved.attributes if proved else frozenset(),
            ins=proved.ins if proved else None,
            linked=frozenset(self.identifiers(other) for other in self.linked_with(number)),
        )

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

    def into(self) -> dict[int, tuple[Any, str, int, int, Identifier]]:
        """Where each record leads that lives no more."""
        found: dict[int, tuple[Any, str, int, int, Identifier]] = {}
        for step in sorted(self.led, key=lambda step: step[0]):  # stable: then as they were heard
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
        return frozenset(step[4] for step in self.led if not self.lives(step[2]))

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

    def was_known(self, record: int, at: Any) -> bool:
        return any(self.record_of(used) == record and said <= at for said, used, _, _ in self.said)

    def record_of(self, identifier: Identifier) -> int | None:
        return next((n for n, known in enumerate(self.records) if identifier in known), None)

    def make(self, identifier: Identifier) -> int:
        found = self.record_of(identifier)
        if found is None:
            self.records.append([identifier])
            found = len(self.records) - 1
        return found
