"""Planning with representations: first-occupancy planning, following plans, the rule of generalised improvement."""
