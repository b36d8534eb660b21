"""Recording: streams kept with their cuts, their times and their endings."""
