"""CETNet in PyTorch: the definition that the Swift engine is checked against, training, export and verification.

Wang et al., "Convolutional Embedding Makes Hierarchical Vision Transformer Stronger", ECCV 2022, arXiv 2207.13317.
"""
