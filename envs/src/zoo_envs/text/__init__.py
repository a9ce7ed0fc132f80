"""Text: a language model writes the next utterance of a dialogue, and reward models score it.

Needs the extra ``zoo-envs[text]`` (torch, transformers, tokenizers). Modules of this package that import them say so;
`zoo_envs.text.environment` loads them when an environment is made.
"""
