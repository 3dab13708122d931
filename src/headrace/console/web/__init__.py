"""HTTP: from a request to an ask and from an answer to a page or a document, for whatever views there are.

May import: Starlette, Jinja2, uvicorn; the views' forms (`view`, `viewer`, `sources`), and the rooms that `health`
and the live tail's stream tell of.
Must never: know what a view is about, read a store or Kafka by itself, or let an answer out that `guard` has not seen.
"""
