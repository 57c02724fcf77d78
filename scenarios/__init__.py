"""The scenarios, one file each, named as in `make scenario NAME=...`; docs/scenarios.md says how to write one."""
