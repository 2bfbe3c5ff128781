"""The commands, one thin file each: arguments, printing, exit code. The work is done in the other folders."""
