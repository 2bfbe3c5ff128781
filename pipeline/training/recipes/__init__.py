"""Training recipes, one file each; every file opens with its command, its time and its result."""
