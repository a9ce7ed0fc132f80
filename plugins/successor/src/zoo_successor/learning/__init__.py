"""Representations learned from transitions, and what they are judged against."""
