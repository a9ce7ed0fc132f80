"""Training representations: with which policy transitions are collected, and what learns from them."""
