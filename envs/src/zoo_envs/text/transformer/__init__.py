"""What a language model of transformers needs beyond itself: a key-value cache for windows, and LoRA adapters."""
