"""Small constrained MDPs with exact models."""
