"""From the text of an answer to a tree: what is added to the parser for matrices, dots and conditions."""
