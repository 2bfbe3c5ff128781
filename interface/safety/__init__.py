"""What makes the page fit for the open internet: who may ask for what, how much of it, and what is refused in words."""
