"""The transformer of the experiments: hook points, clamps, weights as arrays."""

from zoo_icl.model.transformer import ICLTransformer as ICLTransformer

__all__ = ["ICLTransformer"]
