"""The command line: one file per command, and the frame that they share (`main`, `commands`, `output`).

May import: everything below it, a command's module only what it needs.
Must never: decide anything, hold state, be imported by anything but the entry point.
"""
