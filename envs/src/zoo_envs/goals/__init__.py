"""Families of tasks that differ in where to go: one environment, a goal a task."""
