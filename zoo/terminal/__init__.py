"""Output for people: text without control characters, and lines that are written anew."""
