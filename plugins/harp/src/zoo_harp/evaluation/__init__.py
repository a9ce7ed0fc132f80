"""From a file of responses to tables: data, verdicts, metrics, the paper's numbers, and a page to audit."""
