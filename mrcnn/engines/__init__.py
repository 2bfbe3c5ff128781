"""What runs a trained network: a TensorFlow graph or ONNX Runtime."""
