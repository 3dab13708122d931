"""The console: the event log, the books and the river as pages for people, and as JSON for programs.

A `View` is one question that can be asked: the same answer is a page and a document of the API. What is read comes in
through `Sources`; what people do are `Action`s, each of which is written into the trail.

May import: the ports of `headrace.eventlog` and `headrace.broker`, `headrace.wire`, `headrace.telemetry`,
`headrace.core`, `headrace.model`, `headrace.settings`. Starlette and Jinja2 stay here.
Must never: import another service (what the ledger and a redrive do comes in through `Sources`), answer an org's
viewer with another org's data, put a script or a style into a page's markup, or read without a limit.
"""
