"""Training representations: the behaviour policy that collects transitions, and the trainer that learns from them."""
