"""From a live agent to a film: episodes as pictures, captions beneath them, and the file."""
