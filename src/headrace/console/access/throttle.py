"""How often something may be tried, with a memory that does not grow. Pure: *now* is an argument."""

import hmac
import secrets


class Throttle:
    """Lets each key *tries* times in a row, and then once each *seconds* / *tries*.

    Keys share *places* by a keyed hash. Two that meet in one share its tries, so that nobody frees a place by filling
    the others, and nobody can choose whom to meet.
    """

    def __init__(self, tries: int, seconds: float, places: int = 4096) -> None:
        self._each = seconds / tries
        self._room = seconds
        self._free_at = [0.0] * places
        self._key = secrets.token_bytes(16)

    def take(self, key: str, now: float) -> float:
        """Take one try of *key*; return 0, or else take none and return in how many seconds there is one."""
        place = self._place(key)
        free_at = max(self._free_at[place], now) + self._each
        if free_at - now > self._room + 1e-6:
            return free_at - now - self._room
        self._free_at[place] = free_at
        return 0.0

    def give_back(self, key: str) -> None:
        """Undo `take`: the try does not count."""
        self._free_at[self._place(key)] -= self._each

    def _place(self, key: str) -> int:
        digest = hmac.digest(self._key, key.encode(), "sha256")
        return int.from_bytes(digest[:8]) % len(self._free_at)
