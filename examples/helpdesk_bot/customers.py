"""Scripted customers: each has wishes, a temper, and answers what the bot asks."""

import random

from .shop import Shop

_PATIENCE = 14
"""After so many messages any customer says goodbye."""

_NONSENSE = ("Do you sell umbrellas?", "My cat likes your boxes.", "What is the weather like in Turku?")
_REASONS = ("It is broken.", "It is the wrong size.", "I changed my mind.", "It looks different from the picture.")


class Customer:
    """One customer of the *shop*, wholly decided by *rng*."""

    def __init__(self, rng: random.Random, shop: Shop) -> None:
        self._rng = rng
        self._order = rng.choice(shop.numbers)
        self.email = rng.choice(shop.customers)
        self._careless = rng.random() < 0.15
        self._wishes = rng.sample(
            (self._find, self._return, self._sign_in, self._complain, self._chat), rng.randint(1, 3)
        )
        self._said = 0

    def opening(self) -> str:
        """Say what brings the customer here."""
        greeting = self._rng.choice(("", "", "Hello! ", "Good morning. "))
        return "Hi there!" if self._rng.random() < 0.1 else greeting + self._next_wish()

    def answer(self, words: str) -> str:
        """Answer what the bot said last."""
        self._said += 1
        if self._said > _PATIENCE:
            return "I have to go. Goodbye."
        if "order number" in words:
            return self._number()
        if "e-mail" in words:
            return f"It is {self.email}"
        if "reason for" in words:
            return self._rng.choice(_REASONS)
        if "refund or an exchange" in words:
            return self._rng.choice(("A refund, please.", "A refund, please.", "I would like an exchange."))
        return self._next_wish()

    def _number(self) -> str:
        if self._careless:
            self._careless = False
            return "I think it was 100-999"
        return self._rng.choice((f"It is {self._order}", f"{self._order}, I hope", self._order))

    def _next_wish(self) -> str:
        return self._wishes.pop()() if self._wishes else "No, that was all. Goodbye."

    def _find(self) -> str:
        return self._rng.choice((f"Where is my order {self._order}?", "Where is my parcel?"))

    def _return(self) -> str:
        return self._rng.choice(("I want to return something.", f"How do I get a refund for {self._order}?"))

    def _sign_in(self) -> str:
        return self._rng.choice(("I forgot my password.", f"I am locked out, my password for {self.email} is wrong."))

    def _complain(self) -> str:
        return self._rng.choice(("I want to talk to a person.", "Can someone speak with me about this, a human?"))

    def _chat(self) -> str:
        return self._rng.choice(_NONSENSE)
