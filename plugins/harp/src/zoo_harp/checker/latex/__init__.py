"""The parser: from the text of an answer to a tree."""
