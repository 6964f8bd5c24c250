"""The compiled part: the streams of a file's threads become one order of events, and those become rows.

`order` finds the order, `goroutines`, `syscalls`, `processors`, `ranges` and `annotations` know what each event does to
the `machine`, `ledger` and `parts` whose time it takes, `sheets` where the rows go. `emulator` is the way in.
"""
