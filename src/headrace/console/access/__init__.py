"""Access: who asks, proven by a session's cookie or a token, and the pages on which people sign in.

Nothing is stored: a claim is signed, and believed until it expires, is revoked, or its person is not who they were.

May import: `headrace.console.web`, and what `headrace.console` may. itsdangerous stays here.
Must never: decide what may be seen (the asks and `viewer` do), say whether a name exists, or log a password or token.
"""
