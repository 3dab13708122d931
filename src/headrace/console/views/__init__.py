"""The views, one file each: its ask, its answer, and how it is read.

May import: `headrace.console.{view,viewer,sources}` and what `headrace.console` may.
Must never: import Starlette or Jinja2, know who asks a view (`org` in the ask is theirs already), return markup.
"""
