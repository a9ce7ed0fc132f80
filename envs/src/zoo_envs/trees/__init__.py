"""Trees with exact values: one small world of two rooms in many variants, and random trees."""
