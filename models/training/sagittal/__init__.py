"""Training, export and evaluation of the sagittal model: vertebrae, discs, canal and cord in sagittal planes."""
