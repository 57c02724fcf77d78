"""The third place to run peers: one thread, virtual time, one seed. docs/simulation.md tells what is simulated."""
