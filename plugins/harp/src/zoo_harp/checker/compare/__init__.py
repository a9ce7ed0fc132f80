"""The comparison of two answers that are read: kinds of answers, families of solutions, vectors, words."""
