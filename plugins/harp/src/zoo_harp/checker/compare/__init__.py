"""The comparison of two parsed answers: kinds of answers, families of solutions, vectors, words."""
