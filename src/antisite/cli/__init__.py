"""The `antisite` command: one short file per command."""
