"""`python -m agent`: the same as `farm-agent`."""

from agent.cli import main

main()
