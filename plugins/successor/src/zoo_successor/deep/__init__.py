"""Deep diminishing representations: a head for any encoder, lambda-SAC, and a recurrent actor-critic."""
