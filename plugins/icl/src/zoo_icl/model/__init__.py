"""The transformer of the experiments: named taps, clamps, arrays in and out."""

from zoo_icl.model.transformer import ICLTransformer as ICLTransformer

__all__ = ["ICLTransformer"]
