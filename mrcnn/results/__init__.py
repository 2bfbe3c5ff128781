"""What comes out of the network, as records, masks, documents and drawings. Plain numpy, no TensorFlow."""
