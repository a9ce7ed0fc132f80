"""Policies as other libraries take them."""
