"""Whose a token is: believed while it is signed, not expired, not revoked, and its person is who they were."""

from collections.abc import Collection, Mapping

from headrace.clock import Clock
from headrace.console.access.tokens import Claim, Signer, claim_of
from headrace.console.settings import Person

SESSION = 12 * 3600.0
"""Seconds after which a person signs in again."""


class Gate:
    """Reads tokens, and gives people theirs. *revoked* are ids."""

    def __init__(self, signer: Signer, people: Mapping[str, Person], revoked: Collection[str], clock: Clock) -> None:
        self._signer = signer
        self._people = {
            name: (each.org or None, signer.stamp(each.password), each.may_erase) for name, each in people.items()
        }
        self._revoked = frozenset(revoked)
        self._left: dict[str, float] = {}
        self._clock = clock

    def read(self, token: str) -> Claim | None:
        """Return what *token* says; None when it is not to be believed."""
        claim = self._signer.read(token, self._clock.wall())
        if claim is None or claim.id in self._revoked or claim.id in self._left:
            return None
        if claim.stamp and self._people.get(claim.name) != (claim.org, claim.stamp, claim.may_erase):
            return None
        return claim

    def let_in(self, name: str) -> str:
        """Return a token for a person who has shown who they are."""
        org, stamp, may_erase = self._people[name]
        return self._signer.sign(claim_of(name, org, self._clock.wall() + SESSION, stamp, may_erase=may_erase))

    def let_out(self, claim: Claim) -> None:
        """End a person's token before its time. One that was handed out goes on: others may have it too."""
        now = self._clock.wall()
        self._left = {each: expires for each, expires in self._left.items() if expires > now}
        if claim.stamp:
            self._left[claim.id] = claim.expires
