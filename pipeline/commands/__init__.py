"""One module a command, named like it: its arguments, what it prints, its exit code. The work is done elsewhere.

Its docstring is what `python -m pipeline COMMAND --help` shows. `pipeline/__main__.py` lists them all.
"""
