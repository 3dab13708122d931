"""Plays conversations of the Schema-Guided Dialogue format through an emitter, as a bot's runtime would live them."""
