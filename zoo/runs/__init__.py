"""From run directories to a judgement: reading, evaluating, comparing and drawing stored runs."""
