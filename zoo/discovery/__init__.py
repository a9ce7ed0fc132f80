"""Who is there, and what may they be told: plugins, their names and their options."""
