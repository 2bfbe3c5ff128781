"""What the public Open Images files are, and how to fetch the few parts of them that one class needs."""
