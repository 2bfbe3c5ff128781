"""Speed, stage by stage and beside other models."""
